import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { widthOf } from '../../src/lib/ui/text.ts';
import { runCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { makeDead } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

let server: TestServer;
let nats: Nats;

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-terminal-'));
const BROKEN = join(dir, 'broken.yaml');
writeFileSync(BROKEN, 'version: 1\nname: osapi\nqueues: {REQUESTS: {subjects: [a], colour: red}}\n');
afterAll(() => rmSync(dir, { recursive: true }));

/** A system that has drifted, with dead letters: something of everything to see. */
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  expect(await runCli(['apply', 'config/prod.yaml'], { server })).toMatchObject({ code: 0 });
  const consumer = 'CONSUMER.CREATE.REQUESTS.request-worker';
  const { config } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
  const dying = { ...(config as object), backoff: undefined, max_deliver: 1, ack_wait: 60e6 };
  await nats.api(consumer, { stream_name: 'REQUESTS', config: dying, action: 'update' });
  await makeDead(nats, 2);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});

/** What a person reads; all of them look only. */
const READING = [
  ['plan', 'config/prod.yaml'],
  ['status'],
  ['doctor'],
  ['dlq', 'ls'],
  ['dlq', 'stats'],
  ['dlq', 'show', '1'],
  ['dlq', 'replay', '--dry-run'],
  ['history'],
  ['request', 'show', 'r0'],
] as const;

const { test: inTerminal } = needing('a pseudo-terminal');
const show = async (args: readonly string[], columns: number, env: Record<string, string> = {}): Promise<string> => {
  const terminal = startInTerminal(args, { server, columns, rows: 300, env });
  await terminal.done;
  return terminal.left().replaceAll('\r', '');
};
const widest = (text: string): number => Math.max(...stripVTControlCharacters(text).split('\n').map(widthOf));

describe.each(READING.map((args) => [args.join(' '), args] as const))('%s', (_, args) => {
  let shown: Promise<string> | undefined;
  const wide = (): Promise<string> => (shown ??= show(args, 200));

  inTerminal('fits terminals of 60 and of 200 columns', async () => {
    const narrow = await show(args, 60);
    expect(
      stripVTControlCharacters(narrow)
        .split('\n')
        // A line to paste stays whole.
        .filter((line) => widthOf(line) > 60 && !/^ +osapi-ops /.test(line)),
    ).toEqual([]);
    expect(widest(await wide())).toBeLessThanOrEqual(200);
  });

  inTerminal('says the same without colour: nothing is told by colour alone', async () => {
    const coloured = await wide();
    expect(coloured).toContain('\u001b[');
    const plain = await show(args, 200, { NO_COLOR: '1' });
    expect(plain).not.toContain('\u001b');
    expect(settled(plain)).toBe(settled(stripVTControlCharacters(coloured)));
  });

  test('has no escape codes in a pipe, nor with --no-color where colours are forced', async () => {
    const piped = await runCli([...args], { server });
    const forced = await runCli([...args, '--no-color'], { server, env: { FORCE_COLOR: '1' } });
    expect(piped.stdout + piped.stderr + forced.stdout + forced.stderr).not.toContain('\u001b');
  });
});

inTerminal.each<Record<string, string>>([{ OSAPI_OPS_NO_COLOR: '1' }, { TERM: 'dumb' }])(
  'a terminal gets no escape codes with %j',
  async (env) => {
    expect(await show(['plan', 'config/prod.yaml'], 100, env)).not.toContain('\u001b');
  },
);

