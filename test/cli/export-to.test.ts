import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { connectTo } from '../support/connected.ts';
import { letDie, makeQueue, put } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const SPEC = `
version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    max_age: 7d
    discard: new
    max_msgs: 100
    consumers:
      request-worker: { max_deliver: 4, backoff: [5s, 10s, 15s] }
    dlq: { stream: requests_dlq }
    responses: { bucket: responses, ttl: 1h, compression: s2 }
`;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  expect(await runCli(['apply', '-', '--yes'], { server, stdin: SPEC })).toMatchObject({ code: 0 });
});
afterAll(() => server?.stop());

const exported = (...args: string[]) => runCli(['export', ...args], { server });

describe('export --to', () => {
  test('nack prints manifests that convert takes for the same system', async () => {
    const { code, stdout, stderr } = await exported('--to', 'nack');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const back = await runCli(['convert', '-', '--name', 'osapi', '--json'], { stdin: stdout });
    const { spec, left_out } = JSON.parse(back.stdout);
    expect(left_out).toEqual([]);
    expect(spec).toEqual(JSON.parse((await exported('--json')).stdout).spec);
  });

  test('terraform prints resources with their imports, and names on stderr what has no place', async () => {
    const { code, stdout, stderr } = await exported('--to', 'terraform', 'REQUESTS', 'responses');
    expect(code).toBe(0);
    expect(stdout).toContain(`import {
  to = jetstream_consumer.REQUESTS_request-worker
  id = "JETSTREAM_STREAM_REQUESTS_CONSUMER_request-worker"
}

resource "jetstream_consumer" "REQUESTS_request-worker" {
  stream_id       = jetstream_stream.REQUESTS.id
`);
    expect(stderr).toContain(
      'Warning: bucket responses is not wholly in what is written for terraform: compression is "s2"',
    );
  });

  test('under --json gives what the other tool has beside the spec', async () => {
    const { stdout } = await exported('--to', 'terraform', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      spec: { name: 'osapi' },
      resources: expect.arrayContaining([
        {
          type: 'jetstream_stream',
          label: 'REQUESTS',
          id: 'JETSTREAM_STREAM_REQUESTS',
          values: expect.objectContaining({ name: 'REQUESTS', max_age: 604800, discard: 'new', max_msgs: 100 }),
        },
      ]),
      left_out: [{ resource: 'bucket responses', what: expect.stringContaining('compression') }],
    });
  });

  test('refuses a tool it does not know', async () => {
    expect(await exported('--to', 'pulumi')).toMatchObject({ code: 64, stdout: '' });
  });
});

test.each([
  { name: 'with a DLQ, made by hand', by: 'hand' },
  { name: 'without one, of a spec that calls it a queue', by: 'spec' },
])('a stream that keeps its messages is exported as the queue that it is: $name', async ({ by }) => {
  const other = await startServer();
  try {
    const run = async (args: string[], stdin?: string) => runCli(args, { server: other, ...(stdin && { stdin }) });
    if (by === 'hand') {
      const nats = await connectTo(other);
      await makeQueue(nats, { config: { retention: 'limits' } });
      await nats.close();
    } else {
      const spec = 'version: 1\nname: kept\nqueues: { REQUESTS: { retention: limits, subjects: ["requests.*"] } }\n';
      expect(await run(['apply', '-', '--yes'], spec)).toMatchObject({ code: 0 });
    }
    const { stdout } = await run(['export']);
    expect(parse(stdout)).toMatchObject({ queues: { REQUESTS: { retention: 'limits' } } });
    expect(parse(stdout)).not.toHaveProperty('streams');
    expect(await run(['apply', '-', '--yes', '--adopt'], stdout)).toMatchObject({ code: 0 });
    expect(await run(['plan', '-', '--detailed-exitcode'], stdout)).toMatchObject({ code: 0 });
    expect(JSON.parse((await run(['status', '--json'])).stdout).queues).toMatchObject([{ name: 'REQUESTS' }]);
  } finally {
    await other.stop();
  }
});

const twoQueues = (dlq: string) => `version: 1
name: two
queues:
  AA: { subjects: ["aa.*"], consumers: { w: { max_deliver: 1, ack_wait: 300ms } }${dlq} }
  BB: { subjects: ["bb.*"], consumers: { w: { max_deliver: 1, ack_wait: 300ms } }${dlq} }
`;

test.each([
  { name: 'as we applied it', spec: twoQueues(', dlq: { stream: both_dlq }'), captured: [] },
  { name: 'by kinds', spec: twoQueues(''), captured: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>'] },
  { name: 'by queues', spec: twoQueues(''), captured: ['AA', 'BB'].map((q) => `$JS.EVENT.ADVISORY.CONSUMER.*.${q}.*`) },
  {
    name: 'by consumers',
    spec: twoQueues(''),
    captured: ['AA', 'BB'].map((q) => `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${q}.w`),
  },
])(
  'a DLQ of two queues is that of both in an export, and status finds the dead there: $name',
  async (one) => {
    const other = await startServer();
    const nats = await connectTo(other);
    try {
      const run = async (args: string[], stdin?: string) => runCli(args, { server: other, ...(stdin && { stdin }) });
      expect(await run(['apply', '-', '--yes'], one.spec)).toMatchObject({ code: 0 });
      if (one.captured.length > 0)
        await nats.api('STREAM.CREATE.both_dlq', { name: 'both_dlq', subjects: one.captured });
      for (const queue of ['AA', 'BB']) {
        await put(nats, `${queue.toLowerCase()}.1`, 'one');
        await letDie(nats, queue, 'w');
      }
      const { stdout, stderr } = await run(['export', 'AA', 'BB']);
      expect(parse(stdout)).toMatchObject({
        queues: { AA: { dlq: { stream: 'both_dlq' } }, BB: { dlq: { stream: 'both_dlq' } } },
      });
      expect(parse(stdout)).not.toHaveProperty('streams');
      expect(stderr).not.toContain('both_dlq');
      const plan = JSON.parse((await run(['plan', '-', '--json'], stdout)).stdout);
      expect(plan.changes.filter(({ name }: { name: string }) => name !== 'both_dlq')).toEqual([]);
      if (one.captured.length === 0) expect(plan.changes).toEqual([]);
      const status = JSON.parse((await run(['status', '-', '--json'], stdout)).stdout);
      const orphans = status.checks.filter(({ id }: { id: string }) => id.endsWith('orphans'));
      expect(orphans).toMatchObject([
        { status: 'ok', summary: 'all dead have an entry' },
        { status: 'ok', summary: 'all dead have an entry' },
      ]);
    } finally {
      await nats.close();
      await other.stop();
    }
  },
  30_000,
);
