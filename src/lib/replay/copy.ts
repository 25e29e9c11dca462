import { asWrittenNow } from '../dlq/cause.ts';
import { replayCount } from '../dlq/entry.ts';
import { REPLAY_HEADER } from '../facts/names.ts';
import type { Entry } from '../model/entry.ts';
import type { Seen } from '../model/message.ts';
import { freedSize } from '../nats/keeps.ts';
import { type HeaderLine, headerValue, parseHeaderLines, printHeaders, toHeaderValue } from '../nats/raw-headers.ts';
import type { Edited } from './edit-text.ts';
import type { Move } from './protocol.ts';

const MSG_ID = 'Nats-Msg-Id';

//   What a stored header would do to a copy, and so why it stays behind:
//   Nats-Expected-*                      the copy is refused (10071): the expectation was met long ago
//   Nats-Rollup                          the copy removes the other messages of its subject, or of the stream
//   Nats-Schedule*, Nats-Scheduler       the copy becomes a schedule, or ends one
//   Nats-Incr, Nats-Counter-Sources      the copy counts a second time
//   Nats-Batch-*                         the copy waits for the rest of an atomic batch that nobody sends
//   Nats-Trace-*                         with Only, the copy is traced and not stored; with Dest, traced once more
//   Nats-Stream-Source, -Identity        the copy is refused (10227, from 2.15 on); before, a restarted server goes on
//                                        sourcing behind the message that it names, and fetches others twice
//   Nats-Marker-Reason, Nats-Required-Api-Level   the server's own
//   The server knows these names to the letter and no others.
const OBEYED =
  /^Nats-(?:Expected-.*|Rollup|Schedule.*|Incr|Counter-Sources|Batch-.*|Trace-.*|Stream-Source|Stream-Identity|Marker-Reason|Required-Api-Level)$/;
/** Whether a server would act on a stored header of this name, were it published again. */
export const isObeyed = (name: string): boolean => OBEYED.test(name);

/** How long a message lives: kept where the stream allows it (it begins anew), refused elsewhere (10166). */
const TTL = 'Nats-TTL';

const OURS: readonly string[] = [REPLAY_HEADER.of, REPLAY_HEADER.count, MSG_ID];
/** The message id of one replay of one message: the same in every run, whoever carries it out. */
export const replayMsgId = ({ stream, seq, time }: Pick<Seen, 'stream' | 'seq' | 'time'>, count: number): string =>
  `osapi-ops.replay.${stream}.${seq}.${time.replace(/[^0-9]/g, '')}.${count}`;

export interface CopyOptions {
  /** Whether the stream that gets the copy takes a time to live for a message. */
  readonly allowTtl: boolean;
  /** Another subject than the original's. */
  readonly to?: string;
  /** What a person made of it in the editor. */
  readonly edited?: Edited;
}

/** The headers of a copy: those of the original but for what would swallow, refuse or redirect it, and ours. */
export function copyHeaders(
  lines: readonly HeaderLine[],
  { of, msgId, count, allowTtl }: { of: string; msgId: string; count: number; allowTtl: boolean },
): HeaderLine[] {
  const kept = lines.filter(({ name }) => !isObeyed(name) && !OURS.includes(name) && (allowTtl || name !== TTL));
  const oldId = headerValue(lines, MSG_ID);
  const hasFirst = headerValue(lines, REPLAY_HEADER.originalMsgId) !== undefined;
  return [
    ...kept,
    // A message that is replayed again has an id of ours: the first one is the application's.
    ...(oldId !== undefined && !hasFirst ? [{ name: REPLAY_HEADER.originalMsgId, value: oldId }] : []),
    { name: MSG_ID, value: toHeaderValue(msgId) },
    { name: REPLAY_HEADER.of, value: toHeaderValue(of) },
    { name: REPLAY_HEADER.count, value: String(count) },
  ];
}

/** A message as far as its copy has what is its own: two of them differ where their copies do. */
export const asCopied = (
  { subject, headers, payload }: Edited,
  { to = subject, allowTtl }: Omit<CopyOptions, 'edited'>,
): Edited => ({ subject: to, headers: copyHeaders(headers, { of: '', msgId: '', count: 0, allowTtl }), payload });

/** Why something died, in the words of the server and of its worker: `terminated: no such query`. */
export const reasonText = (reason: string, detail: string | undefined): string =>
  detail === undefined ? reason : `${reason}: ${asWrittenNow(detail)}`;

/** What makes a move of an entry, beside the wishes of a person. */
export interface MoveFacts {
  /** Whether an original goes once its copy is in, as the queue's retention has it. */
  readonly removesOriginal: boolean;
  /** Whether it goes where its copy has its subject and its payload. */
  readonly movesSame: boolean;
  /** When each DLQ stream was made, RFC 3339. */
  readonly dlqsCreated: ReadonlyMap<string, string>;
}

/** The records of an entry as what goes with it. */
export const recordsSeen = ({ inner }: Entry, { dlqsCreated }: Pick<MoveFacts, 'dlqsCreated'>): Seen[] =>
  inner.records.map(({ stream, seq, stored }) => ({
    stream,
    created: dlqsCreated.get(stream) ?? '',
    seq,
    time: stored,
  }));

/** The move of an entry that has a message. */
export function makeMove(entry: Entry, facts: MoveFacts, options: CopyOptions): Move {
  const message = entry.inner.message!;
  const { original, streamCreated, untaken } = entry.inner;
  const records = recordsSeen(entry, facts);
  const before = parseHeaderLines(message.headers);
  const count = replayCount(before) + 1;
  // A message that only its record carries is named by the record.
  const msgId = replayMsgId(original ?? records[0] ?? message, count);
  const lines = copyHeaders(options.edited?.headers ?? before, {
    of: entry.id,
    msgId,
    count,
    allowTtl: options.allowTtl,
  });
  const subject = options.to ?? options.edited?.subject ?? message.subject;
  const isSame = subject === message.subject && !options.edited;
  return {
    id: entry.id,
    msgId,
    subject,
    kind: subject === message.subject ? 'stored' : 'named',
    headers: printHeaders(lines),
    payload: options.edited?.payload ?? message.payload,
    ...(original && { seq: original.seq }),
    ...(original &&
      (facts.removesOriginal || (facts.movesSame && isSame)) && {
        original: { stream: original.stream, created: streamCreated, seq: original.seq, time: original.time },
        frees: { subject: original.subject, bytes: freedSize(original) },
      }),
    ...(untaken && { untaken }),
    records,
    ...(entry.request_id !== null && { requestId: entry.request_id }),
    died: reasonText(entry.reason, entry.detail ?? undefined),
  };
}
