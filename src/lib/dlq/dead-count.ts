import { subjectCovers } from '../facts/subjects.ts';
import type { Entry } from '../model/entry.ts';
import { numberOf } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { orphanEntry } from './entry.ts';
import { responsible } from './fate.ts';
import { copiedTo, heldFor, type QueueStanding, type SeenStream } from './standing.ts';
import { compareTimes } from './time.ts';

/** What a queue's figures say of its dead. All are counts of messages. */
export interface DeadCount {
  readonly queue: string;
  /** Stored, and neither waiting nor in flight. */
  readonly dead: number;
  readonly ready: number;
  readonly inFlight: number;
  /**
   * At most so many of those in flight are past their last ack wait: nothing happens to them until the next pull
   * comes, then they are dead. Exact where max_deliver is 2 and the server 2.12 or newer.
   */
  readonly dying: number;
  /** On subjects that no consumer covers: waiting for nobody. */
  readonly uncovered: number;
  /** At most so many are stored only because a mirror or source has not taken them yet, and are counted as dead. */
  readonly held: number;
  /** False where the figures moved while they were read, each time. */
  readonly steady: boolean;
}

export interface OrphanReport extends DeadCount {
  /** Dead with a record in a DLQ stream. */
  readonly accounted: number;
  /** Dead for certain, without a record. */
  readonly orphans: number;
  /** Dead without a record as well, but not to be told from what is in flight now. */
  readonly uncertain: number;
}

/** Whether dead are counted here: other streams keep what was acked, and without a consumer nothing was ever tried. */
export const countsDead = ({ retention, consumers }: QueueStanding): boolean =>
  retention === 'workqueue' && consumers.length > 0;

/** Equal as long as nothing moves. */
export const figuresOf = ({ messages, lastSeq, consumers }: QueueStanding): string =>
  JSON.stringify([
    messages,
    lastSeq,
    ...consumers.map(({ name, delivered, ackFloor, pending, ackPending }) => [
      name,
      delivered,
      ackFloor,
      pending,
      ackPending,
    ]),
  ]);

/**
 * Whether two looks that were taken at the same time tell of one moment: they say the same, and one of them was at the
 * stream between the two at each consumer, or at each consumer between the two at the stream. By the clock of the one
 * server that answered; in which order it did is not known.
 */
export function isOneMoment(a: QueueStanding, b: QueueStanding): boolean {
  if (figuresOf(a) !== figuresOf(b)) return false;
  const streams = [a.told, b.told];
  const consumers = a.consumers.map(({ name, told }) => [told, b.consumers.find((one) => one.name === name)?.told]);
  return (
    streams.some((time) => consumers.every((both) => isBetween(time, both))) ||
    consumers.every((both) => both.some((time) => isBetween(time, streams)))
  );
}

const isBetween = (time: string | undefined, [a, b]: readonly (string | undefined)[]): boolean =>
  time !== undefined && a !== undefined && b !== undefined && compareTimes(a, time) * compareTimes(time, b) >= 0;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Counts a work queue's dead by arithmetic: messages - waiting - in flight - what waits for nobody. Of others none are counted. */
export function deadCount(standing: QueueStanding, uncovered: number, steady: boolean, nowMs: number): DeadCount {
  const ready = sum(standing.consumers.map(({ pending }) => pending));
  const inFlight = sum(standing.consumers.map(({ ackPending }) => ackPending));
  const dead = countsDead(standing) ? Math.max(0, standing.messages - ready - inFlight - uncovered) : 0;
  const held = Math.min(dead, heldFor(standing));
  const dying = dyingOf(standing, dead, nowMs);
  return { queue: standing.queue, dead, ready, inFlight, dying, uncovered, held, steady };
}

/** At most so many in flight that are past their last ack wait. */
function dyingOf({ consumers }: QueueStanding, dead: number, nowMs: number): number {
  return consumers.reduce((all, { ackPending, lastActive, waits, maxDeliver, redelivered }) => {
    const longest = Math.max(...waits) / 1e6;
    // With one delivery only, death is not lazy: it comes when the ack wait is over (measured on 2.10, 2.12, 2.15).
    const isLazy = maxDeliver > 1;
    if (!isLazy || !lastActive || Date.parse(lastActive) + longest > nowMs) return all;
    // The server counts the dead among the redelivered.
    return all + Math.min(ackPending, Math.max(0, redelivered - dead));
  }, 0);
}

/** Whether a consumer's filter lets every message of a subject in. */
export const isCovered = ({ consumers }: Pick<QueueStanding, 'consumers'>, subject: string): boolean =>
  consumers.some(({ filters }) => filters.length === 0 || filters.some((filter) => subjectCovers(filter, subject)));