describe('a code of an error, a rule or a check', () => {
  const links = (shown: string) =>
    [...shown.matchAll(/\u001b\]8;;([^\u0007]+)\u0007([A-Z_]+)\u001b\]8;;\u0007/g)].map(([, page, code]) => ({
      page,
      code,
    }));
  const UNREACHED = ['plan', 'config/prod.yaml', '-s', 'nats://127.0.0.1:1'];
  const LINKING = { TERM_PROGRAM: 'iTerm.app', TERM_PROGRAM_VERSION: '3.5.0' };

  inTerminal.each([
    [UNREACHED, 'CONN_UNREACHABLE', '## CONN_UNREACHABLE'],
    [['status'], 'CHECK_DEAD', '## CHECK_DEAD'],
    [['validate', 'test/cli/no-such.yaml'], 'SPEC_UNREADABLE', '## SPEC_UNREADABLE'],
    [['validate', BROKEN], 'SPEC_UNKNOWN_KEY', '### SPEC_UNKNOWN_KEY'],
  ])('has its page behind it where the terminal shows links: %j', async (args, code, heading) => {
    for (const env of [LINKING, { FORCE_HYPERLINK: '1' }]) {
      const page = links(await show(args, 60, env)).find((link) => link.code === code)!.page!;
      expect(page).toMatch(/^file:\/\/.+\/docs\/\w+\.md#[a-z_]+$/);
      const url = new URL(page);
      expect(url.hostname).toBe(hostname().toLowerCase());
      expect(url.hash).toBe(`#${code.toLowerCase()}`);
      expect(readFileSync(url.pathname, 'utf8').split('\n')).toContain(heading);
    }
  });

  inTerminal.each<Record<string, string>>([
    {},
    { ...LINKING, NO_COLOR: '1' },
    { ...LINKING, OSAPI_OPS_NO_COLOR: '1' },
    { ...LINKING, TERM: 'dumb' },
    { ...LINKING, FORCE_HYPERLINK: '0' },
    { TERM_PROGRAM: 'iTerm.app', TERM_PROGRAM_VERSION: '3.0.0' },
  ])('has none in a terminal with %j', async (env) => {
    expect(await show(UNREACHED, 60, env)).not.toContain('\u001b]8');
    expect(await show(['status'], 60, env)).not.toContain('\u001b]8');
  });

  test('has none in a pipe, whatever the environment says', async () => {
    const env = { ...LINKING, FORCE_HYPERLINK: '1', FORCE_COLOR: '1' };
    const piped = await Promise.all([runCli(UNREACHED, { env }), runCli(['status'], { server, env })]);
    for (const { stdout, stderr } of piped) expect(stdout + stderr).not.toContain('\u001b]8');
  });

  inTerminal('has none in a pager, which may not know links', async () => {
    const terminal = startInTerminal(['status'], {
      server,
      columns: 80,
      rows: 4,
      env: { ...LINKING, PAGER: 'sed s/^/paged:/' },
    });
    await terminal.done;
    expect(terminal.text()).toMatch(/paged:.*CHECK_DEAD/);
    expect(terminal.raw()).not.toContain('\u001b]8');
  });

  inTerminal('is drawn again and again with its link whole', async () => {
    const terminal = startInTerminal(['status', '--watch', '--interval', '200ms'], {
      server,
      columns: 60,
      rows: 30,
      env: LINKING,
    });
    await terminal.expect('CHECK_DEAD');
    await terminal.expect('CHECK_DEAD');
    terminal.send(KEY.ctrlC);
    await terminal.done;
    const raw = terminal.raw();
    expect(links(raw).length).toBeGreaterThan(1);
    expect(raw.match(/\u001b\]8;;[^\u0007]/g)!.length).toBe(raw.match(/\u001b\]8;;\u0007/g)!.length);
  });
});

/** What differs from run to run: ages and times taken. */
const settled = (text: string): string =>
  text.replace(/\b(\d+(\.\d+)? ?(ms|[smh]))+\b/g, 'TIME').replace(/ {2,}/g, '  ');

describe('lines that colours underline', () => {
  const signs: Readonly<Record<string, RegExp>> = {
    plan: /^[+~±-] (create|update|replace|delete) /m,
    status: /^(Warning|Critical|Unknown) /m,
    doctor: /^[✓!✗?-] /m,
    dlq: / (replayable|gone|orphan) /,
  };
  test.each([['plan', 'config/prod.yaml'], ['status'], ['doctor'], ['dlq', 'ls']])(
    'begin with a word or a sign: %s',
    async (...args) => {
      const { stdout } = await runCli(args, { server });
      expect(stdout).toMatch(signs[args[0]!]!);
    },
  );
});

describe('the help of every command', () => {
  // The width of a process is that which it began with.
  const warm = new Map([60, 100].map((columns) => [columns, warmCli()]));
  const { commands } = JSON.parse(readFileSync('oclif.manifest.json', 'utf8')) as { commands: Record<string, unknown> };
  const topics = [...new Set(Object.keys(commands).flatMap((id) => (id.includes(':') ? [id.split(':')[0]!] : [])))];
  const subjects = [...topics, ...Object.keys(commands)].map((id) => id.split(':'));

  test.each([60, 100])('fits %s columns, but for examples, which are to be copied', async (columns) => {
    const astray: string[] = [];
    for (const words of subjects) {
      const { code, stdout } = await warm.get(columns)!([...words, '--help'], {
        env: { OCLIF_COLUMNS: String(columns) },
      });
      expect({ words, code }).toEqual({ words, code: 0 });
      const long = stdout.split('\n').filter((line) => widthOf(line) > columns && !line.startsWith('  $ '));
      astray.push(...long.map((line) => `${words.join(' ')}: ${line}`));
    }
    expect(astray).toEqual([]);
    expect(subjects.length).toBeGreaterThan(35);
  });

  inTerminal('fits the terminal at the top as well', async () => {
    expect(widest(await show(['--help'], 60))).toBeLessThanOrEqual(60);
    expect((await runCli(['--help'])).stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
