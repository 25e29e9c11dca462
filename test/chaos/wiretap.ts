import { connect, type NatsConnection } from '@nats-io/transport-node';
import { advisorySubject } from '../../src/lib/facts/names.ts';
import { type Life, lifeOf } from './checker.ts';

/** Where the queue says what it has stored: its stream republishes everything under this prefix. */
export const TAP = 'tap';

/** Where the DLQ says so. */
export const RECORDS_TAP = 'tapped-records';

/** What the queue stored, and what anybody asked it to delete, as the wire tells it. */
export interface Wiretap {
  readonly stored: Map<number, Life>;
  readonly deletes: Set<number>;
  /** Sequences that the server called dead. */
  readonly advised: Set<number>;
  /** Those of which the DLQ stored that. */
  readonly told: Set<number>;
  close(): Promise<void>;
}

/** Listens on every node, for each of them may be killed. */
export async function openWiretap(urls: readonly string[], queue: string): Promise<Wiretap> {
  const stored = new Map<number, Life>();
  const deletes = new Set<number>();
  const advised = new Set<number>();
  const told = new Set<number>();
  const connections: NatsConnection[] = [];
  for (const servers of urls) {
    const nc = await connect({ servers, ignoreClusterUpdates: true, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    connections.push(nc);
    nc.subscribe(`${TAP}.>`, {
      callback: (_, message) => {
        const seq = Number(message.headers?.get('Nats-Sequence'));
        stored.set(
          seq,
          lifeOf(message.json<{ id: string }>().id, seq, (name) => message.headers?.get(name)),
        );
      },
    });
    nc.subscribe(`$JS.API.STREAM.MSG.DELETE.${queue}`, {
      callback: (_, message) => void deletes.add(message.json<{ seq: number }>().seq),
    });
    nc.subscribe(advisorySubject('max_deliveries', queue), {
      callback: (_, message) => void advised.add(message.json<{ stream_seq: number }>().stream_seq),
    });
    nc.subscribe(`${RECORDS_TAP}.${advisorySubject('max_deliveries', queue)}`, {
      callback: (_, message) => void told.add(message.json<{ stream_seq: number }>().stream_seq),
    });
    await nc.flush();
  }
  return {
    stored,
    deletes,
    advised,
    told,
    close: async () => void (await Promise.all(connections.map((nc) => nc.close()))),
  };
}
