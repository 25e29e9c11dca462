import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { runCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';

const { describe: withPty } = needing('a pseudo-terminal');
const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-terminal-'));
const SPEC = join(dir, 'spec.yaml');
const MANY = join(dir, 'many.yaml');
let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  writeFileSync(
    SPEC,
    'version: 1\nname: shop\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n    consumers: {packer: {max_deliver: 3}}\n    dlq: {stream: orders_dlq}\n    responses: {bucket: answers}\n',
  );
  const each = (n: number) =>
    `  Q${n}:\n    subjects: ["q.${n}"]\n    consumers: {w: {max_deliver: 3}}\n    dlq: {stream: Q${n}_dlq}\n`;
  writeFileSync(MANY, `version: 1\nname: many\nqueues:\n${Array.from({ length: 200 }, (_, n) => each(n)).join('')}`);
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});
const streams = async () => (((await nats.api('STREAM.NAMES')).streams ?? []) as string[]).sort();
beforeEach(async () => {
  for (const name of await streams()) await nats.api(`STREAM.DELETE.${name}`);
});

const run = (args: string[]) => runCli(args, { server });
const terminal = (args: string[]) => startInTerminal(args, { server, cwd: dir });
const SHOWN = '\u001b[?25h';
const HIDDEN = '\u001b[?25l';
/** The cursor is there again, and the prompt of the shell begins on a line of its own. */
function expectClean(raw: string): void {
  expect(raw.lastIndexOf(SHOWN)).toBeGreaterThanOrEqual(raw.lastIndexOf(HIDDEN));
  expect(raw.replace(/(?:\u001b\[[0-9;?]*[A-Za-z])+$/, '')).toMatch(/\n$/);
  expect(raw).not.toMatch(/\u001b\[\?1049h/);
}

withPty('apply on a terminal', () => {
  test('shows the plan, asks, and builds after a yes, with each change drawn and ticked', async () => {
    const apply = terminal(['apply', SPEC]);
    await apply.expect(/Apply this to shop on .*\?/);
    expect(await streams()).toEqual([]);
    apply.send(`y${KEY.enter}`);
    expect(await apply.done).toBe(0);
    expect(apply.text()).toMatch(/create stream ORDERS/);
    expectClean(apply.raw());
    expect(await streams()).toEqual(['KV_answers', 'KV_osapi_ops', 'ORDERS', 'orders_dlq']);
  });

  test('touches nothing after a no, and says so', async () => {
    const apply = terminal(['apply', SPEC]);
    await apply.expect(/Apply this to shop/);
    apply.send(`n${KEY.enter}`);
    expect(await apply.done).toBe(1);
    expect(apply.text()).toMatch(/Nothing was touched/);
    expectClean(apply.raw());
    expect(await streams()).toEqual([]);
  });

  test.each([
    { key: 'Ctrl-C', keys: KEY.ctrlC, code: 130 },
    { key: 'Ctrl-D', keys: KEY.ctrlD, code: 1 },
  ])('touches nothing after $key at the question', async ({ keys, code }) => {
    const apply = terminal(['apply', SPEC]);
    await apply.expect(/Apply this to shop/);
    apply.send(keys);
    expect(await apply.done).toBe(code);
    expectClean(apply.raw());
    expect(await streams()).toEqual([]);
  });

  test('asks nothing with --yes, and nothing where nothing is to be done', async () => {
    const first = terminal(['apply', SPEC, '--yes']);
    expect(await first.done).toBe(0);
    const second = terminal(['apply', SPEC]);
    expect(await second.done).toBe(0);
    for (const each of [first, second]) expect(each.text()).not.toMatch(/Apply this/);
  });

  test('takes no for the answer where Enter alone is pressed and something would be deleted', async () => {
    expect((await run(['apply', SPEC])).code).toBe(0);
    const smaller = join(dir, 'smaller.yaml');
    writeFileSync(smaller, 'version: 1\nname: shop\nqueues:\n  ORDERS: {subjects: ["orders.*"]}\n');
    const apply = terminal(['apply', smaller, '--prune']);
    await apply.expect(/Apply this to shop/);
    apply.send(KEY.enter);
    expect(await apply.done).toBe(1);
    expect(await streams()).toContain('orders_dlq');
  });

  test('stops at Ctrl-C half-way through 200 queues: says what was done and what remains, and the next run goes on', async () => {
    const apply = terminal(['apply', MANY, '--yes']);
    await apply.expect(/Applying many: \d+ of 600/);
    await apply.expect(/Applying many: [1-9]\d* of 600/);
    apply.send(KEY.ctrlC);
    expect(await apply.done).toBe(130);
    const [, applied, failed, left] = /(\d+) applied, (\d+) failed, (\d+) not reached/.exec(apply.text())!.map(Number);
    expect([applied! + failed! + left!, failed]).toEqual([600, 0]);
    expect(applied).toBeGreaterThan(0);
    expect(left).toBeGreaterThan(0);
    expect(apply.text()).toMatch(/run apply again/);
    expectClean(apply.raw());
    const plan = JSON.parse((await run(['plan', MANY, '--json'])).stdout);
    expect(plan.summary).toMatchObject({ create: left, unchanged: applied });
    expect((await run(['apply', MANY])).code).toBe(0);
    expect((await run(['plan', MANY, '--detailed-exitcode'])).code).toBe(0);
  });
});

withPty('destroy on a terminal', () => {
  test('goes on for the system’s name alone, and removes nothing for another', async () => {
    expect((await run(['apply', SPEC])).code).toBe(0);
    await nats.api('STREAM.CREATE.OTHER', { name: 'OTHER', subjects: ['other'] });
    for (const typed of ['shopp', '', 'yes']) {
      const destroy = terminal(['destroy', SPEC]);
      await destroy.expect(/Type the system's name/);
      destroy.send(`${typed}${KEY.enter}`);
      expect(await destroy.done).toBe(1);
      expectClean(destroy.raw());
    }
    const stopped = terminal(['destroy', SPEC]);
    await stopped.expect(/Type the system's name/);
    stopped.send(KEY.ctrlC);
    expect(await stopped.done).toBe(130);
    expect(await streams()).toContain('ORDERS');
    const destroy = terminal(['destroy', SPEC]);
    await destroy.expect(/Type the system's name/);
    destroy.send(`shop${KEY.enter}`);
    expect(await destroy.done).toBe(0);
    expect(await streams()).toEqual(['KV_osapi_ops', 'OTHER']);
  });
});
