import { OpsError } from '../errors/ops-error.ts';
import { atLeast } from '../facts/versions.ts';
import { textOf } from '../model/json.ts';
import type { PauseResult } from '../model/queue.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { pauseUntil, readConsumer } from '../nats/consumers.ts';

/** The server wants an end. This one stands for "until somebody resumes it". */
export const NO_END = '9999-01-01T00:00:00Z';

/** @throws OpsError SERVER_TOO_OLD below 2.11, which takes the request for nothing and does not answer */
export function requirePause(nats: Nats): void {
  const { version } = nats.target.server;
  if (atLeast(version, '2.11.0')) return;
  throw new OpsError('SERVER_TOO_OLD', `nats-server ${version} cannot pause a consumer; 2.11 and newer can`, {
    where: nats.target.url,
    why: 'Pausing came with 2.11. Nothing was touched.',
    hints: ['stop the workers instead, or update the server'],
  });
}

interface Told {
  readonly paused?: unknown;
  readonly pause_until?: unknown;
}

/** A consumer to pause or to resume. */
export interface Pausable {
  readonly queue: string;
  readonly consumer: string;
  /** How it was when it was found; asked for where it is left out. */
  readonly known?: Told;
}

/**
 * Stops delivery to a consumer until `until` (RFC 3339). What is in flight may still be acknowledged.
 * @throws OpsError NOT_FOUND, CONN_*, DENIED_SUBJECT
 */
export async function pauseConsumer(
  nats: Nats,
  { queue, consumer, known }: Pausable,
  until: string,
): Promise<PauseResult> {
  const before = known ? pauseOf(queue, consumer, known) : await readPause(nats, queue, consumer);
  const after = pauseOf(queue, consumer, await pauseUntil(nats, queue, consumer, until));
  if (!after.paused) {
    throw new OpsError('SERVER_REFUSED', `${queue}/${consumer} is not paused`, {
      where: `consumer ${queue}/${consumer}`,
      why: 'The server took the request, and delivery goes on: that time is over already by its clock.',
      hints: ['give a later time; `osapi-ops doctor` compares the clocks'],
    });
  }
  return { ...after, changed: !before.paused || before.until !== after.until };
}

/** What a pause comes to where nothing stands in its way; `undefined` where it is not known how the consumer was. */
export function expectPause({ queue, consumer, known }: Pausable, until: string): PauseResult | undefined {
  if (!known) return undefined;
  const before = pauseOf(queue, consumer, known);
  const after = pauseOf(queue, consumer, { paused: true, pause_until: until });
  return { ...after, changed: !before.paused || before.until !== after.until };
}

/** Starts delivery again. @throws as `pauseConsumer` */
export async function resumeConsumer(nats: Nats, { queue, consumer, known }: Pausable): Promise<PauseResult> {
  const before = known ? pauseOf(queue, consumer, known) : await readPause(nats, queue, consumer);
  if (!before.paused) return { ...before, changed: false };
  return { ...pauseOf(queue, consumer, await pauseUntil(nats, queue, consumer)), changed: true };
}

async function readPause(nats: Nats, queue: string, consumer: string): Promise<Omit<PauseResult, 'changed'>> {
  const { config, figures } = await orThrow(readConsumer(nats, queue, consumer));
  return pauseOf(queue, consumer, { paused: figures.paused, pause_until: textOf(config.pause_until) });
}

/** What the server says of a pause, in its answer to one or in the consumer's configuration. */
function pauseOf(queue: string, consumer: string, told: Told): Omit<PauseResult, 'changed'> {
  const paused = told.paused === true;
  const until = textOf(told.pause_until);
  const ends = paused && Date.parse(until) < Date.parse(NO_END);
  return { queue, consumer, paused, ...(ends && { until }) };
}
