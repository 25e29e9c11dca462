import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInbox, headers } from '@nats-io/transport-node';
import { cacheDir } from '../src/lib/devserver/cache.ts';
import { connectTo } from '../test/support/connected.ts';
import { startServer, type TestServer } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { makeSystem, stateOf } from '../test/support/worker.ts';

const ADVISORY = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.request-worker';

/** In which order the DLQ has what died: as it was stored, or as the server tells of many that expire at once. */
export type DeadOrder = 'ordered' | 'scattered';

/**
 * A server whose queue holds so many dead letters, each delivered once, never acked, and given up by the server. Making a
 * million takes minutes: the store is kept as an archive, and copied back.
 */
export async function startWithDead(count: number, order: DeadOrder): Promise<TestServer> {
  const archive = join(cacheDir(process.env), 'bench', `dead-${count}-${order}.tar`);
  const server = await startServer();
  // Beside the configuration and the log, the streams of a node lie under its name.
  const store = join(server.dir, 'n1');
  try {
    if (existsSync(archive)) {
      await server.kill('SIGKILL');
      execFileSync('tar', ['-xf', archive, '-C', server.dir]);
      await server.restart();
      return server;
    }
    await makeDead(server, count, order);
    await server.kill('SIGTERM');
    mkdirSync(dirname(archive), { recursive: true });
    execFileSync('tar', ['-cf', `${archive}.part`, '-C', server.dir, store.slice(server.dir.length + 1)]);
    renameSync(`${archive}.part`, archive);
    await server.restart();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function makeDead(server: TestServer, count: number, order: DeadOrder): Promise<void> {
  const nats = await connectTo(server);
  try {
    // All are delivered before the first of them is given up.
    const ackWait = Math.ceil(Math.max(5, count / 15_000)) * 1e9;
    await makeSystem(nats, { consumer: { max_deliver: 1, ack_wait: ackWait, max_ack_pending: -1 } });
    const fill = async (stream: string, publish: (index: number) => void) => {
      for (let index = 1; index <= count; index++) {
        publish(index);
        if (index % 5000 === 0) await nats.nc.flush();
      }
      await until(async () => (await stateOf(nats, stream)).messages === count, 'all are stored', 600_000);
    };
    await fill('REQUESTS', (index) => {
      const hdrs = headers();
      hdrs.set('Nats-Msg-Id', `request-${index}`);
      const body = { id: `request-${index}`, query: 'example.com', note: 'x'.repeat(200) };
      nats.nc.publish('requests.dns', JSON.stringify(body), { headers: hdrs });
    });
    const inbox = createInbox();
    const pull = JSON.stringify({ batch: count, expires: 600e9 });
    const subscription = nats.nc.subscribe(inbox, { callback: () => {} });
    nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.REQUESTS.request-worker', pull, { reply: inbox });
    await until(async () => (await stateOf(nats, 'requests_dlq')).messages === count, 'all have died', 900_000);
    subscription.unsubscribe();
    if (order === 'scattered') return;
    await nats.api('STREAM.PURGE.requests_dlq');
    await fill('requests_dlq', (index) =>
      nats.nc.publish(
        ADVISORY,
        JSON.stringify({
          type: 'io.nats.jetstream.advisory.v1.max_deliver',
          id: `${index}`.padStart(22, 'A'),
          timestamp: new Date().toISOString().replace('Z', '000000Z'),
          stream: 'REQUESTS',
          consumer: 'request-worker',
          stream_seq: index,
          deliveries: 1,
        }),
      ),
    );
  } finally {
    await nats.close();
  }
}
