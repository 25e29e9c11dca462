import { createHash } from 'node:crypto';
import { entryId } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { type Death, UNNAMED } from './death.ts';
import { isAsOld } from './moment.ts';
import type { QueueStanding } from './standing.ts';
import { agree, compareTimes } from './time.ts';

// Some services copy a dead letter without its sequence, and the server's advisory of the same death tells the sequence
// without the message. What they share is the queue, the payload and, within moments, the time: by these they are one.
// Where nobody captures advisories, what is stored and dead, and told of by no other record, is the record's as well: its
// subject and payload are, and it was there before that was written.

/** A dead letter that carries its message and does not tell its sequence. */
export const isBare = ({ pointsAtOriginal, carried }: Death): boolean => !pointsAtOriginal && carried !== undefined;

/** What is kept of such a one to find what it is of: not the message itself, of which there may be any number of any size. */
export interface Bare extends Pick<Death, 'id' | 'queue' | 'consumer' | 'seq' | 'record'> {
  readonly print: string;
  /** What says that two headers are the same to the letter. */
  readonly headers: string;
  readonly msgId: string | undefined;
  /** When the message was published, RFC 3339; empty where the record does not tell. */
  readonly published: string;
}

export const bareOf = ({ id, queue, consumer, seq, record, carried }: Death): Bare => ({
  id,
  queue,
  consumer,
  seq,
  record,
  print: printOf(carried!),
  headers: createHash('sha256').update(carried!.headers).digest('base64'),
  msgId: headerValue(parseHeaders(carried!.headers), 'Nats-Msg-Id'),
  published: carried!.time,
});

/** What was found out about such a one: of what it is, or that it may be of something. */
export type Placing =
  | { readonly is: 'of'; readonly consumer: string; readonly seq: number }
  | { readonly is: 'doubtful' }
  | ({ readonly is: 'again' } & Pick<Death, 'id' | 'consumer' | 'seq' | 'inDoubt'>);

/** A service has copied what died within a minute of the advisory, or before it; in milliseconds. */
const WINDOW = 60_000;
/** Where the message itself is not stored any more there is less to compare, and less time is given. */
const SHORT_WINDOW = 5_000;

/** An advisory, and what is stored under its sequence. */
export interface Advised extends Pick<Death, 'queue' | 'consumer' | 'seq' | 'record'> {
  /** Absent where nothing is. */
  readonly print?: string;
}

/** A stored message that no record points at. */
export interface Orphan {
  readonly queue: string;
  /** Who gave it up, or has it; `UNNAMED` where nobody takes it. */
  readonly consumer: string;
  readonly message: Pick<StoredMessage, 'seq' | 'time'>;
  readonly print: string;
  /** When its stream was made: RFC 3339. */
  readonly created: string;
}

/** What says that two messages are alike: subject and payload. */
export const printOf = ({ subject, payload }: Pick<StoredMessage, 'subject' | 'payload'>): string =>
  createHash('sha256').update(`${subject}\0`).update(payload).digest('base64');

export const placeOf = ({ record }: Pick<Death, 'record'>): string => `${record.stream}/${record.seq}`;

/** Milliseconds since 1970. */
const timeOf = ({ record }: Pick<Death, 'record'>): number => Date.parse(record.time);

/** What is of one queue and alike, or of none that is stored. */
const keyOf = ({ queue, print }: { readonly queue: string; readonly print?: string }): string =>
  `${queue}/${print ?? ''}`;

/** Of one millisecond by their place, in whatever order they were read. */
const inTheOrderWritten = (a: Bare, b: Bare): number =>
  compareTimes(a.record.time, b.record.time) || a.record.seq - b.record.seq;

const fits = (bare: Omit<Bare, 'print'>, { consumer, record }: Advised): boolean =>
  (bare.consumer === UNNAMED || bare.consumer === consumer) &&
  (bare.record.deliveries === null || record.deliveries === null || bare.record.deliveries === record.deliveries);

