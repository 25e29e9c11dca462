import { OpsError } from '../errors/ops-error.ts';
import type { Line } from '../files/lines.ts';
import type { BulkJson, SendFault } from '../model/request.ts';
import type { Nats } from '../nats/connect.ts';
import { openBulk } from '../nats/publish.ts';
import type { HeaderLine } from '../nats/raw-headers.ts';
import { withId } from './body.ts';
import { explainAnswer, explainRefusal, headerBlocks, type Outgoing, requireRoom } from './send.ts';

export interface BulkOptions {
  readonly subject: string;
  readonly headers: readonly HeaderLine[];
  readonly fresh: () => string;
  /** The input, for errors: a file's name, or `stdin`. */
  readonly source: string;
  /** Hears each id that is in the queue now. Its promise holds the reading up. */
  onId(id: string): Promise<void> | undefined;
  /** Gets each line that was not stored, its id put in where it could be. */
  onReject?(text: string): Promise<void> | undefined;
  /** Reads on to the end where the queue takes no more, to count what was not tried: of a file, which has an end. */
  readonly countsRest?: boolean;
  onProgress(done: number): void;
}

export interface BulkResult {
  readonly result: BulkJson;
  /** Why reading stopped, or else the first line's reason; absent where all are stored. */
  readonly error?: OpsError;
}

interface Item {
  readonly line: number;
  readonly id: string;
  readonly payload: Uint8Array;
}

const LISTED = 20;
const PROGRESS_EVERY = 1000;
/** What is wrong with one line only. After anything else the lines that follow would fail as well. */
const OF_ONE_LINE: readonly string[] = ['REQUEST_INVALID', 'REQUEST_TOO_LARGE'];

/** Publishes a request for each line, in order and many at once, until the end or until the queue takes no more. */
export async function sendBulk(
  nats: Nats,
  lines: AsyncIterable<readonly Line[]>,
  options: BulkOptions,
): Promise<BulkResult> {
  const { subject, headers, fresh, source } = options;
  const count = { sent: 0, duplicates: 0, failed: 0, lines: 0 };
  let untried = 0;
  const faults: SendFault[] = [];
  let stop: { error: unknown; item: Item } | undefined;
  let first: OpsError | undefined;
  let busy: Promise<void> | undefined;

  const note = (line: number, error: unknown, text: string, id?: string) => {
    count.failed += 1;
    const { code, message } = error instanceof OpsError ? error : { code: 'BUG', message: String(error) };
    if (error instanceof OpsError) first ??= error;
    if (faults.length < LISTED) faults.push({ line, id, code, message });
    busy = options.onReject?.(text) ?? busy;
  };
  const done = () => {
    const all = count.sent + count.duplicates;
    if (all % PROGRESS_EVERY === 0) options.onProgress(all);
  };
  const blockOf = headerBlocks(headers);
  const outgoing = ({ id, payload }: Item): Outgoing => ({ id, subject, payload, headers });
  const bulk = openBulk<Item>(nats, {
    onStored(item, duplicate) {
      if (duplicate) count.duplicates += 1;
      else count.sent += 1;
      busy = options.onId(item.id) ?? busy;
      done();
    },
    onFault(item, error) {
      const told = explainAnswer(error, { id: item.id, subject });
      if (!(told instanceof OpsError) || !OF_ONE_LINE.includes(told.code)) stop ??= { error, item };
      note(item.line, told, Buffer.from(item.payload).toString('utf8'), item.id);
    },
  });
  /** Publishes one line; gives a promise only where somebody has to wait. */
  const take = ({ number, text }: Line): Promise<void> | undefined => {
    count.lines = number;
    try {
      const { id, payload } = withId(text, { fresh, where: `${source}, line ${number}` });
      const item = { line: number, id, payload: Buffer.from(payload) };
      const block = blockOf(id);
      requireRoom(nats, subject, item.payload.byteLength + block.byteLength);
      return bulk.send(item, subject, item.payload, block);
    } catch (error) {
      if (!(error instanceof OpsError) || !OF_ONE_LINE.includes(error.code)) throw error;
      note(number, error, text.trim());
      return undefined;
    }
  };
  try {
    // Line after line without a pause between: the client then writes many messages at once.
    for await (const batch of lines) {
      if (nats.signal.aborted || (stop && !options.onReject && !options.countsRest)) break;
      for (const line of batch) {
        if (nats.signal.aborted) break;
        if (stop) {
          // The rest is kept where somebody asked for it.
          if (options.onReject) count.failed += 1;
          else untried += 1;
          busy = options.onReject?.(line.text.trim()) ?? busy;
        } else {
          const room = take(line);
          if (room) await room;
        }
        if (busy) {
          await busy;
          busy = undefined;
        }
      }
    }
    await bulk.drain();
  } finally {
    bulk.close();
  }
  const stopped = stop !== undefined || nats.signal.aborted;
  const result: BulkJson = {
    ...count,
    ...(untried > 0 && options.countsRest && { untried }),
    stopped,
    errors: [...faults].sort((a, b) => a.line - b.line),
  };
  const why = stop ? await explainRefusal(nats, stop.error, outgoing(stop.item)) : first;
  return { result, ...(why instanceof OpsError && { error: why }) };
}
