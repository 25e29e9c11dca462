import type { StoredMessage } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import { getMessage, getRange, IN_FLIGHT } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import type { QueueStanding } from './standing.ts';

/** A message read for nothing costs a fifth of one asked for alone: a range may hold so many others for each wanted. */
const WASTE = 4;
/** Ranges are parted where more than so many sequences in a row are not wanted. */
const GAP = 2000;
/** Stored messages of one range that are asked for at once. */
const PART = 1024;

type Stand = Pick<QueueStanding, 'queue' | 'exists' | 'firstSeq' | 'lastSeq' | 'messages'>;

const densityOf = ({ firstSeq, lastSeq, messages }: Stand): number =>
  Math.min(1, messages / Math.max(1, lastSeq - firstSeq + 1));

/** Whether a range of so many sequences holds too many others to be read for what is wanted of it. */
const isThin = (wanted: number, span: number, density: number): boolean =>
  wanted < 3 || span * density > wanted * WASTE;

/** Together with others that lie between, they are read until a range holds hardly more than is wanted. */
const HARDLY_MORE = 1.2;

/** Whether these lie so far apart that they had better be read together with those that lie between. */
export function areScattered(standing: Stand, seqs: readonly number[]): boolean {
  const first = seqs.reduce((least, seq) => Math.min(least, seq), Number.POSITIVE_INFINITY);
  const last = seqs.reduce((most, seq) => Math.max(most, seq), 0);
  return seqs.length > 1 && (last - first + 1) * densityOf(standing) > seqs.length * HARDLY_MORE;
}

/**
 * The messages stored under these sequences. Where they lie close together they are read as ranges, else one by one;
 * all of it at once. Dead messages lie close: what was between them was acked and is not stored any more.
 */
export async function fetchOriginals(
  nats: Nats,
  standing: Stand,
  seqs: readonly number[],
): Promise<Map<number, StoredMessage>> {
  const found = new Map<number, StoredMessage>();
  // Above the last sequence may be what came after the standing was read; a sequence that never was is not asked for.
  if (!standing.exists) return found;
  const wanted = new Set(seqs);
  const density = densityOf(standing);
  const width = Math.max(PART, Math.floor(PART / density));
  const parts: [first: number, last: number][] = [];
  for (const run of runsOf([...wanted].sort((a, b) => a - b))) {
    const last = run.at(-1)!;
    if (isThin(run.length, last - run[0]! + 1, density)) parts.push(...run.map((seq): [number, number] => [seq, seq]));
    else
      for (let first = run[0]!; first <= last; first += width) parts.push([first, Math.min(last, first + width - 1)]);
  }
  await pipelined(parts, IN_FLIGHT, async ([first, last]) => {
    if (first === last) {
      const message = await getMessage(nats, standing.queue, first);
      if (message) found.set(first, message);
      return;
    }
    for await (const message of getRange(nats, standing.queue, first, { untilSeq: last })) {
      if (wanted.has(message.seq)) found.set(message.seq, message);
    }
  });
  return found;
}

function runsOf(sorted: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const seq of sorted) {
    const run = runs.at(-1);
    if (run && seq - run.at(-1)! <= GAP) run.push(seq);
    else runs.push([seq]);
  }
  return runs;
}
