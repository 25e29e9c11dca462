import { OpsError } from '../errors/ops-error.ts';
import { consumerFilters, subjectsOverlap } from '../facts/subjects.ts';
import type { Config } from '../model/json.ts';
import { printSize } from '../model/units.ts';
import type { ConsumerInfo, StreamInfo } from './info.ts';

//   A server acks much that it does not keep: what drops older messages, and what no consumer is there for. A copy that
//   is to take the place of something else goes only where it costs nothing.

type Kept = Pick<StreamInfo, 'name' | 'config' | 'figures'>;

/** What is to be published into a stream, as a sum. */
export interface Coming {
  readonly messages: number;
  /** As stored. */
  readonly bytes: number;
  /** Messages on the fullest of its subjects once all is in. */
  readonly onSubject: number;
}

export interface NotKept {
  readonly code: 'NO_ROOM' | 'DLQ_NOT_TAKEN';
  readonly text: string;
  /** It stores nothing of it, and says so. */
  readonly isRefused?: true;
}

const limitOf = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : Number.POSITIVE_INFINITY);

/** The limits at which a stream drops its oldest messages instead of refusing the new one. */
export function droppingLimits(config: Config): { messages: number; bytes: number; perSubject: number } {
  const isNew = config.discard === 'new';
  return {
    messages: limitOf(isNew ? undefined : config.max_msgs),
    bytes: limitOf(isNew ? undefined : config.max_bytes),
    perSubject: limitOf(isNew && config.discard_new_per_subject === true ? undefined : config.max_msgs_per_subject),
  };
}

/** Whether a stream makes room by dropping its oldest messages: a publish may cost another message. */
export const dropsOldest = (config: Config): boolean => Object.values(droppingLimits(config)).some(Number.isFinite);

/** Why a stream would not keep what is published to it beside what it has; `undefined` where it keeps, or refuses, it. */
export function whyNotKept({ name, config, figures }: Kept, coming: Coming): NotKept | undefined {
  const never = (text: string): NotKept => ({ code: 'DLQ_NOT_TAKEN', text: `stream ${name} ${text}` });
  if (config.sealed === true) return never('is sealed: it stores nothing any more');
  if (config.no_ack === true) return never('confirms no publish (no_ack): nobody knows what it stores');
  if (config.retention === 'interest' && figures.consumer_count === 0)
    return never('keeps only what a consumer waits for (retention interest), and has no consumer');
  const { messages, bytes, perSubject } = droppingLimits(config);
  const full = (text: string): NotKept => ({
    code: 'NO_ROOM',
    text: `stream ${name} would drop its oldest messages: ${text}`,
  });
  if (figures.messages + coming.messages > messages)
    return full(`it holds ${figures.messages} of its max_msgs ${messages}, and at least ${coming.messages} would come`);
  if (figures.bytes + coming.bytes > bytes)
    return full(
      `it holds ${printSize(figures.bytes)} of its max_bytes ${printSize(bytes)}, and at least ${printSize(coming.bytes)} would come`,
    );
  if (coming.onSubject > perSubject)
    return full(`on one subject there would be ${coming.onSubject}, of its max_msgs_per_subject ${perSubject}`);
  return undefined;
}

/** What the server adds to a message in a file, and what `publishCopy` and `storeCopy` may add to its headers. */
const STORED_MORE = 34 + 'Nats-Expected-Stream: \r\n'.length + 21;
/** The least that a server adds, in memory. */
const STORED_LEAST = 16;

/** What a message takes in a stream, in bytes: never less than the server counts. */
const storedSize = (stream: string, { subject, headers, payload }: Published): number =>
  Buffer.byteLength(subject) + headers.byteLength + payload.byteLength + stream.length + STORED_MORE;

/** What a stored message leaves when it goes: never more than the server counts. */
export const freedSize = ({ subject, headers, payload }: Published): number =>
  Buffer.byteLength(subject) + headers.byteLength + payload.byteLength + STORED_LEAST;

interface Published {
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

/** A message that leaves the stream before another is published in its place. */
export interface Freed {
  readonly subject: string;
  /** As stored, at least. */
  readonly bytes: number;
}

/** The room in a stream, as messages are meant for it one after the other. */
export class Room {
  readonly #stream: Kept;
  readonly #subjects: Map<string, number>;
  readonly #isAwaited: (subject: string) => boolean;
  #messages = 0;
  #bytes = 0;
  #least = 0;

  /**
   * `subjects` has how many messages are stored on each, where the stream has a limit for them; `isAwaited` tells whether
   * somebody waits for a subject, where the stream keeps nothing else.
   */
  constructor(stream: Kept, subjects: ReadonlyMap<string, number>, isAwaited = (_subject: string): boolean => true) {
    this.#stream = stream;
    this.#subjects = new Map(subjects);
    this.#isAwaited = isAwaited;
  }

  /** Counts one more in, and out what goes for it; or tells why the stream would not keep it: then nothing is counted. */
  take(message: Published, freed?: Freed): NotKept | undefined {
    const messages = this.#messages + (freed ? 0 : 1);
    const bytes = this.#bytes + storedSize(this.#stream.name, message) - (freed?.bytes ?? 0);
    const leaves = freed?.subject === message.subject ? 1 : 0;
    const onSubject = (this.#subjects.get(message.subject) ?? 0) + 1 - leaves;
    const why = whyNotKept(this.#stream, { messages, bytes, onSubject }) ?? this.#whyUnawaited(message.subject);
    if (why) return why;
    [this.#messages, this.#bytes] = [messages, bytes];
    this.#least += freedSize(message) - (freed?.bytes ?? 0);
    this.#subjects.set(message.subject, onSubject);
    return undefined;
  }

  /** Why a stream that refuses what it has no room for would refuse some of what was counted in, for certain. */
  whyFull(): NotKept | undefined {
    const { name, config, figures } = this.#stream;
    const [messages, bytes] = [limitOf(config.max_msgs), limitOf(config.max_bytes)];
    if (config.discard !== 'new') return undefined;
    const full = (text: string): NotKept => ({
      code: 'NO_ROOM',
      text: `stream ${name} would refuse some: ${text}`,
      isRefused: true,
    });
    if (figures.messages + this.#messages > messages)
      return full(`it holds ${figures.messages} of its max_msgs ${messages}, and ${this.#messages} would come`);
    if (figures.bytes + this.#least > bytes)
      return full(
        `it holds ${printSize(figures.bytes)} of its max_bytes ${printSize(bytes)}, and at least ${printSize(this.#least)} would come`,
      );
    return undefined;
  }

  #whyUnawaited(subject: string): NotKept | undefined {
    if (this.#isAwaited(subject)) return undefined;
    const text = `stream ${this.#stream.name} keeps only what a consumer waits for (retention interest), and none of its waits for ${subject}`;
    return { code: 'DLQ_NOT_TAKEN', text };
  }
}

/** Whether a consumer of a stream would be given what comes on a subject. */
export const waitsFor = (subject: string, { config }: ConsumerInfo): boolean => {
  const filters = consumerFilters(config);
  return filters.length === 0 || filters.some((filter) => subjectsOverlap(filter, subject));
};

export const notKept = ({ code, text, isRefused }: NotKept): OpsError =>
  new OpsError(code, text, {
    why: `${isRefused ? 'It is full, and refuses what comes (discard new).' : 'What a stream drops is lost, whatever it answers.'} Of these nothing was published or removed.`,
    hints: [
      code === 'NO_ROOM'
        ? 'make room in it, or raise its limit, then run this again'
        : 'choose a stream that keeps what is published to it, or change its configuration',
    ],
  });
