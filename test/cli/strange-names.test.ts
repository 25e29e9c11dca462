import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeDead, makeQueue } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

// Servers take control characters in the name of a stream. Somebody's such stream stops nothing, and its name is text.

const NAME = 'ctl\x07\x1b[31mX';
const SHOWN = 'ctl\\x07\\x1b[31mX';

const runCli = warmCli();
const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-strange-'));
let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  await makeQueue(nats);
  await makeDead(nats, 2);
  await makeQueue(nats, { stream: NAME, subjects: ['odd.*'], consumer: 'w\x1b', ackWait: 50 });
  // Of such a stream the server's ack is no JSON.
  nats.nc.publish('odd.a', '{}');
  await letDie(nats, NAME, 'w\x1b');
  writeFileSync(
    join(cwd, 'q.yaml'),
    'version: 1\nname: other\nqueues:\n  Q:\n    subjects: ["q.*"]\n    consumers: {w: {}}\n',
  );
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(cwd, { recursive: true });
});

const LINES: readonly [words: string[], code: number, out?: string][] = [
  [['dlq', 'ls'], 0, '3 replayable'],
  [['dlq', 'ls', '--queue', 'REQUESTS'], 0],
  [['dlq', 'ls', '--queue', NAME], 0, SHOWN],
  [['dlq', 'show', `${NAME}/w\x1b/1`], 0, SHOWN],
  [['dlq', 'stats'], 0],
  [['dlq', 'replay', '--dry-run', 'REQUESTS/request-worker/1'], 0],
  [['dlq', 'replay', '--dry-run', '--queue', NAME], 0],
  [['status'], 2, `--queue $'ctl\\007\\033[31mX'`],
  // The server's ack of what is put back is no JSON.
  [['dlq', 'replay', '--queue', NAME], 0, 'Replayed 1 dead letter.'],
  [['dlq', 'rebuild', '--dry-run'], 0],
  [['request', 'ls'], 0, SHOWN],
  [['queue', 'pause', `${NAME}/w\x1b`], 0],
  [['queue', 'resume', `${NAME}/w\x1b`], 0],
  [['doctor'], 0],
  [['export'], 0],
  [['history'], 0],
  [['plan', 'q.yaml'], 0],
];

test('every command goes on, and prints no control character', async () => {
  for (const [words, code, out = ''] of LINES) {
    const said = await runCli(words, { server, cwd });
    expect({ words, ...said }).toMatchObject({ code });
    expect(`${said.stdout}${said.stderr}`).toContain(out);
    expect(`${said.stdout}${said.stderr}`.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  }
});
