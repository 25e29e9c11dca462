import { OpsError } from '../errors/ops-error.ts';
import { ensureLedger } from '../ledger/bucket.ts';
import { forgetNothing } from '../ledger/journal.ts';
import type { QueueRef } from '../model/entry.ts';
import { numberOf } from '../model/json.ts';
import { orThrow, orUndefined } from '../nats/answer.ts';
import { isApiError, isNoRoom } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import type { StreamInfo } from '../nats/info.ts';
import { dropsOldest } from '../nats/keeps.ts';
import { removeNothing } from '../nats/removal.ts';
import { readStream } from '../nats/streams.ts';

/** What a replay has to know of a queue's stream. */
export interface QueueFacts {
  /** RFC 3339: when the stream was made. */
  readonly created: string;
  readonly lastSeq: number;
  /** Whether a dead original goes once its copy is in: where the stream keeps messages for their workers only. */
  readonly removesOriginal: boolean;
  /** Whether a dead message is found without a record of it. */
  readonly orphansAreFound: boolean;
  readonly replicas: number;
  /** The stream makes room by dropping its oldest messages: a publish may cost another message. */
  readonly drops: boolean;
}

/** Whether a stream takes a time to live for a message. */
export const allowsTtl = ({ config }: Pick<StreamInfo, 'config'>): boolean => config.allow_msg_ttl === true;

export function toQueueFacts({ config, created, figures }: StreamInfo): QueueFacts {
  // With several consumers on an interest stream the message may still be another's work.
  const isInterestOfOne = config.retention === 'interest' && figures.consumer_count === 1;
  return {
    created,
    lastSeq: figures.last_seq,
    removesOriginal: config.retention === 'workqueue' || isInterestOfOne,
    orphansAreFound: config.retention === 'workqueue',
    replicas: numberOf(config.num_replicas, 1),
    drops: dropsOldest(config),
  };
}

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
  const [info, ...dlqs] = await Promise.all([
    orThrow(readStream(nats, ref.queue)),
    ...ref.dlqs.map((dlq) => orUndefined(readStream(nats, dlq))),
  ]);
  const facts = toQueueFacts(info);
  const { config } = info;
  if (config.sealed === true) throw cannotRemove(ref.queue, 'It is sealed: nothing can be stored or removed any more.');
  if (config.no_ack === true)
    throw cannotRemove(ref.queue, 'It confirms no publish (no_ack), so that nobody knows what is stored.', NO_ACK_HINT);
  await ensureLedger(nats, facts.replicas).catch((error: unknown) => {
    // A purge writes nothing there that it could not do without.
    if (needsRoom || !isNoRoom(error)) throw error;
  });
  const touched = [...(facts.removesOriginal ? [ref.queue] : []), ...ref.dlqs];
  await Promise.all([forgetNothing(nats), ...touched.map((stream) => requireRemovable(nats, stream))]);
  return { ...facts, info, dlqsCreated: new Map(dlqs.flatMap((dlq) => (dlq ? [[dlq.name, dlq.created]] : []))) };
}

async function requireRemovable(nats: Nats, stream: string): Promise<void> {
  try {
    await removeNothing(nats, stream);
  } catch (error) {
    if (!isApiError(error) || error.noRoom) throw error;
    throw cannotRemove(stream, `It refuses to delete messages: ${error.description}.`);
  }
}

const DENY_HINT = 'deny_delete cannot be taken back: move the queue to a stream without it, see `osapi-ops plan`';
const NO_ACK_HINT = 'take no_ack out of its configuration: it can be switched off in place';

function cannotRemove(stream: string, why: string, hint = DENY_HINT): OpsError {
  return new OpsError('DLQ_CANNOT_REMOVE', `stream ${stream} lets no message be removed: nothing was touched`, {
    where: `stream ${stream}`,
    why: `${why} What is replayed or purged would stay there, and be replayed again.`,
    hints: [hint],
  });
}
