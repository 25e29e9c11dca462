import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import type { StoredMessage } from '../../src/lib/model/message.ts';
import { orThrow } from '../../src/lib/nats/answer.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { readStream } from '../../src/lib/nats/streams.ts';
import { startCli } from '../support/cli.ts';
import { letDie, makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats } = lab);
});
beforeEach(async () => {
  await wipe(nats);
  await makeQueue(nats);
  await makeDead(nats, 5);
  cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-transform-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const replay = (code: string, ...args: string[]) => {
  writeFileSync(join(cwd, 'mend.mjs'), code);
  return runCli(['dlq', 'replay', '--transform', 'mend.mjs', ...args], { server, cwd });
};
const payloads = async (stream: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const { payload } of getRange(nats, stream, 1)) found.push(Buffer.from(payload).toString());
  return found;
};

const MEND = `export default (request) => {
  const body = JSON.parse(request.payload);
  console.log('seen', body.id);
  if (body.id === 'r4') return null;
  return { ...request, headers: { ...request.headers, Mended: 'yes' }, payload: { ...body, query: '\\u001b[2Jexample.org' } };
};
`;

test('what a module makes of each is shown first, and then published; what it skips stays', async () => {
  const shown = await replay(MEND, '--dry-run');
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain('Would replay 4 dead letters:');
  expect(shown.stdout.match(/would be changed:/g)).toHaveLength(3);
  expect(shown.stdout).toContain('- json:.query "example.com"\n');
  expect(shown.stdout).toContain('+ header:Mended yes\n');
  expect(shown.stdout).not.toContain('\u001b');
  expect(shown.stdout).toContain('\n  4 of 4 would be changed.\n');
  const json = JSON.parse((await replay(MEND, '--dry-run', '--json')).stdout);
  expect(json.changed).toBe(4);
  expect(json.samples[0]).toEqual({
    id: expect.stringMatching(/^REQUESTS\/request-worker\/\d$/),
    changes: [
      { path: 'header:Mended', from: null, to: 'yes' },
      { path: 'json:.query', from: '"example.com"', to: JSON.stringify('\u001b[2Jexample.org') },
    ],
  });
  expect(await payloads('REQUESTS_dlq')).toHaveLength(5);

  const done = await replay(MEND);
  expect(done).toMatchObject({ code: 0, stdout: 'Replayed 4 dead letters.\n1 dead letter skipped.\n' });
  expect((await payloads('REQUESTS')).filter((text) => text.includes('example.org'))).toHaveLength(4);
  const [record] = JSON.parse((await runCli(['history', '--json'], { server, cwd })).stdout);
  expect(record.detail.transform.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test.each([
  {
    name: 'that throws at the last one',
    line: 3,
    code: 'export default (request) => {\n  if (request.payload.includes("r4"))\n    throw new TypeError("no such kind \\u001b[2J");\n  return request;\n};\n',
    what: 'TypeError: no such kind',
  },
  {
    name: 'that cannot be read',
    line: 2,
    code: 'export default (request) => {\n  return request request;\n};\n',
    what: 'SyntaxError',
  },
  { name: 'that misses another', line: undefined, code: 'import "./none.mjs";\n', what: 'none.mjs' },
  { name: 'that returns nothing', line: undefined, code: 'export default () => {};\n', what: 'returned nothing' },
  { name: 'without a function', line: undefined, code: 'export const a = 1;\n', what: 'default export' },
])('a module $name is an error with its place, and nothing moved', async ({ code, line, what }) => {
  const { code: exit, stderr } = await replay(code);
  expect(exit).toBe(64);
  expect(stderr).toContain(what);
  expect(stderr).not.toContain('\u001b');
  if (line !== undefined) expect(stderr).toContain(`mend.mjs:${line}`);
  expect([await payloads('REQUESTS'), await payloads('REQUESTS_dlq')].map(({ length }) => length)).toEqual([5, 5]);
});

test('a dry run tells what the copies will be, and no change that a replay does not make', async () => {
  await wipe(nats);
  await makeQueue(nats);
  const hdrs = headers();
  hdrs.set('Nats-Msg-Id', 'old');
  hdrs.set('Kept', 'a');
  await put(nats, 'requests.dns', '{"big":9007199254740995,"text":"9007199254740995","n":1}', hdrs);
  await letDie(nats);
  const all = (rest: string) =>
    `export default (request) => ({ ...request, subject: 'requests.http', headers: { ...request.headers, 'Nats-Rollup': 'sub',
      'Nats-TTL': '1h', 'Nats-Expected-Stream': 'X', 'Osapi-Replay-Of': 'x', 'Osapi-Replay-Count': '7' ${rest} } });`;
  const dry = async (code: string, ...args: string[]) =>
    JSON.parse((await replay(code, '--dry-run', '--json', ...args)).stdout);
  const subject = { path: 'subject', from: 'requests.dns', to: 'requests.http' };
  expect((await dry(all(''))).samples[0].changes).toEqual([subject]);
  expect(await dry(all(''), '--to', 'requests.tls')).toMatchObject({ changed: 0, samples: [] });
  const id = { path: 'header:Osapi-Original-Msg-Id', from: 'old', to: 'new' };
  expect((await dry(all(`, 'Nats-Msg-Id': 'new'`))).samples[0].changes).toEqual([subject, id]);

  const numbers = `export default (request) => ({ ...request, payload: '{"big":1,"text":"x","n":1}' });`;
  const { stdout } = await replay(numbers, '--dry-run');
  expect(stdout).toContain('- json:.big 9007199254740995\n');
  expect(stdout).toContain('+ json:.big 1\n');
  expect(stdout).toContain('- json:.text "9007199254740995"\n');

  // What is told is what the copy becomes.
  await replay(all(`, 'Nats-Msg-Id': 'new'`));
  let copy: StoredMessage | undefined;
  for await (const one of getRange(nats, 'REQUESTS', 1)) copy = one;
  expect(copy!.subject).toBe('requests.http');
  const stored = Buffer.from(copy!.headers).toString();
  expect(stored).toContain('Osapi-Original-Msg-Id: new');
  expect(stored).toContain('Osapi-Replay-Count: 1\r');
  expect(stored).not.toMatch(/Nats-Rollup|Nats-TTL|Expected-Stream: X/);
});

test('a module that fails when it is asked again is told with what moved and what remains, and prints no escape', async () => {
  const code = `let asked = 0;
export default (request) => {
  console.log('\\u001b[2Jout');
  console.error('\\u001b[2Jerr');
  if (++asked > 5) throw new Error('again');
  return { ...request, payload: 'x' };
};
`;
  const { code: exit, stderr } = await replay(code);
  expect(exit).toBe(64);
  expect(stderr).toContain('Error: again: 0 replayed, 5 remain\n');
  expect(stderr).toContain('\\x1b[2Jout\n');
  expect(stderr).toContain('\\x1b[2Jerr\n');
  expect(stderr).not.toContain('\u001b');
  expect([await payloads('REQUESTS'), await payloads('REQUESTS_dlq')].map(({ length }) => length)).toEqual([5, 5]);
});

test('a module that is not there is told as that', async () => {
  const { code, stderr } = await runCli(['dlq', 'replay', '--transform', 'none.mjs'], { server, cwd });
  expect(code).toBe(64);
  expect(stderr).toContain('none.mjs');
});

test.each(['--dry-run', '--wait'])(
  'a module that never comes back is ended by Ctrl-C, and nothing moved: %s',
  async (flag) => {
    writeFileSync(join(cwd, 'mend.mjs'), 'export default () => { console.log("begun"); for (;;) {} };\n');
    const cli = startCli(['dlq', 'replay', '--transform', 'mend.mjs', flag], { server, cwd });
    await cli.until('stderr', /begun/);
    cli.child.kill('SIGINT');
    expect(await cli.done).toMatchObject({ code: 130, stderr: expect.stringContaining('INTERRUPTED') });
    expect([await payloads('REQUESTS'), await payloads('REQUESTS_dlq')].map(({ length }) => length)).toEqual([5, 5]);
  },
);

test('a module that changes nothing is told of: the dry run has 0 of all, the run warns', async () => {
  const code = 'export default (request) => ({ ...request, payload: JSON.parse(request.payload) });';
  expect((await replay(code, '--dry-run')).stdout).toContain('\n  0 of 5 would be changed.\n');
  expect(JSON.parse((await replay(code, '--dry-run', '--json')).stdout)).toMatchObject({ changed: 0, samples: [] });
  const done = await replay(code);
  expect(done).toMatchObject({ code: 0, stdout: 'Replayed 5 dead letters.\n' });
  expect(done.stderr).toContain('the transform changes nothing: 0 of 5');
});

test.each([
  { name: 'a subject', made: "subject: 'other.dns'", why: 'stream REQUESTS does not take other.dns' },
  { name: 'a size', made: "payload: 'x'.repeat(2 ** 20)", why: 'too large' },
])('the dry run refuses $name that the run refuses', async ({ made, why }) => {
  const code = `export default (request) => (request.payload.includes('r4') ? { ...request, ${made} } : request);`;
  const shown = await replay(code, '--dry-run', '--json');
  expect(shown.code).toBe(1);
  expect(JSON.parse(shown.stdout)).toMatchObject({ remaining: 4, failed: 1, changed: 0 });
  expect(shown.stderr).toContain(why);
  const done = await replay(code);
  expect(done.code).not.toBe(0);
  expect(done.stderr).toContain(why);
  expect([await payloads('REQUESTS'), await payloads('REQUESTS_dlq')].map(({ length }) => length)).toEqual([5, 1]);
});

test.each([
  { more: -1, failed: 0 },
  { more: 0, failed: 0 },
  { more: 1, failed: 1 },
])('the dry run knows max_msg_size to the byte: $more', async ({ more, failed }) => {
  const code = (length: number) =>
    `export default (request) => (request.payload.includes('r4') ? { ...request, payload: 'r4' + 'x'.repeat(${length}) } : null);`;
  const beyond = JSON.parse((await replay(code(2 ** 20), '--dry-run', '--json')).stdout);
  const [, size = ''] = /it is (\d+) bytes/.exec(
    beyond.entries.find(({ error = '' }: { error?: string }) => error.includes('bytes')).error,
  )!;
  const headers = Number(size) - 2 ** 20 - 2;
  const { config } = await orThrow(readStream(nats, 'REQUESTS'));
  await nats.api('STREAM.UPDATE.REQUESTS', { ...config, max_msg_size: 2000 });
  const made = code(2000 - headers - 2 + more);
  expect(JSON.parse((await replay(made, '--dry-run', '--json')).stdout)).toMatchObject({ failed });
  expect((await replay(made)).code === 0).toBe(failed === 0);
});

test('a module that fails for several is told with how many, and the first five', async () => {
  const code = 'export default (request) => {\n  throw new TypeError("no " + request.id);\n};\n';
  await makeDead(nats, 1);
  for (const args of [[], ['--dry-run']]) {
    const { code: exit, stderr } = await replay(code, ...args);
    expect(exit).toBe(64);
    expect(stderr).toContain('--transform: it fails for 6 of 6, of which the first 5 are told');
    expect(stderr.match(/REQUESTS\/request-worker\/\d+: TypeError: no/g)).toHaveLength(5);
    expect(stderr).toContain('mend.mjs:2');
  }
  expect(await payloads('REQUESTS_dlq')).toHaveLength(6);
});

test('a dry run that is to edit says that it opens no editor', async () => {
  const { code, stderr } = await runCli(['dlq', 'replay', '--edit', '--dry-run'], {
    server,
    cwd,
    env: { EDITOR: 'false' },
  });
  expect(code).toBe(0);
  expect(stderr).toContain('a dry run opens no editor');
});
