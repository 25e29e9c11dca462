import { OpsError } from '../errors/ops-error.ts';
import { movingSubject } from '../facts/names.ts';
import type { Hop } from '../model/migration.ts';
import { orThrow } from '../nats/answer.ts';
import { getMessage } from '../nats/messages.ts';
import { readDeleted } from '../nats/streams.ts';
import { count, each, minus, type Ranges, storedRanges } from './ranges.ts';
import { firstHop, pause, type Run, stream } from './run.ts';
import { carryAll, keptOf, waiting } from './waiting.ts';

// A mirror that is refused for want of room (10023) says so in the log of its server alone. Its consumer counts what was
// refused as delivered, and as acked (2.15.1); when there is room again, the copy goes on behind it, to the marker and
// with a hole. So what a copy has is looked at itself.

/** Less than a lock lasts that finds no room to be renewed: what was done can be undone still. */
const STALLED_MS = 4000;

/** What is stored when this is asked: what goes meanwhile may be told as stored, what is told as deleted is. */
export async function storedOf(run: Run, name: string): Promise<Ranges> {
  const { figures } = await stream(run, name);
  if (figures.messages === 0) return [];
  return storedRanges(figures.first_seq, figures.last_seq, await orThrow(readDeleted(run.nats, name)));
}

/** What a copy has to hold now. */
async function wantedOf(run: Run, hop: Hop): Promise<Ranges> {
  if (hop === firstHop(run)) return (await waiting(run, await carryAll(run))).ranges;
  const kept = await keptOf(run);
  return [...kept.ranges, ...minus(await storedOf(run, hop.from), [[0, kept.upTo]])];
}

/** How many of them the old stream holds still, and the copy does not. */
async function countLacking(run: Run, hop: Hop, wanted: Ranges): Promise<number> {
  const lacking = minus(wanted, await storedOf(run, hop.to));
  if (count(lacking) === 0) return 0;
  // What went from the copy because it expired, or was written over, went from the old one as well.
  const stored = await storedOf(run, hop.from);
  const left = minus(lacking, minus(lacking, stored));
  // Our marker of the hop before is nobody's work, and is removed from the second copy.
  if (count(left) !== 1 || hop === firstHop(run)) return count(left);
  const [seq] = each(left);
  const message = await getMessage(run.nats, hop.from, seq!, { fromLeader: true });
  return message && message.subject !== movingSubject(firstHop(run).from) ? 1 : 0;
}

/** Waits until a copy holds all that its stream holds now. @throws OpsError MIGRATE_REFUSED where it gets no further */
export async function waitHeld(run: Run, hop: Hop): Promise<void> {
  const wanted = await wantedOf(run, hop);
  let seen = { at: performance.now(), left: Number.POSITIVE_INFINITY };
  for (;;) {
    const left = await countLacking(run, hop, wanted);
    if (left === 0) return;
    const at = performance.now();
    if (left < seen.left) seen = { at, left };
    if (at - seen.at > STALLED_MS) throw lacks(run, hop, left);
    await pause(run, 100);
  }
}

const lacks = ({ migration }: Run, { from, to }: Hop, left: number): OpsError =>
  new OpsError('MIGRATE_REFUSED', `${to} does not get ${left} of what ${from} has, as where there is no room (10023)`, {
    where: `stream ${to}`,
    why: `Most often the storage of the server, or of the account, is full: a mirror is refused then, which only the log of the server tells. ${migration.from} has lost nothing.`,
    hints: [
      'make room for a second copy of all that is stored: raise `max_file_store` (`max_memory_store`) of the server or the limit of the account, or remove what nobody needs',
    ],
  });
