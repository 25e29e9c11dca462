import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connectTo } from '../support/connected.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';
import { startServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-init-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const init = (...args: string[]) => runCli(['init', ...args], { cwd: dir });
const spec = (folder = '.') => readFileSync(join(dir, folder, 'osapi-ops.yaml'), 'utf8');

describe('init', () => {
  test('without a terminal writes a spec that is valid without a warning', async () => {
    const { code, stdout } = await init();
    expect(code).toBe(0);
    expect(stdout).toContain('Wrote osapi-ops.yaml and spec.schema.json.\n');
    expect(spec()).toMatch(/^# yaml-language-server: \$schema=\.\/spec\.schema\.json\n/);
    expect(await runCli(['validate', 'osapi-ops.yaml', '--strict'], { cwd: dir })).toMatchObject({ code: 0 });
    JSON.parse(readFileSync(join(dir, 'spec.schema.json'), 'utf8'));
  });

  test('takes every answer from a flag, and leaves out what is none', async () => {
    const flags = ['--name', 'orders', '--queue', 'ORDERS', '--subjects', 'orders.>, rush.*', '--consumer', 'packer'];
    const limits = ['--max-deliver', '2', '--backoff', '1m,1h', '--max-msgs', '50', '--replicas', '3'];
    const { code, stdout } = await init(
      'new/dir',
      ...flags,
      ...limits,
      '--dlq',
      'none',
      '--responses',
      'none',
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ system: 'orders', path: join('new', 'dir', 'osapi-ops.yaml') });
    const lines = spec('new/dir')
      .split('\n')
      .filter((line) => !/^\s*(#|$)/.test(line));
    expect(lines.slice(0, 16).join('\n')).toMatchInlineSnapshot(`
      "version: 1
      name: orders
      queues:
        ORDERS:
          subjects: ["orders.>", "rush.*"]
          storage: file
          retention: workqueue
          discard: new
          max_msgs: 50
          duplicate_window: 2m
          num_replicas: 3
          consumers:
            packer:
              ack_policy: explicit
              max_deliver: 2
              backoff: [1m, 1h]"
    `);
    expect(spec('new/dir')).not.toMatch(/dlq:|responses:/);
  });

  test('keeps what is there, and overwrites it when told', async () => {
    writeFileSync(join(dir, 'osapi-ops.yaml'), 'mine');
    const refused = await init();
    expect(refused).toMatchObject({ code: 64, stdout: '' });
    expect(refused.stderr).toContain('--force');
    expect(spec()).toBe('mine');
    expect((await init('--force')).code).toBe(0);
    expect(spec()).toContain('version: 1');
  });

  test.each([
    { name: 'a name with a space', args: ['--queue', 'a b'], code: 65, says: 'SPEC_' },
    {
      name: 'a backoff longer than the tries',
      args: ['--max-deliver', '1', '--backoff', '1s,2s'],
      code: 65,
      says: '10116',
    },
    { name: 'a word for a number', args: ['--max-deliver', 'often'], code: 64, says: '"often" for --max-deliver' },
    { name: 'a negative duration', args: ['--ttl', '-5s'], code: 64, says: '--ttl' },
    { name: 'two replicas', args: ['--replicas', '2'], code: 64, says: '1, 3 or 5' },
  ])('writes nothing for $name, and says why', async ({ args, code, says }) => {
    const result = await init(...args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(says);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('writes values as they were meant, whatever YAML or variables would make of them', async () => {
    expect((await init('--name', 'yes', '--queue', '007', '--subjects', `$JS.x.>,a.\${b}`)).code).toBe(0);
    const { stdout } = await runCli(['validate', '--json', 'osapi-ops.yaml'], { cwd: dir });
    expect(stdout).not.toContain('error');
    expect(spec()).toContain(`subjects: ["$JS.x.>", "a.$\${b}"]`);
  });

  test('where nothing can be written says so', async () => {
    writeFileSync(join(dir, 'file'), '');
    const { code, stderr } = await init('file/below');
    expect(code).toBe(64);
    expect(stderr).toContain('USAGE_FILE');
  });
});

describe('init --from-server', () => {
  test('writes what is live, of which plan finds nothing to change', async () => {
    const server = await startServer();
    try {
      expect((await init('first')).code).toBe(0);
      expect((await runCli(['apply', 'first/osapi-ops.yaml'], { cwd: dir, server })).code).toBe(0);
      expect(await runCli(['init', '--from-server'], { cwd: dir, server })).toMatchObject({ code: 0 });
      expect(spec()).toContain('name: first\n');
      const plan = await runCli(['plan', 'osapi-ops.yaml', '--detailed-exitcode'], { cwd: dir, server });
      expect(plan).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do') });
    } finally {
      await server.stop();
    }
  });

  test('notes what is of no system, and of several systems says how one is named', async () => {
    const server = await startServer();
    const at = { cwd: dir, server };
    const apply = async (file: string, text: string) => {
      writeFileSync(join(dir, file), text);
      expect((await runCli(['apply', file], at)).code).toBe(0);
    };
    try {
      await apply('a.yaml', 'version: 1\nname: a\nstreams: {A: {subjects: [a]}}\n');
      const nats = await connectTo(server);
      await nats.api('STREAM.CREATE.ALIEN', { name: 'ALIEN', subjects: ['alien'] });
      await nats.close();
      const one = await runCli(['export'], at);
      expect(one.stdout).not.toContain('ALIEN');
      expect(one.stderr).toContain('stream ALIEN is not wholly in the spec: it is of no system');
      expect((await runCli(['export', 'a'], at)).stderr).not.toContain('ALIEN');
      await apply('b.yaml', 'version: 1\nname: b\nstreams: {B: {subjects: [b]}}\n');
      expect((await runCli(['export'], at)).stderr).toContain('osapi-ops export a\n');
      const several = await runCli(['init', 'new', '--from-server'], at);
      expect(several.stderr).toContain('osapi-ops init --from-server --name a\n');
      expect((await runCli(['init', 'new', '--from-server', '--name', 'a'], at)).code).toBe(0);
    } finally {
      await server.stop();
    }
  });

  test('of an empty server writes nothing, and says so', async () => {
    const server = await startServer();
    try {
      const { code, stderr } = await runCli(['init', '--from-server'], { cwd: dir, server });
      expect(code).toBe(1);
      expect(stderr).toContain('NOT_FOUND');
      expect(readdirSync(dir)).toEqual([]);
    } finally {
      await server.stop();
    }
  });
});

needing('a pseudo-terminal').describe('init on a terminal', () => {
  test('asks, takes an answer or a default for each, and asks again what it cannot read', async () => {
    const terminal = startInTerminal(['init'], { cwd: dir });
    await terminal.expect('The system’s name');
    terminal.send(`shop${KEY.enter}`);
    await terminal.expect('The stream that keeps requests');
    terminal.send(`SHOP${KEY.enter}`);
    await terminal.expect('(shop.*)');
    terminal.send(KEY.enter);
    await terminal.expect('The consumer');
    terminal.send(KEY.enter);
    await terminal.expect('How often');
    terminal.send(`never${KEY.enter}`);
    await terminal.expect('"never" is not a number of 1 or more');
    await terminal.expect('How often');
    terminal.send(`2${KEY.enter}`);
    await terminal.expect('(5s, 10s)');
    for (const next of ['How many', 'Copies', '(shop_dlq)', 'responses', 'How long']) {
      terminal.send(KEY.enter);
      await terminal.expect(next);
    }
    terminal.send(KEY.enter);
    await terminal.expect('Wrote osapi-ops.yaml');
    expect(await terminal.done).toBe(0);
    expect(spec()).toContain('name: shop\n');
    expect(spec()).toContain('max_deliver: 2\n');
  });

  test('with --yes asks nothing', async () => {
    const terminal = startInTerminal(['init', '--yes'], { cwd: dir });
    expect(await terminal.done).toBe(0);
    expect(terminal.text()).not.toContain('?');
  });

  test('Ctrl-C leaves nothing behind, and exits 130', async () => {
    const terminal = startInTerminal(['init'], { cwd: dir });
    await terminal.expect('The system’s name');
    terminal.send(KEY.ctrlC);
    expect(await terminal.done).toBe(130);
    expect(readdirSync(dir)).toEqual([]);
  });
});
