import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { letDie, makeDead, makeQueue } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { warmCli } from '../support/warm-cli.ts';

// Servers take control characters in the name of a stream. Somebody's such stream stops nothing, and its name is text.

const NAME = 'ctl\x07\x1b[31mX';
const SHOWN = 'ctl\\x07\\x1b[31mX';

const runCli = warmCli();
let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats, cwd } = lab);
});
beforeAll(async () => {
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
