import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { openBulk } from '../../src/lib/nats/publish.ts';
import { printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

// A cluster that has not decided about a message id yet says "duplicate" of sequence 0 (2.10), or 10158 (later ones):
// whoever believes that removes an original whose copy may come to nothing.
describe.each(['2.10', '2.12', '2.15'])('two publishes of one message id at once, on a cluster of %s', (version) => {
  let server: TestServer;
  let nats: Nats;
  beforeAll(async () => {
    server = await startServer({ version, cluster: 3 });
    nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
    // The leader has all three in its cluster a moment before it knows that each is there.
    const made = () => nats.api('STREAM.CREATE.S', { name: 'S', subjects: ['s'], num_replicas: 3 });
    const isMade = async () => (await made().catch(() => undefined)) !== undefined;
    await until(isMade, 'a stream of three replicas can be made', 60_000);
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
  });

  const idOf = (id: number) => printHeaders([{ name: 'Nats-Msg-Id', value: `id-${id}` }]);
  const nothing = new Uint8Array(0);

  test('are one message, under the sequence that both are told', async () => {
    for (let id = 0; id < 50; id++) {
      const both = await Promise.all([1, 2].map(() => publish(nats, 's', nothing, idOf(id))));
      const [first, second] = both.map(({ seq }) => seq);
      expect(first).toBeGreaterThan(0);
      expect(second).toBe(first);
      expect(both.filter(({ duplicate }) => duplicate)).toHaveLength(1);
    }
  });

  test('are stored and not stored, in bulk', async () => {
    const told: boolean[] = [];
    const faults: unknown[] = [];
    const bulk = openBulk<number>(nats, {
      onStored: (_, duplicate) => told.push(duplicate),
      onFault: (_, error) => faults.push(error),
    });
    for (let id = 100; id < 150; id++)
      for (let twice = 0; twice < 2; twice++) await bulk.send(id, 's', nothing, idOf(id));
    await bulk.drain();
    bulk.close();
    expect(faults).toEqual([]);
    expect(told.filter((duplicate) => duplicate)).toHaveLength(50);
    expect(told).toHaveLength(100);
  });
});
