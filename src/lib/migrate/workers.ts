import { OpsError } from '../errors/ops-error.ts';
import { movingSubject } from '../facts/names.ts';
import type { Kept } from '../ledger/migrations.ts';
import { splitConsumerName } from '../model/resource.ts';
import { orThrow } from '../nats/answer.ts';
import { pauseUntil, readConsumer, resetConsumer, writeConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import { removeKeyed } from '../nats/removal.ts';
import { pausedConsumer, UNTIL_RESUMED } from './configs.ts';
import { forgetMarkers } from './dead.ts';
import { storedOf } from './held.ts';
import { DRAIN_MS, drainMs } from './plan.ts';
import { count, minus, upTo } from './ranges.ts';
import { consumerIfThere, consumersOn, FINISH, pause, type Run, stream } from './run.ts';
import { becomesQueue, keepsAnswered } from './waiting.ts';

/** Nobody is given anything any more. What is in hand is waited for as long as its worker may take. */
export async function pauseAll(run: Run, from: string): Promise<void> {
  const { consumers } = run.migration;
  if (consumers.length === 0) return;
  const read = () => consumersOn(run, from);
  const before = await read();
  // One by one only: what fails now is tried again before anything new is given out.
  for (const { name, config, figures } of before) {
    if (figures.paused || config.max_ack_pending === 1) continue;
    await writeConsumer(
      run.nats,
      'update',
      { stream: from, consumer: name },
      { ...config, max_ack_pending: 1 },
      FINISH,
    );
  }
  const soon = performance.now() + SOON_MS;
  while (performance.now() < soon) {
    const all = await read();
    if (all.every(({ figures }) => figures.paused || figures.num_ack_pending <= 1)) break;
    await pause(run);
  }
  const setPause = (at?: string) => Promise.all(consumers.map((one) => pauseUntil(run.nats, from, one.from, at)));
  await setPause(UNTIL_RESUMED);
  const longest = drainMs(consumers);
  if (!keepsAnswered(run)) {
    const left = await waitNone(run, read, longest);
    if (left === 0) return;
    const text = `${left} in hand ${left === 1 ? 'was' : 'were'} not answered in time: delivered again, as if the worker had been lost`;
    run.io.tell({ type: 'note', text: `Moving ${run.migration.from}: ${text}` });
    return;
  }
  const patience = performance.now() + Math.min(DRAIN_MS, MOST_ROUNDS * longest);
  for (let ms = Math.min(ROUND_MS, longest); ; ms = Math.min(2 * ms, longest)) {
    const left = await waitNone(run, read, ms);
    if (left === 0) return;
    if (ms >= longest && performance.now() > patience) {
      if (await isAllInHand(run, from, await read())) return;
      await restoreConsumers(run, from);
      throw notAnswered(run, left);
    }
    // What failed is not tried again while it is paused: it is, until it is answered, or dead, and something new is given.
    const newest = newestOf(await read());
    await setPause();
    for (const until = performance.now() + TRY_MS; performance.now() < until; await pause(run))
      if (newestOf(await read()) !== newest) break;
    await setPause(UNTIL_RESUMED);
  }
}

/** So long nobody is given anything for what is in hand to be answered; twice as long each time, up to an ack wait. */
const ROUND_MS = 1000;
const MOST_ROUNDS = 5;
/** So long what failed is tried again in between. */
const TRY_MS = 1000;

/** Waits until nothing is in hand; gives how many still are. */
async function waitNone(run: Run, read: () => Promise<readonly ConsumerInfo[]>, ms: number): Promise<number> {
  for (const until = performance.now() + ms; ; await pause(run)) {
    const left = (await read()).reduce((sum, { figures }) => sum + figures.num_ack_pending, 0);
    if (left === 0 || performance.now() > until) return left;
  }
}

const newestOf = (all: readonly ConsumerInfo[]): string =>
  all.map(({ figures }) => figures.delivered_stream_seq).join();

/**
 * Whether each consumer has all in hand that is stored behind what it has settled: then it goes on from there, and
 * nothing that was answered comes again. So it is where a worker was lost with the first that it got.
 */
async function isAllInHand(run: Run, from: string, all: readonly ConsumerInfo[]): Promise<boolean> {
  const stored = await storedOf(run, from);
  return all.every(({ figures: { num_ack_pending, ack_floor_stream_seq, delivered_stream_seq } }) => {
    const given = minus(upTo(stored, delivered_stream_seq), [[0, ack_floor_stream_seq]]);
    return count(given) === num_ack_pending;
  });
}

/** Where a stream keeps what was answered, nobody can tell that from what is in hand once the consumer is another one. */
const notAnswered = ({ migration }: Run, count: number): OpsError =>
  new OpsError(
    'MIGRATE_REFUSED',
    `${count} of ${migration.from} ${count === 1 ? 'is' : 'are'} in hand, and not answered in time`,
    {
      where: `stream ${migration.from}`,
      why: 'It keeps what was answered: a consumer made anew would be given that again, or never what is in hand. What failed was tried again meanwhile, one by one, and did not come to its end. Workers go on as before.',
      hints: [
        'let workers run that answer, or give up, what they get: what fails for ever needs a `max_deliver` after which it is dead, which is changed in place',
        'then go on with `osapi-ops apply --migrate`',
      ],
    },
  );

/** Before workers get nothing at all, so long they get one at a time. */
const SOON_MS = 2000;

export async function isResumed(run: Run, name: string): Promise<boolean> {
  const found = await Promise.all(run.migration.consumers.map(({ to }) => consumerIfThere(run, name, to)));
  return found.some((one) => one !== undefined && !isOurPause(one.config));
}

const isOurPause = ({ pause_until }: StreamInfo['config']): boolean => pause_until === UNTIL_RESUMED;

/** Where the consumers are in the end. */
const home = ({ migration }: Run): string =>
  migration.kind === 'consumer' ? splitConsumerName(migration.from).stream : migration.hops.at(-1)!.to;

/** On a mirror, or on the stream itself: nobody is given anything by them yet. */
export async function makeConsumers(run: Run, positions: Kept['positions'] = {}): Promise<void> {
  for (const moved of run.migration.consumers) {
    const at = { stream: home(run), consumer: moved.to };
    const found = await consumerIfThere(run, at.stream, at.consumer);
    if (!found) await writeConsumer(run.nats, 'create', at, pausedConsumer(moved), FINISH);
    const settled = positions[moved.from] ?? 0;
    // A work queue has nothing before that: there it begins at the first.
    if (!keepsAnswered(run) || becomesQueue(run) || settled === 0) continue;
    if (!found || isOurPause(found.config)) await resetConsumer(run.nats, at.stream, at.consumer, settled + 1);
  }
}

/**
 * What was recorded of our markers goes with them. Only who resumed a consumer in the middle was given any.
 */
export async function forgetGivenOut(run: Run, name: string): Promise<void> {
  const { nats, migration } = run;
  const names = new Set(migration.consumers.flatMap(({ from, to }) => [from, to]));
  const found = await Promise.all([...names].map((one) => consumerIfThere(run, name, one)));
  const isGivenOut = found.some((one) => one !== undefined && !isOurPause(one.config));
  if (isGivenOut) await forgetMarkers(nats, migration, name, run.signal);
}

/** Our markers go first: they are nobody's work. */
export async function resumeConsumers(run: Run): Promise<void> {
  const { nats, migration } = run;
  const at = home(run);
  await forgetGivenOut(run, at);
  // Closed to purges it is at the end only: then they are gone.
  const { config } = await stream(run, at);
  for (const { from } of config.deny_purge === true ? [] : migration.hops)
    await removeKeyed(nats, at, { subject: movingSubject(from) });
  for (const { to, before } of migration.consumers) {
    const { config } = await orThrow(readConsumer(nats, at, to, FINISH));
    if (isOurPause(config)) await pauseUntil(nats, at, to, pausedBefore(before, run.now));
  }
}

/** Whoever paused a consumer finds it paused. */
function pausedBefore({ pause_until }: StreamInfo['config'], now: Date): string | undefined {
  return typeof pause_until === 'string' && Date.parse(pause_until) > now.getTime() ? pause_until : undefined;
}

export async function restoreConsumers(run: Run, from: string): Promise<void> {
  for (const { from: consumer, before } of run.migration.consumers) {
    const info = await consumerIfThere(run, from, consumer);
    if (!info) continue;
    if (info.config.max_ack_pending !== before.max_ack_pending) {
      const { max_ack_pending } = before;
      const config = { ...info.config, ...(max_ack_pending !== undefined && { max_ack_pending }) };
      await writeConsumer(run.nats, 'update', { stream: from, consumer }, config, FINISH);
    }
    if (isOurPause(info.config)) await pauseUntil(run.nats, from, consumer, pausedBefore(before, run.now));
  }
}
