import type { StoredMessage } from '../model/message.ts';
import { isNoRespondersError } from './errors.ts';
import { failure } from './exchange.ts';
import { answersDirect } from './learn-ways.ts';
import type { Nats } from './port.ts';
import { isOfBatch, parseStored, replyStatus } from './stored.ts';
import { waysOf } from './ways.ts';
import { wireOf } from './wire.ts';

/** What a batch direct get answers. */
interface Batch {
  readonly messages: StoredMessage[];
  /** What ended it: 204 the end of a batch, 404 of one without any; others (408, 413) are a refusal. */
  readonly status: number;
  readonly isRefused: boolean;
}

/**
 * Asks for a batch by direct get; `undefined` where the stream answers none, or its server knows no batches, which is
 * remembered.
 */
export async function askBatch(
  nats: Nats,
  stream: string,
  wanted: { readonly batch: number; readonly [field: string]: unknown },
): Promise<Batch | undefined> {
  const { apiPrefix, timeoutMs } = nats.settings;
  const messages: StoredMessage[] = [];
  let isBatch = true;
  let status = 0;
  try {
    await wireOf(nats).askMany(`${apiPrefix}.DIRECT.GET.${stream}`, JSON.stringify(wanted), timeoutMs, (reply) => {
      const message = parseStored(stream, reply);
      if (message) {
        messages.push(message);
        // A server that knows batches counts what is left; one that does not sends this one and no end.
        if (messages.length === 1) isBatch = isOfBatch(reply);
        return isBatch && messages.length <= wanted.batch ? 'more' : 'last';
      }
      status = replyStatus(reply);
      return 'last';
    });
  } catch (error) {
    const denied = !isNoRespondersError(error) && failure(nats, error, stream).code === 'DENIED_SUBJECT';
    if (!denied && !(isNoRespondersError(error) && !(await answersDirect(nats, stream)))) throw error;
    waysOf(nats, stream).direct = false;
    return undefined;
  }
  if (status === 0 && isBatch && messages.length <= wanted.batch) {
    // Somebody else's message: see `Ways`.
    waysOf(nats, stream).direct = false;
    return undefined;
  }
  if (isBatch) return { messages, status, isRefused: status !== 204 && status !== 404 };
  waysOf(nats, stream).batch = false;
  return undefined;
}
