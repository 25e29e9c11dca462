import { isKvKey } from '../facts/kv-key.ts';
import type { Intended, Mark } from '../ledger/journal.ts';
import { answerOf, orElse, orUndefined } from '../nats/answer.ts';
import { getMessage, getRange, IN_FLIGHT } from '../nats/messages.ts';
import { pipelined } from '../nats/pipeline.ts';
import { headerValue, parseHeaders } from '../nats/raw-headers.ts';
import { readStream } from '../nats/streams.ts';
import type { ReplayRun } from './run.ts';
import { firstCopy } from './settling.ts';

/**
 * Which of these message ids are stored: copies that an earlier run published. Gives their sequences. Reads everything
 * stored behind the marks, for the server's memory of ids ends with its window or a restart; all of a stream that was
 * made anew since.
 */
export async function findCopies(
  { nats }: ReplayRun,
  marks: readonly Mark[],
  msgIds: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const mark of marks) {
    const { stream } = mark;
    if (found.size === msgIds.size) break;
    const now = await orUndefined(readStream(nats, stream, { finish: true }));
    if (!now) continue;
    const from = firstCopy(mark, now.created);
    const read = async () => {
      for await (const message of getRange(nats, stream, from, { fromLeader: true })) {
        if (message.headers.byteLength === 0) continue;
        const id = headerValue(parseHeaders(message.headers), 'Nats-Msg-Id');
        if (id === undefined || !msgIds.has(id)) continue;
        found.set(id, message.seq);
        if (found.size === msgIds.size) break;
      }
    };
    await orUndefined(answerOf(read()));
  }
  return found;
}

/** Which of these originals are stored, by message id: the very message, not another under its sequence. */
export async function findOriginals({ nats }: ReplayRun, moves: readonly Intended[]): Promise<Set<string>> {
  const there = new Set<string>();
  await pipelined(moves, IN_FLIGHT, async ({ msgId, original }) => {
    if (!original) return;
    const stored = await getMessage(nats, original.stream, original.seq, { fromLeader: true });
    if (stored?.time === original.time) there.add(msgId);
  });
  return there;
}

/**
 * Which of these requests were answered after a moment: their copies were delivered, whatever else is forgotten.
 * Nobody answers a dead message, so that a newer response can only be the copy's.
 */
export async function findAnswered(
  { nats, responses }: ReplayRun,
  moves: readonly Intended[],
  since: string | undefined,
): Promise<Set<string>> {
  const answered = new Set<string>();
  if (responses === undefined || since === undefined) return answered;
  const kv = nats.kv(responses);
  await pipelined(moves, IN_FLIGHT, async ({ msgId, requestId }) => {
    if (requestId === undefined || !isKvKey(requestId)) return;
    // Who may replay need not be allowed to read responses; a bucket may be gone.
    const response = await orElse(answerOf(kv.get(requestId)), { denied: undefined, missing: undefined });
    if (response && Date.parse(response.created) > Date.parse(since)) answered.add(msgId);
  });
  return answered;
}
