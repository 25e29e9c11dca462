import { spawn } from 'node:child_process';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startServer } from '../test/support/server.ts';
import { interleave, median, milliseconds, type Row, timeProcess } from './measure.ts';

/** How many dead letters; BENCH_DEAD makes it quicker. */
const COUNT = Number(process.env.BENCH_DEAD ?? 1_000_000);
const ADVISORIES = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS';

async function api(nc: NatsConnection, subject: string, body: object): Promise<{ state: { messages: number } }> {
  const answer = (await nc.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 10_000 })).json<{
    error?: unknown;
    state: { messages: number };
  }>();
  if (answer.error) throw new Error(JSON.stringify(answer.error));
  return answer;
}

/** Publishes without waiting for each, and then until the stream has them all. */
async function fill(nc: NatsConnection, stream: string, publish: (index: number) => void): Promise<void> {
  for (let index = 1; index <= COUNT; index++) {
    publish(index);
    if (index % 5000 === 0) await nc.flush();
  }
  while ((await api(nc, `STREAM.INFO.${stream}`, {})).state.messages < COUNT) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Requests and their advisories as the server writes them, without the hours it takes to let a million die. */
async function makeDead(url: string): Promise<void> {
  const nc = await connect({ servers: url });
  const shape = { storage: 'file', allow_direct: true, num_replicas: 1 };
  await api(nc, 'STREAM.CREATE.REQUESTS', {
    name: 'REQUESTS',
    subjects: ['requests.*'],
    retention: 'workqueue',
    ...shape,
  });
  await api(nc, 'STREAM.CREATE.requests_dlq', { name: 'requests_dlq', subjects: [`${ADVISORIES}.*`], ...shape });
  await fill(nc, 'REQUESTS', (index) =>
    nc.publish('requests.dns', JSON.stringify({ id: `request-${index}`, query: 'example.com', note: 'x'.repeat(200) })),
  );
  await fill(nc, 'requests_dlq', (index) =>
    nc.publish(
      `${ADVISORIES}.request-worker`,
      JSON.stringify({
        type: 'io.nats.jetstream.advisory.v1.max_deliver',
        id: `${index}`.padStart(22, 'A'),
        timestamp: new Date().toISOString().replace('Z', '000000Z'),
        stream: 'REQUESTS',
        consumer: 'request-worker',
        stream_seq: index,
        deliveries: 10,
      }),
    ),
  );
  await nc.close();
}

/** Seconds until the first line is out; the process is ended then. */
function timeFirstLine(args: readonly string[]): Promise<number> {
  const started = process.hrtime.bigint();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => reject(new Error('it ended without a line')));
    child.stdout.once('data', () => {
      resolve(Number(process.hrtime.bigint() - started) / 1e9);
      child.kill('SIGKILL');
    });
  });
}

/** `dlq ls --ndjson` of a million, against the bare client reading the same messages. */
export async function benchDlqLs(): Promise<Row[]> {
  const server = await startServer();
  try {
    await makeDead(server.url);
    const args = ['bin/run.js', 'dlq', 'ls', '--ndjson', '--server', server.url];
    const memory: number[] = [];
    const firsts: number[] = [];
    for (let round = 0; round < 5; round++) firsts.push(await timeFirstLine(args));
    const result = await interleave(3, {
      ours: async () => {
        const run = await timeProcess({ command: process.execPath, args }, true);
        memory.push(run.memory);
        return run.seconds;
      },
      theirs: async () =>
        (await timeProcess({ command: process.execPath, args: ['bench/bare-dlq.mjs', server.url] })).seconds,
    });
    const megabytes = Math.max(...memory) / 1e6;
    return [
      {
        what: `\`dlq ls --ndjson\` of ${COUNT} entries`,
        ours: `${result.ours.toFixed(1)} s`,
        theirs: `bare client reading them ${result.theirs.toFixed(1)} s`,
        ratio: result.ours / result.theirs,
        limit: 2,
      },
      {
        what: '`dlq ls --ndjson`, first line, s',
        ours: milliseconds(median(firsts)),
        theirs: '',
        ratio: median(firsts),
        limit: 1,
      },
      { what: '`dlq ls --ndjson`, memory, MB', ours: megabytes.toFixed(0), theirs: '', ratio: megabytes, limit: 250 },
    ];
  } finally {
    await server.stop();
  }
}
