import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { widthOf } from '../../src/lib/ui/text.ts';
import { runCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { makeDead } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { startInTerminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

jest.setTimeout(120_000);

let server: TestServer;
let nats: Nats;

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
  return terminal.raw().replaceAll('\r', '');
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
