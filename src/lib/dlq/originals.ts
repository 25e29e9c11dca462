import type { StoredMessage } from '../model/message.ts';
import type { Nats } from '../nats/connect.ts';
import { getMessage, getRange } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import type { QueueStanding } from './standing.ts';

const AT_ONCE = 256;
/** A message read for nothing costs a fifth of one asked for alone: a range may hold so many others for each wanted. */
const WASTE = 4;
/** Ranges are parted where more than so many sequences in a row are not wanted. */
const GAP = 2000;

/**
 * The messages stored under these sequences. Where they lie close together they are read as ranges, else one by one.
 * Dead messages lie close: what was between them was acked and is not stored any more.
 */
export async function fetchOriginals(
  nats: Nats,
  standing: QueueStanding,
  seqs: readonly number[],
): Promise<Map<number, StoredMessage>> {
  const found = new Map<number, StoredMessage>();
  // Above the last sequence may be what came after the standing was read; a sequence that never was is not asked for.
  if (!standing.exists) return found;
  const sorted = [...new Set(seqs)].sort((a, b) => a - b);
  const singles: number[] = [];
  const span = Math.max(1, standing.lastSeq - standing.firstSeq + 1);
  const density = Math.min(1, standing.messages / span);
  for (const run of runsOf(sorted)) {
    const first = run[0]!;
    const last = run.at(-1)!;
    if (run.length < 3 || (last - first + 1) * density > run.length * WASTE) {
      singles.push(...run);
      continue;
    }
    const wanted = new Set(run);
    for await (const message of getRange(nats, standing.queue, first, { untilSeq: last })) {
      if (wanted.has(message.seq)) found.set(message.seq, message);
    }
  }
  const messages = await pipelined(singles, AT_ONCE, (seq) => getMessage(nats, standing.queue, seq));
  for (const message of messages) if (message) found.set(message.seq, message);
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
