import { readStanding } from '../../dlq/collect.ts';
import { isCovered } from '../../dlq/dead-count.ts';
import { readStoredDead } from '../../dlq/scan.ts';
import type { Context } from '../../model/context.ts';
import type { StoredMessage } from '../../model/message.ts';
import type { Lived } from '../../model/wire.ts';
import { getRange } from '../../nats/messages.ts';
import { parseHeaders } from '../../nats/raw-headers.ts';
import { transformChanges } from '../../replay/transformed.ts';
import { idOf } from '../../requests/identify.ts';
import { withDlq } from './scope.ts';

/** So far before what is settled one is looked for, in sequences. */
const FURTHEST = 2000;

/**
 * Finds the last message on a dead letter's subject that its consumer was done with and that did not die; none, and why,
 * where the stream keeps none. @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export const findLived = (
  context: Context,
  { id, file }: { readonly id: string; readonly file: string | undefined },
): Promise<{ readonly lived: Lived | null; readonly why?: string }> =>
  withDlq(context, { ids: [id], filter: {}, file }, async ({ nats, queues, named }) => {
    const none = (why: string) => ({ lived: null, why });
    const [entry] = named;
    const dead = entry?.inner.message;
    const ref = queues.find(({ queue }) => queue === entry?.queue);
    if (!entry || !dead || !ref) return none('nothing is left of the message');
    const standing = await readStanding(nats, ref);
    if (standing.retention === 'workqueue') return none('a work queue keeps nothing of what was acked');
    const consumer = standing.consumers.find(({ name }) => name === entry.consumer);
    if (!consumer || !isCovered(standing, dead.subject)) return none('its consumer is not there any more');
    const died = await readStoredDead(nats, ref);
    let found: StoredMessage | undefined;
    const range = { untilSeq: consumer.ackFloor };
    for await (const one of getRange(
      nats,
      ref.queue,
      Math.max(standing.firstSeq, consumer.ackFloor - FURTHEST),
      range,
    )) {
      context.io.signal.throwIfAborted();
      if (one.subject === dead.subject && one.seq !== entry.seq && !died.has(one.seq)) found = one;
    }
    if (!found) return none(`no other message on ${dead.subject} is stored that was acked`);
    const changes = transformChanges(dead, { ...found, headers: parseHeaders(found.headers) });
    return {
      lived: {
        request_id: idOf(found) ?? null,
        seq: found.seq,
        subject: found.subject,
        published_at: found.time,
        differences: changes.map(({ path, from, to }) => ({ path, dead: from, lived: to })),
      },
    };
  });
