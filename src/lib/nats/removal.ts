import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { atLeast } from '../facts/versions.ts';
import type { Seen } from '../model/message.ts';
import { orUndefined } from './answer.ts';
import { isApiError, isMissing } from './api-error.ts';
import { askRemoval } from './exchange.ts';
import { getMessage, getRange, IN_FLIGHT } from './messages.ts';
import { pipelined } from './pipeline.ts';
import type { Nats } from './port.ts';
import { readStream } from './streams.ts';

//   Everything that removes a message goes through here, and nothing here removes by a bare sequence. The server does:
//   MSG.DELETE and PURGE know a number and nothing else. So what is meant is looked at right before: when the stream was
//   made, and the time of what is stored under each sequence. Many removals share a look, so that it costs a fraction of
//   a request each. Between the look and the removal lies one round trip that nothing guards; whether the stream was made
//   anew in it is asked afterwards, and told (`confirmRemovals`).

/** A message that is to go. Where its time is not known, for we published it ourselves, its subject stands for it. */
export type Removable = Seen & { readonly subject?: string };

/** `another`: the sequence belongs to another message. `anew`: the stream is another one of the same name. */
export type Removal = 'removed' | 'gone' | 'another' | 'anew';

/** The most removals that share a look. */
const GROUP = 256;
/** While a look is under way, so many more must wait before they get one of their own; and so many may be under way. */
const WORTH_A_LOOK = 32;
const LOOKS = 4;
/**
 * A look that is older, in milliseconds, when the removal begins, is taken once more; but where the server is so far that
 * one takes half of that or more, only from twice as long on. However long one took, it may be a process that was stopped
 * which waited, and not the server that was far: so there is an end to that.
 */
const FRESH_MS = 250;
export const OLDEST_MS = 1000;
/** From so many in a row on, one purge is quicker than deleting each. */
const WORTH_A_PURGE = 16;
/** An older server may undo a purge that it confirmed when it is killed: a record that carries its message would come back. */
const KEEPS_PURGES = '2.12.0';
/** A range is read where it holds at most so many sequences for each that is wanted. */
const WASTE = 2;

interface Waiting {
  readonly seq: number;
  readonly done: (look: Look) => void;
  readonly fail: (error: unknown) => void;
}

/** What is stored under some sequences, and since when the stream is the one it is. */
export interface Look {
  /** Undefined where there is no such stream. */
  readonly created: string | undefined;
  readonly firstSeq: number;
  readonly stored: ReadonlyMap<number, { readonly time: string; readonly subject: string }>;
  /** Up to here, `stored` has everything from the first wanted sequence on. */
  readonly wholeUntil: number;
  /** When it began, by the process's own clock, and how long it took, in milliseconds. */
  readonly at: number;
  readonly took: number;
}

/** Whether a removal may begin by it. `now`: by the process's own clock, in milliseconds. */
export const isFresh = ({ at, took }: Pick<Look, 'at' | 'took'>, now: number): boolean =>
  now - at <= Math.max(FRESH_MS, Math.min(2 * took, OLDEST_MS));

class Remover {
  readonly #nats: Nats;
  readonly #stream: string;
  #waiting: Waiting[] = [];
  #looks = 0;
  #isPlanned = false;
  /** What was removed since the stream was last seen to be the same, by when it was made. */
  #unconfirmed = new Map<string, number[]>();
  readonly #doubtful: number[] = [];

  constructor(nats: Nats, stream: string) {
    this.#nats = nats;
    this.#stream = stream;
  }

  /** A look that others share. */
  lookFor(seq: number): Promise<Look> {
    return new Promise((done, fail) => {
      this.#waiting.push({ seq, done, fail });
      // What comes in the same moment goes together.
      if (!this.#isPlanned) setImmediate(() => this.#pump());
      this.#isPlanned = true;
    });
  }

  #pump(): void {
    this.#isPlanned = false;
    // Those that lie close together share a look: they are read as one range.
    this.#waiting.sort((a, b) => a.seq - b.seq);
    while (this.#waiting.length > 0 && this.#looks < LOOKS) {
      if (this.#looks > 0 && this.#waiting.length < WORTH_A_LOOK) return;
      void this.#lookForGroup(this.#waiting.splice(0, GROUP));
    }
  }

  async #lookForGroup(group: readonly Waiting[]): Promise<void> {
    this.#looks += 1;
    try {
      const look = await this.look(group.map(({ seq }) => seq));
      for (const { done } of group) done(look);
    } catch (error) {
      for (const { fail } of group) fail(error);
    } finally {
      this.#looks -= 1;
      this.#pump();
    }
  }

