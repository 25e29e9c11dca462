import { orElse, orThrow } from './answer.ts';
import { listConsumers } from './consumers.ts';
import type { StreamInfo } from './info.ts';
import { droppingLimits, Room, waitsFor } from './keeps.ts';
import type { Nats } from './port.ts';
import { readStream, readSubjects } from './streams.ts';

/**
 * The room in a stream as it is known; how much lies on each subject, and who waits for it, is asked only where it
 * matters. Who may not list consumers is told nothing of them.
 */
export async function roomIn(nats: Nats, stream: StreamInfo): Promise<Room> {
  const isCounted = Number.isFinite(droppingLimits(stream.config).perSubject);
  const [now, consumers] = await Promise.all([
    isCounted ? orThrow(readSubjects(nats, stream.name)) : { ...stream, subjects: new Map<string, number>() },
    stream.config.retention === 'interest'
      ? orElse(listConsumers(nats, stream.name), { denied: undefined })
      : undefined,
  ]);
  return new Room(now, now.subjects, (subject) => consumers?.some((one) => waitsFor(subject, one)) ?? true);
}

/** The room in a stream as it is now. @throws ApiError, OpsError */
export const readRoom = async (nats: Nats, stream: string): Promise<Room> =>
  roomIn(nats, await orThrow(readStream(nats, stream)));