/** Those that a death is known by, one for each: another service's copy where there is no advisory of it. */
export function tellersOf(deaths: readonly Advised[]): Advised[] {
  const isAdvisory = ({ record }: Advised) => record.kind === 'advisory';
  const advised = new Set(deaths.filter(isAdvisory).map(({ queue, seq }) => `${queue}/${seq}`));
  return deaths.filter((death) => isAdvisory(death) || !advised.has(`${death.queue}/${death.seq}`));
}

/**
 * Which of these are copies of a message that another, written before, is a copy of; by their place. A service that fails
 * between its two writes copies again, and two services may copy one message. Alike is not enough, as two messages may be:
 * they have one Nats-Msg-Id, or tell the same moment at which it was published.
 */
export function copiesAgain(bare: readonly Bare[]): Map<string, Bare> {
  const firsts = new Map<string, Bare[]>();
  const again = new Map<string, Bare>();
  for (const one of [...bare].sort(inTheOrderWritten)) {
    const { consumer, headers, published } = one;
    const known = one.msgId ?? published;
    if (known === '') continue;
    const key = `${keyOf(one)}/${consumer}/${known}`;
    const same = firsts.get(key) ?? [];
    const first = same.find((other) =>
      other.published !== '' && published !== '' ? agree(other.published, published) : other.headers === headers,
    );
    if (first) again.set(placeOf(one), first);
    else firsts.set(key, [...same, one]);
  }
  return again;
}

/** The same as is known of the first of these copies, for another one. */
export function placedAgain({ id, consumer, seq }: Bare, first: Placing | undefined): Placing {
  if (first?.is === 'of') return first;
  return { is: 'again', id, consumer, seq, ...(first?.is === 'doubtful' && { inDoubt: true }) };
}

/** How many of these, which are in order, are less than a number. */
function below(sorted: readonly number[], number: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < number) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Whether an advisory can be of one of the deaths that these records tell of: the few that are looked up are. */
export function nearBare(bare: readonly Bare[]): (death: Advised) => boolean {
  const times = bare.map(timeOf).sort((a, b) => a - b);
  return (death) => {
    const time = timeOf(death);
    return (times[below(times, time - WINDOW)] ?? Number.POSITIVE_INFINITY) <= time + WINDOW;
  };
}

/** What may be of something else by its time: many die at once, and each is looked for. */
class ByTime<T extends Pick<Death, 'record'>> {
  readonly #all: T[];
  readonly #times: number[];

  constructor(all: readonly T[]) {
    const timed = all.map((one) => ({ one, time: timeOf(one) })).sort((a, b) => a.time - b.time);
    this.#all = timed.map(({ one }) => one);
    this.#times = timed.map(({ time }) => time);
  }

