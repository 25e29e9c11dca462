import type { GoneCause } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { tellsRemoval } from './advisory.ts';
import { type Death, UNNAMED } from './death.ts';
import { isAsOld } from './moment.ts';
import { type ConsumerStanding, covers, type QueueStanding } from './standing.ts';
import { compareTimes } from './time.ts';
import { isStored } from './told.ts';

/** What became of the message that a record speaks of. */
export type Fate =
  /** Dead, and there to be replayed: the original in its stream, or the copy that the record carries. */
  | {
      readonly fate: 'replayable';
      readonly message: StoredMessage;
      readonly original?: StoredMessage;
      readonly untaken?: true;
    }
  | { readonly fate: 'gone'; readonly cause: GoneCause }
  /** Waiting or in flight (again): a re-created consumer delivers what the one before it gave up. */
  | { readonly fate: 'alive' };

/**
 * Judges a record by its queue as it stands, and by what is stored under the sequence it names.
 *
 *   stored under the sequence      newer than the record: the stream was re-created and used the number again
 *   …and the consumer              has not come to it: waiting. Is younger than the record: it began anew;
 *                                  what is not settled for it may be in flight. Is gone: waiting where another that
 *                                  takes it has not come to it
 *   not stored                     TERM deletes from a work queue; else expired, or acked late, or removed
 */
export function fateOf(death: Death, stored: StoredMessage | undefined, standing: QueueStanding, nowMs: number): Fate {
  const { record, carried } = death;
  const isMeant =
    stored !== undefined &&
    death.pointsAtOriginal &&
    (isAsOld(record, stored, standing.created) || isStored(death, stored, standing.created));
  if (isMeant) {
    const settled = isSettled(death, stored, standing);
    if (!settled) return { fate: 'alive' };
    return {
      fate: 'replayable',
      message: stored,
      original: stored,
      ...(!isTaken(death, stored, standing) && { untaken: true }),
    };
  }
  if (carried) return { fate: 'replayable', message: carried };
  return { fate: 'gone', cause: causeOf(death, stored, standing, nowMs) };
}

/** Whether the queue is done with a message that is still stored. */
function isSettled(death: Death, { seq, subject, time }: StoredMessage, standing: QueueStanding): boolean {
  const named = standing.consumers.find(({ name }) => name === death.consumer);
  const isNamed = named !== undefined && compareTimes(named.created, death.record.time) <= 0;
  const consumer = responsible(death.consumer, subject, standing);
  // Anybody may write a record: none gives up what it has not come to, whatever its filter takes by now. On 2.10 a pull
  // that finds nothing moves `delivered` past what the filter leaves out.
  if (!consumer && isNamed) return seq <= named.delivered && compareTimes(time, named.lastActive ?? time) <= 0;
  if (!consumer && death.record.kind === 'advisory')
    return !standing.consumers.some((one) => covers(one, subject) && seq > one.delivered);
  if (!consumer) return true;
  if (seq > consumer.delivered) return false;
  const isSame = isNamed && consumer === named;
  // A worker's reject is published before the message is taken out: until then the consumer has it still. What carries a
  // message that ran out of deliveries was written after its death.
  const isFinal = isSame && !(death.record.kind === 'rejected' && death.record.reason === 'rejected');
  return isFinal || seq <= consumer.ackFloor || consumer.ackPending === 0;
}

/** Whether the consumer that a record names takes the message; on a work queue any, as where it names none. */
function isTaken({ consumer }: Death, { subject }: StoredMessage, { retention, consumers }: QueueStanding): boolean {
  const takers = consumers.filter((one) => covers(one, subject));
  const isAny = retention === 'workqueue' || consumer === UNNAMED;
  return isAny ? takers.length > 0 : takers.some(({ name }) => name === consumer);
}

/** The consumer that would deliver a message: on a work queue whichever covers its subject, else the one named. */
export function responsible(named: string, subject: string, standing: QueueStanding): ConsumerStanding | undefined {
  const same = standing.consumers.find(({ name }) => name === named);
  if (standing.retention !== 'workqueue' || (same && covers(same, subject))) return same;
  return standing.consumers.find((consumer) => covers(consumer, subject));
}

const MAY_CHANGE: readonly GoneCause[] = ['stream_recreated', 'beyond_last_seq'];

/**
 * Whether a fate is judged anew by the queue as it stands now: that it waits, may be in flight, is of a stream made anew
 * or beyond its last sequence may have changed since the queue was looked at, where that was before the originals were read.
 */
export const needsNewStanding = (fate: Fate, standing: QueueStanding, readAt: number): boolean =>
  standing.readAt < readAt && (fate.fate === 'alive' || (fate.fate === 'gone' && MAY_CHANGE.includes(fate.cause)));

function causeOf(
  { record, seq }: Death,
  stored: StoredMessage | undefined,
  standing: QueueStanding,
  nowMs: number,
): GoneCause {
  if (!standing.exists) return 'stream_deleted';
  if (stored || compareTimes(standing.created, record.time) > 0) return 'stream_recreated';
  if (seq > standing.lastSeq) return 'beyond_last_seq';
  const isRemoval = tellsRemoval(record);
  if (record.reason === 'terminated' && !isRemoval) return 'terminated';
  // It was published before it died: by now the stream has let it go in any case.
  if (standing.maxAge > 0 && Date.parse(record.time) + standing.maxAge / 1e6 < nowMs) return 'expired';
  return isRemoval ? 'removed_in_flight' : 'acked_or_removed';
}
