import { ensureLedger, isEnsured } from '../ledger/bucket.ts';
import { forgetNothing } from '../ledger/journal.ts';
import type { QueueRef } from '../model/entry.ts';
import { answerOf, orElse, orThrow } from '../nats/answer.ts';
import { isApiError, isNoRoom } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import type { StreamInfo } from '../nats/info.ts';
import { isOneServer } from '../nats/pipeline.ts';
import { removeNothing } from '../nats/removal.ts';
import { readStream } from '../nats/streams.ts';
import { readDlqs } from './dlq-place.ts';
import { cannotRemove, type QueueFacts, removedFrom, requireRemoving, toQueueFacts } from './queue-facts.ts';

/** What is known of a queue and its DLQs before the first step. */
export interface CheckedQueue extends QueueFacts {
  /** When each of its DLQ streams was made, RFC 3339. */
  readonly dlqsCreated: ReadonlyMap<string, string>;
  readonly info: StreamInfo;
}

/**
 * Finds what would stop a replay half-way before anything is published: a stream that lets nothing be deleted, a
 * missing permission. Makes the ledger as safe as the queue, for it may hold messages for a while.
 * @throws OpsError DLQ_CANNOT_REMOVE, DENIED_SUBJECT, NOT_FOUND, CONN_*
 */
export async function checkQueue(nats: Nats, ref: QueueRef, { needsRoom = true } = {}): Promise<CheckedQueue> {
  const asked = new Map<string, Promise<void>>();
  const once = (what: string, ask: () => Promise<void>): Promise<void> => {
    const asking = asked.get(what) ?? ask();
    asking.catch(() => {});
    asked.set(what, asking);
    return asking;
  };
  const forget = () => once('', () => forgetNothing(nats));
  const tryOut = (stream: string) => once(stream, () => requireRemovable(nats, stream));
  if (isOneServer(nats) && isEnsured(nats)) {
    // Who has nothing to remove from one of them does not hear what it said.
    void forget();
    [ref.queue, ...ref.dlqs].forEach(tryOut);
  }
  const [info, dlqs] = await Promise.all([orThrow(readStream(nats, ref.queue)), readDlqs(nats, ref)]);
  const facts = toQueueFacts(info);
  requireRemoving(info);
  await ensureLedger(nats, facts.replicas).catch((error: unknown) => {
    // A purge writes nothing there that it could not do without.
    if (needsRoom || !isNoRoom(error)) throw error;
  });
  await Promise.all([forget(), ...removedFrom(facts, ref).map(tryOut)]);
  return { ...facts, info, dlqsCreated: createdOf(dlqs) };
}

const createdOf = (dlqs: readonly StreamInfo[]): CheckedQueue['dlqsCreated'] =>
  new Map(dlqs.map(({ name, created }) => [name, created]));

/** The same for who only takes away: of a queue that is gone, its DLQ streams. */
export const checkRest = async (nats: Nats, ref: QueueRef): Promise<Pick<CheckedQueue, 'dlqsCreated'>> =>
  (await orElse(answerOf(checkQueue(nats, ref, { needsRoom: false })), { missing: undefined })) ?? {
    dlqsCreated: createdOf(await readDlqs(nats, ref)),
  };

async function requireRemovable(nats: Nats, stream: string): Promise<void> {
  try {
    await removeNothing(nats, stream);
  } catch (error) {
    if (!isApiError(error) || error.noRoom) throw error;
    throw cannotRemove(stream, `It refuses to delete messages: ${error.description}.`);
  }
}