  /** Takes out the nearest of those that are at most so far away. */
  take(time: number, apart: number, isIt: (one: T) => boolean): T | undefined {
    let right = below(this.#times, time);
    let left = right - 1;
    for (;;) {
      const before = time - (this.#times[left] ?? Number.NEGATIVE_INFINITY);
      const behind = (this.#times[right] ?? Number.POSITIVE_INFINITY) - time;
      if (Math.min(before, behind) > apart) return undefined;
      const index = before <= behind ? left-- : right++;
      if (!isIt(this.#all[index]!)) continue;
      this.#times.splice(index, 1);
      return this.#all.splice(index, 1)[0];
    }
  }

  /** The only one that is at most so far away; `undefined` where none is, or more. */
  only(time: number, apart: number, isIt: (one: T) => boolean): T | undefined {
    let only: T | undefined;
    for (let index = below(this.#times, time - apart); this.#times[index]! <= time + apart; index++) {
      if (!isIt(this.#all[index]!)) continue;
      if (only) return undefined;
      only = this.#all[index];
    }
    return only;
  }
}

/** A death as it is once it is known of what it is. */
export function placedAs(death: Death, placing: Placing): Death {
  if (placing.is === 'doubtful') return { ...death, inDoubt: true };
  const { consumer, seq } = placing;
  if (placing.is === 'again') {
    const { id, inDoubt } = placing;
    return { ...death, id, consumer, seq, ...(inDoubt && { inDoubt }) };
  }
  return {
    ...death,
    consumer,
    seq,
    id: entryId(death.queue, consumer, seq),
    carried: { ...death.carried!, seq },
    pointsAtOriginal: true,
    isPlaced: true,
  };
}

/**
 * Which stored message each of these records can be of: one that is alike and was stored before it was written. No two
 * are of one. The oldest take the oldest, so that as many as can find theirs.
 */
export function pairAlike(bare: readonly Bare[], orphans: readonly Orphan[]): (readonly [Bare, Orphan])[] {
  const pairs: (readonly [Bare, Orphan])[] = [];
  const byKey = Map.groupBy(orphans, keyOf);
  const alike = new Map(
    [...byKey].map(([key, all]) => [key, { all, oldest: all.reduce((a, b) => (isOlder(b, a) ? b : a)) }]),
  );
  for (const one of [...bare].sort(inTheOrderWritten)) {
    const among = alike.get(keyOf(one));
    const isOf = ({ message, created }: Orphan) => isAsOld(one.record, message, created);
    // Many may be alike: where it is older than all of them, they are not gone through.
    if (!among || !isOf(among.oldest)) continue;
    const at = among.all.findIndex(
      (orphan) =>
        (one.consumer === UNNAMED || orphan.consumer === UNNAMED || one.consumer === orphan.consumer) && isOf(orphan),
    );
    const [orphan] = at < 0 ? [] : among.all.splice(at, 1);
    if (orphan) pairs.push([one, orphan]);
  }
  return pairs;
}

const isOlder = (a: Orphan, b: Orphan): boolean => compareTimes(a.message.time, b.message.time) < 0;

/** Which of the dead that are stored each of these records is of, by its place in the DLQ. */
export const placeOrphans = (bare: readonly Bare[], orphans: readonly Orphan[]): Map<string, Placing> =>
  new Map(
    pairAlike(bare, orphans).map(([one, { consumer, message }]) => [
      placeOf(one),
      { is: 'of', consumer, seq: message.seq },
    ]),
  );

/**
 * Up to where a work queue may store what such records carry; 0 where nothing of it can be. Up to what was delivered, as
 * long as something is dead or in flight; but a consumer that is younger than a record begins anew, and what was written
 * since the queue was looked at may be of what came since.
 */
export function lastAlike(standing: QueueStanding, bare: readonly Bare[]): number {
  const { retention, consumers, told } = standing;
  if (retention !== 'workqueue') return 0;
  const isYounger = ({ record }: Bare) =>
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
export function placeBare(bare: readonly Bare[], advised: readonly Advised[]): Map<string, Placing> {
  const placed = new Map<string, Placing>();
  const byKey = <T extends Pick<Death, 'record' | 'queue'> & { readonly print?: string }>(all: readonly T[]) =>
    new Map([...Map.groupBy(all, keyOf)].map(([key, some]) => [key, new ByTime(some)]));
  const put = (one: Bare, { consumer, seq }: Advised) => placed.set(placeOf(one), { is: 'of', consumer, seq });
  const alike = byKey(advised);
  for (const one of bare) {
    const nearest = alike.get(keyOf(one))?.take(timeOf(one), WINDOW, (by) => fits(one, by));
    if (nearest) put(one, nearest);
  }
  const left = bare.filter((one) => !placed.has(placeOf(one)));
  const others = byKey(left.map((one) => ({ ...one, print: '' })));
  for (const one of left) {
    const gone = keyOf({ queue: one.queue });
    const only = alike.get(gone)?.only(timeOf(one), SHORT_WINDOW, (by) => fits(one, by));
    const isIts = only && others.get(gone)?.only(timeOf(only), SHORT_WINDOW, (other) => fits(other, only));
    if (only && isIts) put(one, only);
  }
  return placed;
}
