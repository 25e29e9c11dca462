// What fails now and will die soon, in `status` and in `request ls`, as a person sees it and as a program does.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { failureKey } from '../../src/lib/facts/names.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { widthOf } from '../../src/lib/ui/text.ts';
import { type CliProcess, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { makeQueue, pull, put } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const SPEC = `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    storage: memory
    consumers:
      request-worker: { max_deliver: 4, ack_wait: 10m }
    dlq: { stream: requests_dlq }
    responses: { bucket: responses }
`;
const HANDLER = `export default ({ query }) => { throw new Error('no answer of \\u001b[31m' + query); };`;

describe.each(outermostVersions())('on %s', (version) => {
  let server: TestServer;
  let nats: Nats;
  let worker: CliProcess;
  const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-failing-'));
  const run = (...args: string[]) => runCli(args, { server, cwd });
  const noted = (seq: number, fields: object) =>
    put(
      nats,
      `$KV.osapi_ops.${failureKey('REQUESTS', seq)}`,
      JSON.stringify({
        stream: 'REQUESTS',
        consumer: 'request-worker',
        seq,
        at: new Date().toISOString(),
        kind: 'failed',
        worker: 'here/1',
        ...fields,
      }),
    );
  const timeOf = async (seq: number): Promise<string> => {
    const { message } = (await nats.api('STREAM.MSG.GET.REQUESTS', { seq })) as unknown as {
      message: { time: string };
    };
    return new Date(Math.floor(Date.parse(message.time))).toISOString();
  };

  /** 1 and 2 fail in a worker of ours; 3 was delivered for the third time by one that had noted two failures; 4 waits. */
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
    writeFileSync(join(cwd, 'spec.yaml'), SPEC);
    writeFileSync(join(cwd, 'handler.mjs'), HANDLER);
    expect((await run('apply', 'spec.yaml')).code).toBe(0);
    worker = startCli(['worker', 'run', '--handler', 'handler.mjs'], { server, cwd });
    // One after the other, so that the next try of the first comes first.
    for (const [failed, [subject, id, query]] of [
      ['dns', 'first', 'a'],
      ['mail', 'second', 'b'],
    ].entries()) {
      await put(nats, `requests.${subject}`, JSON.stringify({ id, query }));
      const told = async () => (await run('request', 'ls', '--failing', '--json')).stdout;
      await until(async () => (await told()).match(/"deliveries": 1/g)?.length === failed + 1, `${id} failed`);
    }
    worker.child.kill('SIGTERM');
    await worker.done;
    await put(nats, 'requests.dns', '{"id":"third"}');
    await pull(nats, 'REQUESTS', 'request-worker', 1);
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    await noted(3, {
      published_at: await timeOf(3),
      delivery: 3,
      request_id: 'third',
      reason: 'disk full',
      next_delivery_at: soon,
    });
    await put(nats, 'requests.dns', '{"id":"fourth"}');
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
    rmSync(cwd, { recursive: true, force: true });
  });

  test('a program gets tries, the next one and why, beside what waits', async () => {
    const { code, stdout } = await run('request', 'ls', '--json');
    const all = JSON.parse(stdout);
    expect({ code, ids: all.map(({ id }: { id: string }) => id) }).toEqual({
      code: 0,
      ids: ['third', 'first', 'second', 'fourth'],
    });
    expect(all[0]).toMatchObject({ state: 'retry', deliveries: 3, max_deliver: 4, detail: 'disk full' });
    expect(all[1]).toMatchObject({ state: 'retry', deliveries: 1, max_deliver: 4, detail: 'no answer of \u001b[31ma' });
    expect(Date.parse(all[1].next_delivery_at)).toBeGreaterThan(Date.now());
    expect(all[3]).toMatchObject({ state: 'queued' });
    expect(all[3]).not.toHaveProperty('deliveries');
    const lines = (await run('request', 'ls', '--ndjson')).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(all);
    const { queues } = JSON.parse((await run('status', '--json')).stdout);
    expect(queues[0].failing).toMatchObject({
      count: 3,
      noted: 3,
      last_try: 1,
      known: [
        { request_id: 'third', seq: 3, deliveries: 3, max_deliver: 4, detail: 'disk full' },
        { request_id: 'first', state: 'retry', deliveries: 1 },
        { request_id: 'second' },
      ],
      longest_wait_seconds: 600,
    });
  });

  test.each([
    [['--failing'], ['third', 'first', 'second']],
    [['--failing', '--subject', 'requests.mail'], ['second']],
    [['--where', 'json:.query=b'], ['second']],
    [['--failing', '--older-than', '1h'], []],
    [
      ['--limit', '2'],
      ['third', 'first'],
    ],
  ])('filters choose among what fails: %j', async (flags, ids) => {
    const { stdout } = await run('request', 'ls', '--json', ...flags);
    expect(JSON.parse(stdout).map(({ id }: { id: string }) => id)).toEqual(ids);
  });

  test('a pipe gets every column, and no escape of a worker', async () => {
    const { stdout, stderr } = await run('request', 'ls');
    expect(stdout.split('\n')[0]).toMatch(/^ID +STATE +TRIES +NEXT +SUBJECT +QUEUE +SEQ +WAITS +SIZE +WHY$/);
    expect(stdout).toMatch(
      /^third +retry +3 of 4 +in (59m\d+s|1h0m0s|1h) +requests\.dns +REQUESTS +3 +\d+s +14 +disk full$/m,
    );
    expect(stdout).toContain('no answer of \\x1b[31ma');
    expect(stderr).toContain('1 request waits, 3 fail and are tried again');
  });

  const { test: inTerminal } = needing('a pseudo-terminal');
  inTerminal.each([60, 80, 120])('a terminal of %i columns has it whole: status, and request ls', async (columns) => {
    const shown = async (...args: string[]) => {
      const terminal = startInTerminal(args, { server, cwd, columns, rows: 60 });
      await terminal.done;
      for (const line of terminal.text().split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      return terminal.text();
    };
    const status = (await shown('status')).replace(/\s+/g, ' ');
    expect(status).toContain('3 fail now; 1 dies if its next try fails too third: 3 of 4 tries, next in ');
    expect(status).toMatch(/third: .*disk full first: 1 of 4 tries, next in \w+: no answer of \\x1b\[31ma second: /);
    expect(status).toContain('→ osapi-ops request ls --failing');
    const rows = (await shown('request', 'ls')).split('\n');
    expect(rows[0]).toMatch(/^ID .*TRIES .*NEXT .*WHY$/);
    expect(rows.find((row) => row.startsWith('third'))).toMatch(/3 of 4 .* in .* disk full$/);
  });

  inTerminal.each([60, 80, 120])(
    'request ls --watch follows in %i columns, and leaves a clean terminal',
    async (columns) => {
      const terminal = startInTerminal(['request', 'ls', '--watch', '--interval', '200ms'], {
        server,
        cwd,
        columns,
        rows: 10,
      });
      await terminal.expect(/third +.*3 of 4/);
      await terminal.expect('1 request waits, 3 fail and are tried again');
      const seq = await put(nats, 'requests.dns', '{"id":"comes"}');
      await terminal.expect(/comes/);
      await terminal.expect('2 requests wait');
      await nats.api('STREAM.MSG.DELETE.REQUESTS', { seq });
      await terminal.expect('1 request waits');
      terminal.send(KEY.ctrlC);
      expect(await terminal.done).toBe(0);
      for (const line of terminal.text().split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns + 2);
      expect(terminal.raw()).toMatch(/\n$/);
      expect(terminal.raw()).not.toContain('\u001b[31ma');
    },
  );

  inTerminal('request ls --watch says how many rows a low screen shows', async () => {
    const terminal = startInTerminal(['request', 'ls', '--watch'], { server, cwd, columns: 80, rows: 7 });
    await terminal.expect('the first 2 are shown');
    terminal.send(KEY.ctrlC);
    expect(await terminal.done).toBe(0);
    expect(terminal.text().split('\n').length).toBeLessThanOrEqual(9);
  });

  test.each([
    [[], /^\S+Z 1 request waits, 3 fail and are tried again$/],
    [['--json'], /^\[\{"id":"third",.*\]$/],
    [['--failing'], /^\S+Z 3 of 4 requests match: 3 fail and are tried again$/],
  ])('request ls --watch %j in a pipe has a line for each look, until it is interrupted', async (flags, line) => {
    const cli = startCli(['request', 'ls', '--watch', '--interval', '100ms', ...flags], { server, cwd });
    await until(() => cli.stdout().split('\n').length > 3, 'it looked again and again');
    cli.child.kill('SIGINT');
    const { code, stdout } = await cli.done;
    expect(code).toBe(0);
    for (const one of stdout.trimEnd().split('\n')) expect(one).toMatch(line);
  });

  test('of what no worker wrote anything down is said what the server tells', async () => {
    const other = await startServer({ version });
    const there = await connectTo(other);
    await makeQueue(there, { maxDeliver: 4, ackWait: 300 });
    await put(there, 'requests.dns', '{"id":"silent"}');
    await pull(there, 'REQUESTS', 'request-worker', 1);
    await until(async () => (await pull(there, 'REQUESTS', 'request-worker', 1)).length === 1, 'it comes again');
    const words =
      '1 was delivered before, and no worker wrote down why: tried again within 300ms without an ack, when after a nak nobody knows';
    expect((await runCli(['request', 'ls'], { server: other, cwd })).stderr).toContain(`REQUESTS: ${words}`);
    const { stdout } = await runCli(['status'], { server: other, cwd });
    expect(stdout.replace(/\s+/g, ' ')).toContain(`1 fails now ${words}`);
    await there.close();
    await other.stop();
  });
});
