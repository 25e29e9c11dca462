import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { defectsOf } from '../../src/lib/facts/defects.ts';
import { connectTo } from '../support/connected.ts';
import { makeDead, makeQueue, pull, put } from '../support/dead-letters.ts';
import { availableVersions, startServer } from '../support/server.ts';

/** How long a server is given to drop them; it does within a second. */
const PATIENCE_MS = 8000;

// The warning of `doctor` rests on this: what the table says a cluster of this version does, it does.
test.each(availableVersions())(
  'a cluster of %s loses its dead letters with its consumer’s leader, or keeps them, as the table says',
  async (line) => {
    const server = await startServer({ version: line, cluster: 3 });
    try {
      const nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
      await makeQueue(nats, { maxDeliver: 2, config: { num_replicas: 3, storage: 'file' } });
      await makeDead(nats, 20);
      // An ack that leaves nothing in flight takes the ack floor past the dead.
      await put(nats, 'requests.dns', '{}');
      const [message] = await pull(nats, 'REQUESTS', 'request-worker', 1, 5000);
      await nats.nc.request(message!.reply!, '+ACK', { timeout: 5000 });
      await nats.api('CONSUMER.LEADER.STEPDOWN.REQUESTS.request-worker');
      const stored = async () =>
        Number(((await nats.api('STREAM.INFO.REQUESTS')).state as { messages: number }).messages);
      const drops = defectsOf({ version: server.version, replicas: 3, clustered: true }).some(
        ({ id }) => id === 'dead-letters-lost',
      );
      for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await sleep(200)) {
        if (drops && (await stored()) === 0) break;
      }
      expect(await stored()).toBe(drops ? 0 : 20);
      await nats.close();
    } finally {
      await server.stop();
    }
  },
);
