import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { readCarried } from './carried.ts';

/** How many of a service's dead letters are looked at to learn which queues it is for. */
const SAMPLE = 256;

/** The queues that the first dead letters of a service name. */
export async function serviceQueues(nats: Nats, stream: string): Promise<Set<string>> {
  const queues = new Set<string>();
  let seen = 0;
  for await (const message of getRange(nats, stream, 1, { batch: SAMPLE })) {
    const death = readCarried(message);
    if (death) queues.add(death.queue);
    if (++seen >= SAMPLE) break;
  }
  return queues;
}
