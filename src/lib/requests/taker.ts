import { type ConsumerStanding, covers, type QueueStanding } from '../dlq/standing.ts';

/** The consumers whose deliveries a message of this subject is part of. */
export const takersOf = (standing: QueueStanding, subject: string): ConsumerStanding[] =>
  standing.consumers.filter((consumer) => covers(consumer, subject));

/** True where no consumer has come to the message yet: on a work queue one is enough, elsewhere each has its own copy. */
export const isWaiting = (standing: QueueStanding, { seq, subject }: { seq: number; subject: string }): boolean =>
  takersOf(standing, subject).every(({ delivered }) => seq > delivered);

/**
 * True where a record may say that what no consumer has come to is dead all the same: the consumer that gave it up is
 * gone, or does not take it any more. A work queue's consumer that takes it now has it before itself, and delivers it.
 */
export const mayBeDead = (standing: QueueStanding, subject: string): boolean =>
  standing.retention !== 'workqueue' || takersOf(standing, subject).length === 0;

/** True where no pull waits and nothing is in flight: a worker that is busy has no pull waiting either. */
export function nobodyPulls(standing: QueueStanding, subject: string): boolean {
  const takers = takersOf(standing, subject);
  return takers.length > 0 && takers.every(({ waiting, ackPending }) => waiting === 0 && ackPending === 0);
}