  async remove(seen: Removable, early?: Promise<Look>, onSent?: () => void): Promise<Removal> {
    let look = await (early ?? this.lookFor(seen.seq));
    if (!isFresh(look, performance.now())) look = await this.lookFor(seen.seq);
    const removal = judge(seen, look);
    if (removal !== undefined) return removal;
    const isStill = async () => {
      // The first may have been carried out all the same.
      this.noteRemoved(look, [seen.seq]);
      look = await this.lookFor(seen.seq);
      return judge(seen, look) === undefined;
    };
    try {
      const deleting = deleteSequence(this.#nats, this.#stream, seen.seq, isStill);
      onSent?.();
      const isRemoved = await deleting;
      if (isRemoved) this.noteRemoved(look, [seen.seq]);
      return isRemoved ? 'removed' : (judge(seen, look) ?? 'gone');
    } catch (error) {
      if (isMissing(error)) return 'gone';
      // It may have been carried out all the same.
      this.noteRemoved(look, [seen.seq]);
      throw error;
    }
  }

  noteRemoved({ created = '' }: Pick<Look, 'created'>, seqs: readonly number[]): void {
    const noted = this.#unconfirmed.get(created) ?? [];
    this.#unconfirmed.set(created, noted);
    noted.push(...seqs);
  }

  /** Looks at the stream and at what is stored under these sequences. */
  async look(wanted: readonly number[]): Promise<Look> {
    const at = performance.now();
    const [info, read] = await Promise.all([this.#info(), readBack(this.#nats, this.#stream, wanted)]);
    return { ...info, ...read, at, took: performance.now() - at };
  }

  /** What the stream says of itself; with it, whether what was removed before was removed from it. */
  async #info(): Promise<Pick<Look, 'created' | 'firstSeq'>> {
    const removed = this.#unconfirmed;
    this.#unconfirmed = new Map();
    try {
      const info = await orUndefined(readStream(this.#nats, this.#stream, { finish: true }));
      if (!info) return { created: undefined, firstSeq: 0 };
      for (const [then, seqs] of removed) if (then !== info.created) this.#doubtful.push(...seqs);
      return { created: info.created, firstSeq: info.figures.first_seq };
    } catch (error) {
      for (const [then, seqs] of removed) this.noteRemoved({ created: then }, seqs);
      throw error;
    }
  }

  /** @throws OpsError DLQ_MADE_ANEW where messages of another stream may have gone */
  async confirm(): Promise<void> {
    if (this.#unconfirmed.size > 0) await this.#info();
    this.#tell();
  }

  /** The same, by when the stream was made, as somebody saw it after the removals. */
  confirmBy(created: string): void {
    for (const [then, seqs] of this.#unconfirmed) if (then !== created) this.#doubtful.push(...seqs);
    this.#unconfirmed = new Map();
    this.#tell();
  }

  #tell(): void {
    if (this.#doubtful.length > 0) throw removedFromAnew(this.#stream, this.#doubtful.splice(0));
  }
}

/** Why a message must not be removed, or that it need not be; `undefined` where it is the one that was seen. */
function judge(seen: Removable, { created, stored }: Look): Removal | undefined {
  if (created === undefined) return 'gone';
  if (seen.created !== '' && seen.created !== created) return 'anew';
  const message = stored.get(seen.seq);
  if (!message) return 'gone';
  const isIt = seen.time === '' ? message.subject === seen.subject : message.time === seen.time;
  return isIt ? undefined : 'another';
}

/** What is stored under these sequences; where they lie close together, with what lies between. */
async function readBack(
  nats: Nats,
  stream: string,
  wanted: readonly number[],
): Promise<Pick<Look, 'stored' | 'wholeUntil'>> {
  const stored = new Map<number, { time: string; subject: string }>();
  const seqs = [...new Set(wanted)].sort((a, b) => a - b);
  const [first = 0, last = 0] = [seqs[0], seqs.at(-1)];
  let wholeUntil = 0;
  try {
    const isDense = seqs.length > 1 && last - first < WASTE * seqs.length;
    if (isDense) {
      for await (const { seq, time, subject } of getRange(nats, stream, first, { untilSeq: last })) {
        stored.set(seq, { time, subject });
        wholeUntil = seq;
      }
    }
    // A replica may be a little behind: its leader knows.
    const isShared = nats.target.server.cluster !== undefined;
    await pipelined(isDense && !isShared ? [] : seqs, IN_FLIGHT, async (seq) => {
      if (stored.has(seq)) return;
      const message =
        (isDense ? undefined : await getMessage(nats, stream, seq)) ??
        (isShared ? await getMessage(nats, stream, seq, { fromLeader: true }) : undefined);
      if (message) stored.set(seq, { time: message.time, subject: message.subject });
    });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return { stored, wholeUntil };
}

const removers = new WeakMap<Nats, Map<string, Remover>>();

function removerOf(nats: Nats, stream: string): Remover {
  const known = removers.get(nats) ?? new Map<string, Remover>();
  removers.set(nats, known);
  const remover = known.get(stream) ?? new Remover(nats, stream);
  known.set(stream, remover);
  return remover;
}

/**
 * Begins to look at a message that is to go once something else is done, so that this takes no time of its own. Between
 * the look and the removal lies one round trip then, as otherwise. Its failure is that of the removal.
 */
export function lookAhead(nats: Nats, { stream, seq }: Removable): Promise<Look> {
  const look = removerOf(nats, stream).lookFor(seq);
  look.catch(() => {});
  return look;
}

/** What was looked at ahead, by stream. */
export type Looks = ReadonlyMap<string, Promise<Look>>;

/** The same for many that go together, see `removeMessages`. */
export function looksAhead(nats: Nats, all: readonly Removable[]): Looks {
  const looks = new Map<string, Promise<Look>>();
  for (const [stream, seen] of Map.groupBy(all, (one) => one.stream)) {
    const look = removerOf(nats, stream).look(seen.map(({ seq }) => seq));
    look.catch(() => {});
    looks.set(stream, look);
  }
  return looks;
}

/**
 * Removes one message, if it is the one that was seen. Many at once share what it takes to know that. `onSent` is called
 * when the removal is on its way, for what is to be asked right behind it.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export const removeMessage = (
  nats: Nats,
  seen: Removable,
  early?: Promise<Look>,
  onSent?: () => void,
): Promise<Removal> => removerOf(nats, seen.stream).remove(seen, early, onSent);

/**
 * Removes many: the front of a stream as one purge, where all that is stored there is among them, the others one by one.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function removeMessages(nats: Nats, all: readonly Removable[], looks?: Looks): Promise<Removal[]> {
  const removals = new Map<string, Removal>();
  const keyOf = ({ stream, seq, time }: Removable) => `${stream} ${seq} ${time}`;
  for (const [stream, seen] of Map.groupBy(all, (one) => one.stream)) {
    const look = looks?.get(stream);
    const purged = new Set(await purgeFront(nats, stream, seen, look));
    for (const one of purged) removals.set(keyOf(one), 'removed');
    const rest = seen.filter((one) => !purged.has(one));
    await Promise.all(rest.map(async (one) => void removals.set(keyOf(one), await removeMessage(nats, one, look))));
  }
  return all.map((one) => removals.get(keyOf(one)) ?? 'gone');
}

/** Purges what of these is the stream's front; gives which they were: none where a purge is of no use, or refused. */
async function purgeFront(
  nats: Nats,
  stream: string,
  seen: readonly Removable[],
  early?: Promise<Look>,
): Promise<Removable[]> {
  if (seen.length < WORTH_A_PURGE || !atLeast(nats.target.server.version, KEEPS_PURGES)) return [];
  const remover = removerOf(nats, stream);
  const known = await early;
  const look = known && isFresh(known, performance.now()) ? known : await remover.look(seen.map(({ seq }) => seq));
  const ours = new Map(seen.filter((one) => judge(one, look) === undefined).map((one) => [one.seq, one]));
  const last = frontOf(
    look.firstSeq,
    [...look.stored.keys()].filter((seq) => seq <= look.wholeUntil),
    ours,
  );
  const front = [...ours.values()].filter(({ seq }) => seq <= last);
  if (front.length < WORTH_A_PURGE) return [];
  const note = () =>
    remover.noteRemoved(
      look,
      front.map(({ seq }) => seq),
    );
  try {
    await purge(nats, stream, { seq: last + 1 });
  } catch (error) {
    // Who may delete need not be allowed to purge (deny_purge, permissions): then one by one.
    const { code } = error as { code?: string };
    if (code === 'DENIED_SUBJECT' || code === 'SERVER_REFUSED' || isMissing(error)) return [];
    // What is left goes one by one, and is looked at again before.
    note();
    if (isInDoubt(error)) return [];
    throw error;
  }
  note();
  return front;
}

/** Once: a second try would be of a look that is long ago by then. */
const purge = (nats: Nats, stream: string, body: object): Promise<unknown> =>
  nats.api(`STREAM.PURGE.${stream}`, body, { finish: true });

/** It may have been carried out all the same. */
const isInDoubt = (error: unknown): boolean => String((error as { code?: unknown }).code).startsWith('CONN_');

/**
 * Up to which sequence a stream's front is nothing but ours; 0 for none of it. `stored` is all there is from the first
 * of ours on: what is stored later has a higher sequence, so that nothing else can get in between.
 */
export function frontOf(firstSeq: number, stored: readonly number[], ours: { has(seq: number): boolean }): number {
  let last = 0;
  for (const seq of [...stored].sort((a, b) => a - b)) {
    if (last === 0 && seq !== firstSeq) return 0;
    if (!ours.has(seq)) return last;
    last = seq;
  }
  return last;
}

/**
 * Asks whether the streams are still those that messages were removed from, since that was last known.
 * @throws OpsError DLQ_MADE_ANEW, CONN_*, DENIED_SUBJECT
 */
export async function confirmRemovals(nats: Nats): Promise<void> {
  const all = await Promise.allSettled([...(removers.get(nats)?.values() ?? [])].map((remover) => remover.confirm()));
  for (const one of all) if (one.status === 'rejected') throw one.reason;
}

/** The same of one stream, for who saw after the removals when it was made. @throws OpsError DLQ_MADE_ANEW */
export const confirmAsSeen = (nats: Nats, stream: string, created: string): void =>
  removers.get(nats)?.get(stream)?.confirmBy(created);

/** A stream that is not the one that was looked at. */
export const madeAnew = (stream: string): OpsError =>
  new OpsError('DLQ_MADE_ANEW', `stream ${stream} was made anew while this ran`, {
    where: `stream ${stream}`,
    why: 'What was to be removed went with the stream before. Nothing of the new one was removed.',
    hints: ['run this again: it looks at the stream as it is now'],
  });

const MOST_TOLD = 20;

function removedFromAnew(stream: string, seqs: readonly number[]): OpsError {
  const sorted = [...seqs].sort((a, b) => a - b);
  const told = sorted.slice(0, MOST_TOLD).join(', ') + (sorted.length > MOST_TOLD ? ', …' : '');
  return new OpsError(
    'DLQ_MADE_ANEW',
    `stream ${stream} was made anew while messages were removed from it: of the new one up to ${seqs.length} may be gone`,
    {
      where: `stream ${stream}, sequences ${told}`,
      why: 'It was deleted and made between the look at a message and its removal, which the server knows by number only.',
      hints: [
        'look at these sequences of the stream: what came since it was made anew and is missing has to be sent again',
      ],
    },
  );
}

/** The texts with which 10057 says that there is nothing to delete; with others it refuses (deny_delete). */
const NOTHING_THERE = /no message found|stream store EOF/;

/** `isStill`: see `askRemoval`. */
async function deleteSequence(
  nats: Nats,
  stream: string,
  seq: number,
  isStill: () => Promise<boolean>,
): Promise<boolean> {
  // The payload is not overwritten with random bytes first, which would cost a write for each.
  const body = { seq, no_erase: true };
  try {
    return (await askRemoval(nats, `STREAM.MSG.DELETE.${stream}`, body, isStill))?.success === true;
  } catch (error) {
    if (isApiError(error, ERR.noMessage, ERR.sequenceNotFound)) return false;
    if (isApiError(error, ERR.deleteFailed) && NOTHING_THERE.test(error.description)) return false;
    throw error;
  }
}

/** No message has this sequence. (One beyond the end would do as well, but a cluster of 2.10 resets the stream over it.) */
const NOWHERE = 0;

/** Deletes a message that is not there: shows whether we might, and that its leader knows all that was confirmed. */
export const removeNothing = (nats: Nats, stream: string): Promise<boolean> =>
  deleteSequence(nats, stream, NOWHERE, async () => true);

/** A stream that nobody but us writes to or reads from: a copy, on its way to be a stream of its own. */
export interface OwnCopy {
  readonly stream: string;
  /** RFC 3339: it, and none of the same name that was made since. */
  readonly created: string;
}

/**
 * Removes from a copy what has these sequences: all up to `last`, which is stored (0 for none), but for itself as one purge, it
 * and the others one by one. A mirror with holes that one purge empties has all of it again with the next purge of a
 * subject (2.14.6, 2.15.1). Sequences name messages here, for nobody else writes to it: asked before each try, and after, is
 * whether it still is that copy.
 * @throws OpsError DLQ_MADE_ANEW, ApiError, CONN_*, DENIED_SUBJECT
 */
export async function removeFromCopy(
  nats: Nats,
  { stream, created }: OwnCopy,
  last: number,
  seqs: Iterable<number>,
): Promise<void> {
  const assertSame = async () => {
    const info = await orUndefined(readStream(nats, stream, { finish: true }));
    if (info?.created !== created) throw madeAnew(stream);
    return info.figures;
  };
  const hasFront = async () => {
    const { first_seq, messages } = await assertSame();
    return first_seq < last && messages > 0;
  };
  const isSame = async () => (await assertSame()) !== undefined;
  if (await hasFront()) await askRemoval(nats, `STREAM.PURGE.${stream}`, { seq: last }, hasFront);
  await pipelined([...(last > 0 ? [last] : []), ...seqs], IN_FLIGHT, (seq) =>
    deleteSequence(nats, stream, seq, isSame),
  );
  await assertSame();
}

export interface Keyed {
  /** The subject, or a pattern of subjects: what goes is named by them. */
  readonly subject: string;
  /** The newest so many stay. */
  readonly keep?: number;
  /** Up to this sequence; all of the subject where left out. */
  readonly upTo?: number;
}

/** Removes what lies under a subject that names it. A stream that is not there has none. @throws as `removeMessage` */
export async function removeKeyed(nats: Nats, stream: string, keyed: Keyed): Promise<void> {
  const { subject, keep, upTo } = keyed;
  const began = performance.now();
  const body = { filter: subject, ...(keep !== undefined && { keep }), ...(upTo !== undefined && { seq: upTo + 1 }) };
  try {
    await purge(nats, stream, body);
  } catch (error) {
    if (isMissing(error)) return;
    if (!isInDoubt(error)) throw error;
    await removeLeft(nats, stream, keyed, began);
  }
}

/**
 * Removes one by one what a purge that got no answer left of what was there when it was sent, at that time by this
 * process's clock: what was stored since is somebody else's, and so is all that is in a stream that was made since.
 */
async function removeLeft(nats: Nats, stream: string, { subject, keep, upTo }: Keyed, sent: number): Promise<void> {
  const info = await orUndefined(readStream(nats, stream, { finish: true }));
  if (!info) return;
  // Both by the server's clock.
  const since = info.now - (performance.now() - sent);
  const wasThere = (time: string) => Date.parse(time) < since;
  if (!wasThere(info.created)) return;
  const stored: Seen[] = [];
  for await (const { seq, time } of getRange(nats, stream, 1, { subject, fromLeader: true }))
    stored.push({ stream, created: info.created, seq, time });
  const old = stored.slice(0, stored.length - (keep ?? 0));
  await removeMessages(
    nats,
    old.filter(({ seq, time }) => wasThere(time) && seq <= (upTo ?? seq)),
  );
}

/** Whether an error says that a stream lets no single message be deleted. */
export const deniesDeletes = (error: unknown): boolean => isApiError(error, ERR.deleteFailed);