/** Whether every message of the queue is for some consumer, whatever its subject. */
export const coversAll = (standing: QueueStanding): boolean =>
  standing.subjects.every((subject) => isCovered(standing, subject));

/** Messages that wait for nobody, of those counted by subject. */
export const uncoveredAmong = (subjects: ReadonlyMap<string, number>, standing: QueueStanding): number =>
  sum([...subjects].map(([subject, messages]) => (isCovered(standing, subject) ? 0 : messages)));

/**
 * The entry of a stored message that no record speaks of; `undefined` where it is not dead for certain.
 *
 *   sequence   up to the consumer's ack floor        dead: it is never delivered again
 *              up to delivered, nothing in flight    dead
 *              up to delivered, something in flight  dead or in flight: counted, not listed
 *              above delivered                       waiting
 *              above what a copy has taken           acked, perhaps, and kept for the copy
 */
export function orphanIn(standing: QueueStanding, message: StoredMessage): Entry | undefined {
  if (!countsDead(standing) || message.seq > copiedTo(standing)) return undefined;
  const consumer = responsible('', message.subject, standing);
  if (!consumer || message.seq > consumer.delivered) return undefined;
  if (message.seq > consumer.ackFloor && consumer.ackPending > 0) return undefined;
  return orphanEntry(message, consumer.name, consumer.maxDeliver, standing.created);
}

/** The highest sequence under which an orphan can be stored. */
export const lastOrphan = (standing: QueueStanding): number =>
  Math.min(copiedTo(standing), Math.max(0, ...standing.consumers.map(({ delivered }) => delivered)));

/** So many of the counted dead have no record. `removed` of those with one left the queue since, by whoever reads. */
export const unaccounted = ({ dead }: DeadCount, accounted: number, removed: number): number =>
  dead - (accounted - removed);

/**
 * What is known of the dead once the orphans are out. `missing` are the dead without a record that were not found; of
 * `late` ones the record came while they were looked for.
 */
export const orphanReport = (
  count: DeadCount,
  { missing, late, ...found }: Pick<OrphanReport, 'accounted' | 'orphans'> & { missing: number; late: number },
): OrphanReport => ({ ...count, ...found, uncertain: Math.max(0, missing - late - count.held) });

/**
 * Why its DLQs cannot tell of all the dead of a queue: some of them cannot be read, or its stream keeps what was acked,
 * which is stored like what was given up, and they do not know of all that is stored.
 */
export function whyUntold(
  standing: QueueStanding | undefined,
  dlqs: readonly SeenStream[],
  unread: readonly string[] = [],
): string | undefined {
  if (unread.length > 0)
    return `its dead may lie in ${unread.join(', ')} too, which cannot be read: this user may not, or it has no leader`;
  if (!standing) return undefined;
  const { retention, consumers, messages, firstSeq, firstTime, told } = standing;
  if (retention === 'workqueue' || consumers.length === 0) return undefined;
  const keeps = `a stream of retention ${retention} keeps what was acked too, and`;
  if (dlqs.length === 0) return `${keeps} there is no DLQ that tells who died`;
  const mayHaveDied = consumers.some(({ delivered, maxDeliver }) => maxDeliver > 0 && delivered >= firstSeq);
  if (messages === 0 || !mayHaveDied || firstTime === undefined) return undefined;
  const full = dlqs.find(isFull);
  if (full) return `${keeps} its DLQ ${full.name} is full: of what it dropped or refused nothing tells`;
  if (dlqs.some((dlq) => compareTimes(knowsFrom(dlq, told), firstTime) <= 0)) return undefined;
  return `${keeps} its DLQ is younger than some that are stored, or forgets sooner: if they died before, nothing tells`;
}

function isFull({ config, figures: { messages, bytes } }: SeenStream): boolean {
  const [most, ofOne, mostBytes] = [config.max_msgs, config.max_msgs_per_subject, config.max_bytes].map((limit) =>
    numberOf(limit) > 0 ? numberOf(limit) : Number.POSITIVE_INFINITY,
  ) as [number, number, number];
  return messages > 0 && (messages >= Math.min(most, ofOne) || bytes + bytes / messages > mostBytes);
}

/** The moment from which on a DLQ has what it was told, by the server's clock: RFC 3339. */
function knowsFrom({ created, config }: SeenStream, told: string | undefined): string {
  const age = numberOf(config.max_age) / 1e6;
  if (age <= 0 || told === undefined) return created;
  const remembered = new Date(Date.parse(told) - age).toISOString();
  return compareTimes(remembered, created) > 0 ? remembered : created;
}
