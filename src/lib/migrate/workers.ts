import { OpsError } from '../errors/ops-error.ts';
import { movingSubject } from '../facts/names.ts';
import type { Kept } from '../ledger/migrations.ts';
import { splitConsumerName } from '../model/resource.ts';
import { orThrow, orUndefined } from '../nats/answer.ts';
import { pauseUntil, readConsumer, resetConsumer, writeConsumer } from '../nats/consumers.ts';
import type { StreamInfo } from '../nats/info.ts';
import { getMessage } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { removeKeyed, removeMessage } from '../nats/removal.ts';
import { pausedConsumer, UNTIL_RESUMED } from './configs.ts';
import { forgetMarkers } from './dead.ts';
import { drainMs } from './plan.ts';
import { FINISH, pause, type Run, stream } from './run.ts';
import { becomesQueue, keepsAnswered } from './waiting.ts';

/** Nobody is given anything any more. What is in hand is waited for as long as its worker may take. */
export async function pauseAll(run: Run, from: string): Promise<void> {
  const { consumers } = run.migration;
  if (consumers.length === 0) return;
  const read = () => Promise.all(consumers.map((one) => orThrow(readConsumer(run.nats, from, one.from, FINISH))));
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
  await Promise.all(consumers.map((one) => pauseUntil(run.nats, from, one.from, UNTIL_RESUMED)));
  const until = performance.now() + drainMs(consumers);
  for (;;) {
    const all = await read();
    const left = all.reduce((sum, { figures }) => sum + figures.num_ack_pending, 0);
    if (left === 0) return;
    if (performance.now() > until && keepsAnswered(run)) {
      await restoreConsumers(run, from);
      throw inHand(run, left);
    }
    if (performance.now() > until) {
      const text = `${left} in hand ${left === 1 ? 'was' : 'were'} not answered in time: delivered again, as if the worker had been lost`;
      run.io.tell({ type: 'note', text: `Moving ${run.migration.from}: ${text}` });
      return;
    }
    await pause(run);
  }
}

/** Where a stream keeps what was answered, nobody can tell that from what is in hand once the consumer is another one. */
const inHand = ({ migration }: Run, count: number): OpsError =>
  new OpsError(
    'MIGRATE_REFUSED',
    `${count} of ${migration.from} ${count === 1 ? 'is' : 'are'} in hand, and not answered in time`,
    {
      where: `stream ${migration.from}`,
      why: 'It keeps what was answered: a consumer made anew would be given that again, or never what is in hand. Workers go on as before.',
      hints: [
        'let the workers finish or stop them, wait for one ack_wait, then go on with `osapi-ops apply --migrate`',
      ],
    },
  );

/** Before workers get nothing at all, so long they get one at a time. */
const SOON_MS = 2000;

export async function isResumed(run: Run, name: string): Promise<boolean> {
  const found = await Promise.all(
    run.migration.consumers.map((one) => orUndefined(readConsumer(run.nats, name, one.to, FINISH))),
  );
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
    const found = await orUndefined(readConsumer(run.nats, at.stream, at.consumer, FINISH));
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
  const found = await Promise.all([...names].map((one) => orUndefined(readConsumer(nats, name, one, FINISH))));
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
    const info = await orUndefined(readConsumer(run.nats, from, consumer, FINISH));
    if (!info) continue;
    if (info.config.max_ack_pending !== before.max_ack_pending) {
      const { max_ack_pending } = before;
      const config = { ...info.config, ...(max_ack_pending !== undefined && { max_ack_pending }) };
      await writeConsumer(run.nats, 'update', { stream: from, consumer }, config, FINISH);
    }
    if (isOurPause(info.config)) await pauseUntil(run.nats, from, consumer, pausedBefore(before, run.now));
  }
}

/** What the DLQ holds by now with its payload, and the new consumer would be given again. */
export async function removeDead(run: Run, name: string, seqs: readonly number[]): Promise<void> {
  const { created } = await stream(run, name);
  await pipelined(seqs, AT_ONCE, async (seq) => {
    const message = await getMessage(run.nats, name, seq, { fromLeader: true });
    if (message) await removeMessage(run.nats, { stream: name, created, seq, time: message.time });
  });
}

const AT_ONCE = 64;
