import { readStanding } from '../../dlq/collect.ts';
import type { QueueStanding } from '../../dlq/standing.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import { answerOf, orElse } from '../../nats/answer.ts';
import type { Places } from '../../places/places.ts';
import { withPlaces } from '../places.ts';

/** What every request command is told. */
export interface RequestChoice {
  /** `-f/--file`: the spec; without one, the server says what its queues are. */
  readonly file?: string;
  /** Only this queue. */
  readonly queue?: string;
  /** The bucket of the responses, where nothing else says it. */
  readonly bucket?: string;
}

/** The same of those that may have to search for a request. */
export interface SearchChoice extends RequestChoice {
  /** Only among what was published since, in milliseconds since 1970. */
  readonly since?: number;
}

/** Connects for a request command. @throws OpsError SPEC_*, CONN_*, DENIED_* */
export const withRequests = <T>(
  context: Context,
  { file, queue, bucket }: RequestChoice,
  work: (places: Places) => Promise<T>,
): Promise<T> => withPlaces(context, { file, bucket, queues: queue === undefined ? undefined : [queue] }, work);

/** The standing of the queue a request goes to, where this user may see it. */
export async function standingFor(places: Places, queue: string): Promise<QueueStanding | undefined> {
  const { refs } = await orElse(answerOf(places.visible()), { missing: { refs: [] } });
  const ref = refs.find((one) => one.queue === queue);
  if (!ref || ref.seen) return ref?.seen?.standing;
  return orElse(answerOf(readStanding(places.nats, ref)), { missing: undefined, denied: undefined });
}

/** @throws OpsError USAGE for what can be no id at all */
export function requireAskable(id: string): string {
  if (id !== '' && id.length <= 512 && !/[\p{Cc}]/u.test(id)) return id;
  throw new OpsError('USAGE', `${JSON.stringify(id.slice(0, 80))} is no id of a request`, {
    where: 'ID',
    hints: ['`osapi-ops request send` prints the id of what it sent'],
  });
}
