import { atLeast } from '../facts/versions.ts';
import { isObject } from '../model/json.ts';
import { isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { deleteMessage, purgeUpTo } from '../nats/message-writes.ts';
import { IN_FLIGHT } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import type { RecordRef } from './protocol.ts';

/** From so many records in a row on, one purge is quicker than deleting each. */
const WORTH_A_PURGE = 16;
/** An older server may undo a purge that it confirmed when it is killed: a record that carries its message would come back. */
const KEEPS_PURGES = '2.12.0';

/**
 * How far a stream's front consists of nothing but these sequences: up to which one all may go, or 0 for none. What is
 * stored later has a higher sequence, so that nothing else can get in between.
 */
export function wholePrefix(firstSeq: number, seqs: readonly number[]): number {
  let at = seqs.indexOf(firstSeq);
  if (at < 0) return 0;
  while (at + 1 < seqs.length && seqs[at + 1] === seqs[at]! + 1) at += 1;
  return seqs[at]!;
}

/**
 * Removes messages of DLQ streams: the front of a stream as one purge, the others one by one. Those that are gone
 * already are as good as removed.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function removeRecords(nats: Nats, records: readonly RecordRef[]): Promise<void> {
  const streams = new Map<string, Set<number>>();
  for (const { stream, seq } of records) streams.set(stream, (streams.get(stream) ?? new Set()).add(seq));
  for (const [stream, set] of streams) {
    let seqs = [...set].sort((a, b) => a - b);
    while (seqs.length >= WORTH_A_PURGE && atLeast(nats.target.server.version, KEEPS_PURGES)) {
      const left = await purgeFront(nats, stream, seqs);
      if (left === undefined) break;
      seqs = left;
    }
    await pipelined(seqs, IN_FLIGHT, (seq) => deleteMessage(nats, stream, seq));
  }
}

/** Purges what of these is the stream's front; gives the rest, or `undefined` where a purge is of no use or refused. */
async function purgeFront(nats: Nats, stream: string, seqs: readonly number[]): Promise<number[] | undefined> {
  try {
    const { state } = await nats.api(`STREAM.INFO.${stream}`, undefined, { finish: true });
    const first = isObject(state) ? Number(state.first_seq) : 0;
    const known = seqs.filter((seq) => seq >= first);
    const last = wholePrefix(first, known);
    const count = known.filter((seq) => seq <= last).length;
    if (count < WORTH_A_PURGE) return undefined;
    await purgeUpTo(nats, stream, { seq: last + 1 });
    return known.slice(count);
  } catch (error) {
    if (isMissing(error)) return [];
    // Who may delete need not be allowed to purge (deny_purge, permissions): then one by one.
    const { code } = error as { code?: string };
    if (code === 'DENIED_SUBJECT' || code === 'SERVER_REFUSED') return undefined;
    throw error;
  }
}
