import { createHash } from 'node:crypto';
import { entryId } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { type Death, UNNAMED } from './death.ts';
import { isAsOld } from './moment.ts';
import type { QueueStanding } from './standing.ts';
import { compareTimes } from './time.ts';
import { isSameMessage } from './told.ts';

// Some services copy a dead letter without its sequence, and the server's advisory of the same death tells the sequence
// without the message. What they share is the queue, the payload and, within moments, the time: by these they are one.
// Where nobody captures advisories, what is stored and dead, and told of by no other record, is the record's as well: its
// subject and payload are, and it was there before that was written.

/** A dead letter that carries its message and does not tell its sequence. */
export const isBare = ({ pointsAtOriginal, carried }: Death): boolean => !pointsAtOriginal && carried !== undefined;

/** So many are kept in memory and compared; beyond them each is an entry of its own. */
export const MOST_BARE = 10_000;

/** A service has copied what died within a minute of the advisory, or before it; in milliseconds. */
const WINDOW = 60_000;
/** Where the message itself is not stored any more there is less to compare, and less time is given. */
const SHORT_WINDOW = 5_000;

/** An advisory, and what is stored under its sequence. */
export interface Advised {
  readonly death: Death;
  /** `undefined` where nothing is. */
  readonly print?: string;
}

/** A stored message that no record points at. */
export interface Orphan {
  readonly queue: string;
  /** Who gave it up, or has it; `UNNAMED` where nobody takes it. */
  readonly consumer: string;
  readonly message: StoredMessage;
  /** When its stream was made: RFC 3339. */
  readonly created: string;
}

/** What says that two messages are alike: subject and payload. */
export const printOf = ({ subject, payload }: Pick<StoredMessage, 'subject' | 'payload'>): string =>
  createHash('sha256').update(`${subject}\0`).update(payload).digest('base64');

export const placeOf = ({ record }: Death): string => `${record.stream}/${record.seq}`;

/** Milliseconds since 1970. */
const timeOf = ({ record }: Death): number => Date.parse(record.time);

/** Of one millisecond by their place, in whatever order they were read. */
const inTheOrderWritten = (a: Death, b: Death): number =>
  compareTimes(a.record.time, b.record.time) || a.record.seq - b.record.seq;

const fits = (bare: Death, { queue, consumer, record }: Death): boolean =>
  bare.queue === queue &&
  (bare.consumer === UNNAMED || bare.consumer === consumer) &&
  (bare.record.deliveries === null || record.deliveries === null || bare.record.deliveries === record.deliveries);

/** Those that a death is known by, one for each: another service's copy where there is no advisory of it. */
export function tellersOf(deaths: readonly Death[]): Death[] {
  const isAdvisory = ({ record }: Death) => record.kind === 'advisory';
  const advised = new Set(deaths.filter(isAdvisory).map(({ queue, seq }) => `${queue}/${seq}`));
  return deaths.filter((death) => isAdvisory(death) || !advised.has(`${death.queue}/${death.seq}`));
}

/**
 * Which of these are copies of a message that another, written before, is a copy of; by their place. A service that fails
 * between its two writes copies again, and two services may copy one message. Alike is not enough, as two messages may be:
 * they have one Nats-Msg-Id, or tell the same moment at which it was published.
 */
export function copiesAgain(bare: readonly Death[]): Map<string, Death> {
  const firsts = new Map<string, Death[]>();
  const again = new Map<string, Death>();
  for (const one of [...bare].sort(inTheOrderWritten)) {
    const { queue, consumer, carried } = one;
    const known = headerValue(parseHeaders(carried!.headers), 'Nats-Msg-Id') ?? carried!.time;
    if (known === '') continue;
    const key = `${queue}/${consumer}/${printOf(carried!)}/${known}`;
    const same = firsts.get(key) ?? [];
    const first = same.find((other) => isSameMessage(other.carried!, carried!));
    if (first) again.set(placeOf(one), first);
    else firsts.set(key, [...same, one]);
  }
  return again;
}

/** Whether an advisory can be of one of the deaths that these records tell of: the few that are looked up are. */
export function nearBare(bare: readonly Death[]): (death: Death) => boolean {
  const times = Map.groupBy(bare.map(timeOf), (time) => Math.floor(time / WINDOW));
  return (death) => {
    const time = timeOf(death);
    const at = Math.floor(time / WINDOW);
    return [at - 1, at, at + 1].some((slot) => times.get(slot)?.some((one) => Math.abs(one - time) <= WINDOW));
  };
}

