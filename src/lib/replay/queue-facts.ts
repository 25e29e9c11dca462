import { OpsError } from '../errors/ops-error.ts';
import type { QueueRef } from '../model/entry.ts';
import { numberOf } from '../model/json.ts';
import type { StreamInfo } from '../nats/info.ts';
import { dropsOldest } from '../nats/keeps.ts';

/** What a replay has to know of a queue's stream. */
export interface QueueFacts {
  /** RFC 3339: when the stream was made. */
  readonly created: string;
  readonly lastSeq: number;
  /** Whether a dead original goes once its copy is in: where the stream keeps messages for their workers only. */
  readonly removesOriginal: boolean;
  /** Whether it goes where its copy is the same to all consumers: others get the copy in its place. */
  readonly movesSame: boolean;
  /** Whether a dead message is found without a record of it. */
  readonly orphansAreFound: boolean;
  readonly replicas: number;
  /** The stream makes room by dropping its oldest messages: a publish may cost another message. */
  readonly drops: boolean;
}

/** Whether a stream takes a time to live for a message. */
export const allowsTtl = ({ config }: Pick<StreamInfo, 'config'>): boolean => config.allow_msg_ttl === true;

export function toQueueFacts({ config, created, figures }: StreamInfo): QueueFacts {
  const isQueue = config.retention === 'workqueue';
  // With several consumers the message may still be another's work. What may not be deleted stays as history.
  const isOfOne = figures.consumer_count === 1 && config.deny_delete !== true;
  return {
    created,
    lastSeq: figures.last_seq,
    removesOriginal: isQueue || isOfOne,
    movesSame: isQueue || config.deny_delete !== true,
    orphansAreFound: isQueue,
    replicas: numberOf(config.num_replicas, 1),
    drops: dropsOldest(config),
  };
}

/** The streams that a replay or purge removes messages from. */
export const removedFrom = (
  { movesSame }: Pick<QueueFacts, 'movesSame'>,
  { queue, dlqs }: Pick<QueueRef, 'queue' | 'dlqs'>,
): string[] => [...(movesSame ? [queue] : []), ...dlqs];

/** Checks that what a stream's configuration says lets it be moved out of. @throws OpsError DLQ_CANNOT_REMOVE */
export function requireRemoving({ name, config }: Pick<StreamInfo, 'name' | 'config'>): void {
  if (config.sealed === true) throw cannotRemove(name, 'It is sealed: nothing can be stored or removed any more.');
  if (config.no_ack === true)
    throw cannotRemove(name, 'It confirms no publish (no_ack), so that nobody knows what is stored.', NO_ACK_HINT);
}

const DENY_HINT = 'deny_delete cannot be taken back: move the queue to a stream without it, see `osapi-ops plan`';
const NO_ACK_HINT = 'take no_ack out of its configuration: it can be switched off in place';

export function cannotRemove(stream: string, why: string, hint = DENY_HINT): OpsError {
  return new OpsError('DLQ_CANNOT_REMOVE', `stream ${stream} lets no message be removed: nothing was touched`, {
    where: `stream ${stream}`,
    why: `${why} What is replayed or purged would stay there, and be replayed again.`,
    hints: [hint],
  });
}
