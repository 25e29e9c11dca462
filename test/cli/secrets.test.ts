import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { runCli, startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Letters that stand in none of our words; a new secret for each run. */
const word = (): string => [...randomBytes(7)].map((byte) => 'QZXJVWKqzxjvwk'[byte % 14]).join('');
const [a, b] = [word(), word()];
const seed = `SU${[...randomBytes(56)].map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('')}`;
const jwt = `eyJ0eXAiOiJKV1Qi.${randomBytes(60).toString('base64url')}.${randomBytes(60).toString('base64url')}`;
const pem = `-----BEGIN PRIVATE KEY-----\n${randomBytes(48).toString('base64')}\n-----END PRIVATE KEY-----\n`;
const creds = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
const PARTS = [a, b, seed.slice(2, 30), ...jwt.split('.').slice(1), pem.split('\n')[1]!].map((part) =>
  part.slice(0, 40),
);

let dir: string;
let echo: Server;
let echoUrl: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-secrets-'));
  const contexts = join(dir, 'xdg', 'nats', 'context');
  mkdirSync(contexts, { recursive: true });
  const context = (name: string, fields: object) =>
    writeFileSync(join(contexts, `${name}.json`), JSON.stringify(fields));
  context('url', { url: `nats://u:${a}/${b}@h` });
  context('broken', { url: 'nats://127.0.0.1:1', password: a, user: 'u' });
  writeFileSync(join(contexts, 'damaged.json'), `{"url": "nats://127.0.0.1:1", "password": "${a}`);
  context('creds', { url: 'nats://127.0.0.1:1', creds });
  const spec = (name: string, connection: string) =>
    writeFileSync(join(dir, name), `version: 1\nname: shop\n${connection}\nqueues: {Q: {subjects: [q]}}\n`);
  spec('url.yaml', `connection: {servers: ["nats://u:${a}@${b}@h"]}`);
  spec('creds.yaml', `connection: {servers: ["nats://127.0.0.1:1"], creds: "${seed}"}`);
  spec('type.yaml', `connection: {password: [${a}, ${b}]}`);
  spec('colon.yaml', `connection: {password ${a}}`);
  spec('tag.yaml', `connection:\n  password: !${a}\n  token: *${b}`);
  spec('extends.yaml', `extends: \${SECRET}`);
  spec('fetched.yaml', `extends: https://u:${a}@h/base.yaml?token=${b}`);
  spec('good.yaml', '');
  // A server that says the password again when it refuses it.
  echo = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(
      `INFO ${JSON.stringify({ server_id: 'X', server_name: 'x', version: '2.15.0', max_payload: 1024, proto: 1, headers: true, auth_required: true })}\r\n`,
    );
    socket.on('data', (data) => {
      const said = /CONNECT (.*)\r\n/.exec(data.toString())?.[1];
      if (said) socket.end(`-ERR 'Authorization Violation for ${said.replaceAll("'", '')}'\r\n`);
    });
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  echoUrl = `nats://127.0.0.1:${(echo.address() as { port: number }).port}`;
});
afterAll(() => {
  echo.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Every form in which somebody, or something, reads what we say. */
const FORMS: readonly { readonly line: string; readonly env?: Record<string, string> }[] = [
  { line: 'status' },
  { line: 'status --json' },
  { line: 'status --output junit' },
  { line: 'status --output markdown' },
  { line: 'status --output github', env: { GITHUB_ACTIONS: 'true' } },
  { line: 'status --output nagios' },
  { line: 'status --output prometheus' },
  { line: 'doctor' },
  { line: 'doctor --json' },
  { line: 'plan good.yaml --markdown', env: { OSAPI_OPS_DEBUG: '1' } },
  { line: 'apply good.yaml --json', env: { GITHUB_ACTIONS: 'true' } },
  { line: 'worker run --builtin echo --log json' },
  { line: 'dlq ls --ndjson', env: { OSAPI_OPS_DEBUG: '1' } },
  { line: 'status --wait 1s' },
];

/** Every place where a secret can stand, and those where one is put by mistake. */
const PLACES: readonly {
  readonly place: string;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}[] = [
  { place: 'a password with a slash in a URL', env: { NATS_URL: `nats://u:${a}/${b}@h` } },
  { place: 'a password with a comma in a URL', env: { NATS_URL: `u:${a},${b}@h` } },
  { place: 'an @ too many', args: ['-s', `nats://u:${a}@${b}@h`] },
  { place: 'quotes left in', env: { NATS_URL: `"nats://u:${a}@h"` } },
  { place: 'an unknown scheme', args: [`--server=foo+tls://u:${a}@h`] },
  { place: 'a URL without a host', env: { NATS_URL: `nats://u:${a}@` } },
  { place: 'a good URL of no server', args: ['-s', `nats://u:${a}%2F${b}@127.0.0.1:1`] },
  { place: 'the creds where their path belongs', env: { NATS_CREDS: creds } },
  { place: 'the creds in one line', args: ['--creds', creds.replaceAll('\n', ' ')] },
  { place: 'a seed where its path belongs', env: { NATS_NKEY: seed } },
  { place: 'a password where a path belongs', args: ['--nkey', a] },
  { place: 'a key where its path belongs', env: { NATS_KEY: pem } },
  { place: 'inline data that is no base64', env: { NATS_CREDS: `data:${a}` } },
  { place: 'a variable that is none', env: { NATS_CREDS: `env://${a} ${b}` } },
  { place: 'a token that is refused', args: ['--token', a], env: { NATS_URL: 'ECHO' } },
  { place: 'a password that is refused', env: { NATS_URL: 'ECHO', NATS_USER: 'u', NATS_PASSWORD: `${a} "${b}` } },
  { place: 'a user that is a token', args: ['--user', a], env: { NATS_URL: 'ECHO' } },
  { place: 'a JWT that is refused', env: { NATS_URL: 'ECHO', NATS_JWT: jwt, NATS_SEED: seed } },
  { place: 'a seed that is none', env: { NATS_URL: 'ECHO', NATS_JWT: jwt, NATS_SEED: a } },
  { place: 'a context with such a URL', args: ['--context', 'url'] },
  { place: 'a context with a password', env: { NATS_CONTEXT: 'broken' } },
  { place: 'a context that is damaged', args: ['--context', 'damaged'] },
  { place: 'a context with the creds themselves', args: ['--context', 'creds'] },
  { place: 'a URL where a context belongs', env: { NATS_CONTEXT: `nats://u:${a}@h/${b}` } },
  { place: 'a spec with such a URL', args: ['-f', 'url.yaml'] },
  { place: 'a spec with a seed for a path', args: ['-f', 'creds.yaml'] },
  { place: 'a password of a wrong form', args: ['-f', 'type.yaml'] },
  { place: 'a password without a colon', args: ['-f', 'colon.yaml'] },
  { place: 'passwords with signs of YAML', args: ['-f', 'tag.yaml'] },
  { place: 'a variable in extends', args: ['-f', 'extends.yaml'], env: { SECRET: `${a}/${b}` } },
  { place: 'a URL in extends', args: ['-f', 'fetched.yaml'] },
  { place: 'a flag with a typing error', args: [`--pasword=${a}`] },
  { place: 'a flag with a typing error and a blank', args: ['--pasword', a] },
  { place: 'a flag without a blank', args: [`-p${a}`] },
  { place: 'a password with a blank', args: ['--user', 'u', '--password', a, '--json', '--quiet', '--pasword', b] },
];

describe.each(PLACES)('$place', ({ args = [], env = {} }) => {
  // Each place meets three forms, and each form many places.
  const offset = PLACES.findIndex(({ args: own = [], env: set = {} }) => own === args || set === env);
  const forms = [0, 5, 9].map((step) => FORMS[(offset + step) % FORMS.length]!);
  test.each(forms)('shows no part of it: $line', async ({ line, env: formEnv }) => {
    const url = env.NATS_URL === 'ECHO' ? { NATS_URL: echoUrl } : {};
    const words = line.split(' ').filter((part) => !(args[0] === '-f' && part === 'good.yaml'));
    const done = await runCli([...words, ...args, '--timeout', '300ms'], {
      cwd: dir,
      env: { XDG_CONFIG_HOME: join(dir, 'xdg'), ...formEnv, ...env, ...url },
    });
    const said = done.stdout + done.stderr;
    expect(said).not.toBe('');
    expect([0, 70]).not.toContain(done.code);
    for (const part of PARTS) expect(said).not.toContain(part);
  });
});

test.each(['before', 'within', 'after'])(
  'a password with a blank in it is not shown where the command stands %s',
  async (where) => {
    const flags = ['--password', a, b];
    const args =
      where === 'before'
        ? [...flags, 'status']
        : where === 'within'
          ? ['dlq', ...flags, 'stats']
          : ['dlq', 'stats', ...flags];
    const { code, stderr } = await runCli(args, { cwd: dir });
    expect(code).toBe(64);
    expect(stderr).not.toContain(b);
  },
);

describe('with a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ config: `authorization { user: ops, password: "${a}" }` });
  });
  afterAll(() => server.stop());

  test('nothing of a secret comes to be on the server, in a saved plan, or in what is exported', async () => {
    const env = { PW: a, BUILD_URL: `https://ci:${b}@ci.example.com/job/1` };
    const connection = `{user: ops, password: "\${PW}", servers: ["nats://ops:${a}@127.0.0.1:${server.port}"]}`;
    const queue = '{subjects: [q], consumers: {w: {}}, dlq: {stream: D}}';
    writeFileSync(join(dir, 'live.yaml'), `version: 1\nname: shop\nconnection: ${connection}\nqueues: {Q: ${queue}}\n`);
    const options = { cwd: dir, env };
    const lines = [
      'plan live.yaml --out live.plan',
      'apply live.yaml',
      'status -f live.yaml',
      'history -f live.yaml --json',
      'export',
      'doctor live.yaml',
    ];
    const said: string[] = [];
    for (const line of lines) {
      const own = line === 'export' ? { NATS_URL: server.url, NATS_USER: 'ops', NATS_PASSWORD: a } : {};
      const done = await runCli(line.split(' '), { ...options, env: { ...env, ...own } });
      expect({ line, code: done.code, stderr: done.stderr }).toMatchObject({
        line,
        code: expect.not.stringMatching('70'),
      });
      expect([0, 2]).toContain(done.code);
      said.push(done.stdout, done.stderr);
    }
    said.push(readFileSync(join(dir, 'live.plan'), 'utf8'));
    const nc = await connect({ servers: server.url, user: 'ops', pass: a });
    for (let seq = 1; seq < 50; seq++) {
      const { message } = (await nc.request('$JS.API.STREAM.MSG.GET.KV_osapi_ops', JSON.stringify({ seq }))).json<{
        message?: { data?: string };
      }>();
      const text = Buffer.from(message?.data ?? '', 'base64').toString();
      const { body } = text.startsWith('{"format"') ? JSON.parse(text) : { body: undefined };
      said.push(text, body ? gunzipSync(Buffer.from(body, 'base64')).toString() : '');
    }
    await nc.close();
    // What was applied is among it, and the history.
    expect(said.join('')).toContain('"connection":{');
    expect(said.join('')).toContain('https://***@ci.example.com/job/1');
    for (const part of PARTS) expect(said.join('\n')).not.toContain(part);
  });

  test('a handler of --exec has none of the worker’s credentials', async () => {
    const env = {
      NATS_URL: server.url,
      NATS_USER: 'ops',
      NATS_PASSWORD: 'env://QUEUE_PW',
      QUEUE_PW: a,
      COPY: a,
      OSAPI_OPS_DOMAIN: '',
      OSAPI_OPS_LOG: 'json',
      OTHER: 'stays',
    };
    const options = { cwd: dir, env };
    writeFileSync(
      join(dir, 'worker.yaml'),
      'version: 1\nname: shop\nqueues: {Q: {subjects: ["q.*"], consumers: {w: {}}, dlq: {stream: D}, responses: {bucket: r}}}\n',
    );
    expect((await runCli(['apply', 'worker.yaml', '--adopt'], options)).code).toBe(0);
    expect((await runCli(['request', 'send', 'x', '{"id":"one"}', '-f', 'worker.yaml'], options)).code).toBe(0);
    const worker = startCli(['worker', 'run', 'worker.yaml', '--exec', 'env', '--once'], options);
    expect((await worker.done).code).toBe(0);
    const { stdout } = await runCli(['request', 'get', 'one', '--raw', '-f', 'worker.yaml'], options);
    expect(stdout).toContain('OSAPI_REQUEST_ID=one\n');
    expect(stdout).toContain('OTHER=stays\n');
    expect(stdout).not.toMatch(/^(NATS_|OSAPI_OPS_|QUEUE_PW|COPY)/m);
    expect(stdout).not.toContain(a);
  });
});