const placedAt = (bare: Death, { consumer, seq }: { readonly consumer: string; readonly seq: number }): Death => ({
  ...bare,
  consumer,
  seq,
  id: entryId(bare.queue, consumer, seq),
  carried: { ...bare.carried!, seq },
  pointsAtOriginal: true,
  isPlaced: true,
});

/**
 * Which stored message each of these records can be of: one that is alike and was stored before it was written. No two
 * are of one. The oldest take the oldest, so that as many as can find theirs.
 */
export function pairAlike(bare: readonly Death[], orphans: readonly Orphan[]): (readonly [Death, Orphan])[] {
  const pairs: (readonly [Death, Orphan])[] = [];
  const alike = Map.groupBy(orphans, ({ message }) => printOf(message));
  for (const one of [...bare].sort(inTheOrderWritten)) {
    const among = alike.get(printOf(one.carried!)) ?? [];
    const at = among.findIndex(
      ({ queue, consumer, message, created }) =>
        one.queue === queue &&
        (one.consumer === UNNAMED || consumer === UNNAMED || one.consumer === consumer) &&
        isAsOld(one.record, message, created),
    );
    const [orphan] = at < 0 ? [] : among.splice(at, 1);
    if (orphan) pairs.push([one, orphan]);
  }
  return pairs;
}

/** Which of the dead that are stored each of these records is of, by its place in the DLQ. */
export const placeOrphans = (bare: readonly Death[], orphans: readonly Orphan[]): Map<string, Death> =>
  new Map(
    pairAlike(bare, orphans).map(([one, { consumer, message }]) => [
      placeOf(one),
      placedAt(one, { consumer, seq: message.seq }),
    ]),
  );

/**
 * Up to where a work queue may store what such records carry; 0 where nothing of it can be. Up to what was delivered, as
 * long as something is dead or in flight; but a consumer that is younger than a record begins anew, and what was written
 * since the queue was looked at may be of what came since.
 */
export function lastAlike(standing: QueueStanding, bare: readonly Death[]): number {
  const { retention, consumers, told } = standing;
  if (retention !== 'workqueue') return 0;
  const isYounger = ({ record }: Death) =>
    consumers.length === 0 ||
    consumers.some(({ created }) => compareTimes(created, record.time) > 0) ||
    (told !== undefined && compareTimes(record.stored, told) > 0);
  if (bare.some(isYounger)) return Number.MAX_SAFE_INTEGER;
  const waiting = consumers.reduce((sum, { pending }) => sum + pending, 0);
  return standing.messages > waiting ? Math.max(...consumers.map(({ delivered }) => delivered)) : 0;
}

/**
 * Which advisory each record without a sequence belongs to, by its place in the DLQ: the nearest in time of those that
 * point at a stored message alike; else the only one that fits, where it fits no other. What is left stays what it is.
 */
export function placeBare(bare: readonly Death[], advised: readonly Advised[]): Map<string, Death> {
  const placed = new Map<string, Death>();
  const timed = advised.map((one) => ({ ...one, time: timeOf(one.death), isTaken: false }));
  const alike = Map.groupBy(timed, ({ print }) => print);
  const put = (one: Death, by: (typeof timed)[number]) => {
    by.isTaken = true;
    placed.set(placeOf(one), placedAt(one, by.death));
  };
  for (const one of bare) {
    const time = timeOf(one);
    let nearest: (typeof timed)[number] | undefined;
    for (const by of alike.get(printOf(one.carried!)) ?? []) {
      const apart = Math.abs(by.time - time);
      if (by.isTaken || apart > WINDOW || !fits(one, by.death)) continue;
      if (!nearest || apart < Math.abs(nearest.time - time)) nearest = by;
    }
    if (nearest) put(one, nearest);
  }
  const left = bare.filter((one) => !placed.has(placeOf(one))).map((death) => ({ death, time: timeOf(death) }));
  for (const { death, time } of left) {
    const near = (other: { readonly time: number }) => Math.abs(other.time - time) <= SHORT_WINDOW;
    const fitting = (alike.get(undefined) ?? []).filter((by) => near(by) && fits(death, by.death));
    const [only] = fitting;
    if (!only || fitting.length > 1) continue;
    const others = left.filter(
      (other) => Math.abs(other.time - only.time) <= SHORT_WINDOW && fits(other.death, only.death),
    );
    if (others.length === 1) put(death, only);
  }
  return placed;
}
