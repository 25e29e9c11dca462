import type { StreamFigures } from '../model/resource.ts';
import { aboutMs } from '../model/units.ts';
import type { Trend } from '../model/verdict.ts';

import type { ConsumerState, Flow, QueueState } from './snapshot.ts';

/** A queue at one look, as far as its movement is told by it. */
export interface Sample {
  /** Milliseconds of the process's own clock. */
  readonly at: number;
  /** The highest sequence: it never falls but in a stream that was made anew. */
  readonly lastSeq: number;
  readonly messages: number;
  readonly bytes: number;
  /** Undelivered, for some consumer. */
  readonly waiting: number;
  /** What its consumers have delivered, in sequences. */
  readonly delivered: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

export const toSample = (
  figures: Pick<StreamFigures, 'last_seq' | 'messages' | 'bytes'>,
  consumers: readonly Pick<ConsumerState, 'pending' | 'delivered'>[],
  at: number,
): Sample => ({
  at,
  lastSeq: figures.last_seq,
  messages: figures.messages,
  bytes: figures.bytes,
  waiting: sum(consumers.map(({ pending }) => pending)),
  delivered: sum(consumers.map(({ delivered }) => delivered)),
});

export const sampleOf = ({ stream, consumers }: QueueState, at: number): Sample | undefined =>
  stream && toSample(stream.figures, consumers, at);

/** Two looks that are closer tell nothing, in seconds. */
const CLOSEST = 0.5;

/** How a queue went between two looks; `undefined` where they are too close, or are not of the same stream. */
export function flowBetween(before: Sample, after: Sample): Flow | undefined {
  const seconds = (after.at - before.at) / 1000;
  if (seconds < CLOSEST || after.lastSeq < before.lastSeq || after.delivered < before.delivered) return undefined;
  const perSecond = (key: 'messages' | 'bytes' | 'waiting' | 'delivered') => (after[key] - before[key]) / seconds;
  return {
    seconds,
    messages: perSecond('messages'),
    bytes: perSecond('bytes'),
    waiting: perSecond('waiting'),
    delivered: perSecond('delivered'),
  };
}

/** Fewer messages than these between two looks are chance. */
const LEAST = 10;
/** What lies further ahead nobody can know, in seconds: 30 days. */
const FURTHEST = 30 * 86_400;
/** Shorter pauses are no standstill, in milliseconds. */
const STILL_MS = 30_000;

const rateWords = (perSecond: number): string =>
  `${perSecond >= 10 ? Math.round(perSecond) : Math.round(perSecond * 10) / 10}/s`;

/**
 * Where a queue is going, in a sentence; `undefined` where it goes nowhere, or where nobody can know. Pure.
 *
 *   stalled   somebody's messages wait, and nothing was delivered or acked for a while: one look tells
 *   grows     more comes than goes; when it is full, where it has a limit
 *   clears    workers take more than comes; when nothing waits any more
 */
export function trendOf(queue: QueueState, now: number): Trend | undefined {
  return stalled(queue, now) ?? (queue.flow && (grows(queue, queue.flow) ?? clears(queue, queue.flow)));
}

function stillFor(consumer: ConsumerState, now: number): number {
  const { lastMoved, oldestWaitingMs, ackPending, waits } = consumer;
  const idle = lastMoved === undefined ? oldestWaitingMs : now - Date.parse(lastMoved);
  if (idle === undefined) return 0;
  // A worker may be busy for as long as it is waited for.
  const isBusy = ackPending > 0 && idle < Math.max(0, ...waits) / 1e6;
  // What came a moment ago may meet a worker that polls.
  return isBusy ? 0 : Math.min(idle, oldestWaitingMs ?? idle);
}

function stalled({ consumers, flow }: QueueState, now: number): Trend | undefined {
  const waiting = consumers.filter(({ pending, paused }) => pending > 0 && !paused);
  if (waiting.length === 0 || (flow?.delivered ?? 0) > 0) return undefined;
  const still = Math.min(...waiting.map((consumer) => stillFor(consumer, now)));
  if (still < STILL_MS) return undefined;
  return {
    state: 'stalled',
    seconds: Math.round(still / 1000),
    summary: `stalled: nothing moved for ${aboutMs(still)}`,
  };
}

function grows({ stream }: QueueState, flow: Flow): Trend | undefined {
  if (!stream || flow.messages * flow.seconds < LEAST) return undefined;
  const { config, figures } = stream;
  const rate = `grows ${rateWords(flow.messages)}`;
  const left = [
    { room: Number(config.max_msgs ?? -1) - figures.messages, limit: Number(config.max_msgs ?? -1), by: flow.messages },
    { room: Number(config.max_bytes ?? -1) - figures.bytes, limit: Number(config.max_bytes ?? -1), by: flow.bytes },
  ].filter(({ limit, by }) => limit > 0 && by > 0);
  const seconds = Math.min(...left.map(({ room, by }) => Math.max(0, room) / by));
  const base = { state: 'grows', per_second: flow.messages } as const;
  if (!(seconds <= FURTHEST)) return { ...base, summary: rate };
  const end = config.discard === 'new' ? 'publishers are refused' : 'the oldest are dropped, unprocessed';
  return {
    ...base,
    seconds: Math.round(seconds),
    summary: `${rate}: full in ${aboutMs(seconds * 1000)}, then ${end}`,
  };
}

function clears({ consumers }: QueueState, flow: Flow): Trend | undefined {
  const waiting = sum(consumers.map(({ pending }) => pending));
  // Without deliveries it was purged, or expired.
  if (waiting === 0 || -flow.waiting * flow.seconds < LEAST || flow.delivered <= 0) return undefined;
  const seconds = waiting / -flow.waiting;
  if (seconds > FURTHEST) return undefined;
  return {
    state: 'clears',
    per_second: flow.waiting,
    seconds: Math.round(seconds),
    summary: `clears in about ${aboutMs(seconds * 1000)}`,
  };
}
