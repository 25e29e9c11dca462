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

/**
 * Stops delivery to a consumer until `until` (RFC 3339). What is in flight may still be acknowledged.
 * @throws OpsError NOT_FOUND, CONN_*, DENIED_SUBJECT
 */
export async function pauseConsumer(nats: Nats, queue: string, consumer: string, until: string): Promise<PauseResult> {
  const before = await readPause(nats, queue, consumer);
  await pauseUntil(nats, queue, consumer, until);
  const after = await readPause(nats, queue, consumer);
  if (!after.paused) {
    throw new OpsError('SERVER_REFUSED', `${queue}/${consumer} is not paused`, {
      where: `consumer ${queue}/${consumer}`,
      why: 'The server took the request, and delivery goes on: that time is over already by its clock.',
      hints: ['give a later time; `osapi-ops doctor` compares the clocks'],
    });
  }
  return { ...after, changed: !before.paused || before.until !== after.until };
}

/** Starts delivery again. @throws as `pauseConsumer` */
export async function resumeConsumer(nats: Nats, queue: string, consumer: string): Promise<PauseResult> {
  const before = await readPause(nats, queue, consumer);
  if (before.paused) await pauseUntil(nats, queue, consumer);
  return { ...(before.paused ? await readPause(nats, queue, consumer) : before), changed: before.paused };
}

async function readPause(nats: Nats, queue: string, consumer: string): Promise<Omit<PauseResult, 'changed'>> {
  const { config, figures } = await orThrow(readConsumer(nats, queue, consumer));
  const { paused } = figures;
  const until = textOf(config.pause_until);
  const ends = paused && Date.parse(until) < Date.parse(NO_END);
  return { queue, consumer, paused, ...(ends && { until }) };
}
