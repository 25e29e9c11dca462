import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-trouble-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
writeFileSync(join(dir, 'spec.yaml'), 'version: 1\nname: small\nstreams: {S: {subjects: [s]}}\n');

const run = (args: string[], env: Record<string, string> = {}) => runCli(args, { cwd: dir, env });

/** Runs with --json and gives exit code and error. */
async function failing(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await run([...args, '--json'], env);
  return { code, stderr, error: JSON.parse(stdout).error };
}

describe('a connection that fails', () => {
  test('names the server and what chose it', async () => {
    const { code, error, stderr } = await failing(['plan', 'spec.yaml'], { NATS_URL: 'nats://127.0.0.1:1' });
    expect({ code, error }).toMatchObject({ code: 69, error: { code: 'CONN_UNREACHABLE' } });
    expect(stderr).toContain('chosen by NATS_URL');
  });

  test('because the context does not exist names those that do', async () => {
    const config = join(dir, 'config');
    mkdirSync(join(config, 'nats', 'context'), { recursive: true });
    writeFileSync(join(config, 'nats', 'context', 'prod.json'), '{"url":"nats://127.0.0.1:1"}');
    writeFileSync(join(config, 'nats', 'context.txt'), 'prod');
    const unknown = await failing(['plan', 'spec.yaml', '--context', 'prd'], { XDG_CONFIG_HOME: config });
    expect(unknown).toMatchObject({ code: 64, error: { code: 'CONN_CONTEXT', hint: expect.stringContaining('prod') } });
    const selected = await failing(['plan', 'spec.yaml'], { XDG_CONFIG_HOME: config });
    expect(selected.stderr).toContain('context prod (the selected one)');
  });
});

describe('a server that allows too little', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      config: `accounts { A { jetstream: enabled, users: [
  {user: viewer, password: geheim, permissions: {publish: {deny: ["$JS.API.STREAM.CREATE.S", "$JS.API.DIRECT.GET.KV_osapi_ops.>"]}}}
  {user: test-setup, password: geheim}
] } }
no_auth_user: test-setup`,
    });
  });
  afterAll(() => server.stop());

  test('is told apart from a password that is wrong', async () => {
    const wrong = { NATS_URL: server.url, NATS_USER: 'viewer', NATS_PASSWORD: 'falsch!' };
    const { code, error, stderr } = await failing(['plan', 'spec.yaml'], wrong);
    expect({ code, error }).toMatchObject({ code: 77, error: { code: 'DENIED_CREDENTIALS' } });
    expect(stderr).toContain('user viewer (NATS_USER)');
    expect(stderr).not.toContain('falsch!');
  });

  test('has the denied subject named; what only the wording needs may be denied', async () => {
    const env = { NATS_URL: server.url, NATS_USER: 'viewer', NATS_PASSWORD: 'geheim' };
    const planned = await run(['plan', 'spec.yaml'], env);
    expect(planned.code).toBe(0);
    expect(planned.stderr).toContain('cannot be told');
    const applied = await failing(['apply', 'spec.yaml'], env);
    expect(applied).toMatchObject({ code: 77, error: { code: 'DENIED_SUBJECT' } });
    expect(applied.error.message).toMatch(/\$JS\.API\.(STREAM\.CREATE\.S|DIRECT\.GET\.KV_osapi_ops)/);
  });
});

describe('TLS', () => {
  let server: TestServer;
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    );
  const certificate = (name: string, san: string, days: string) => {
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    writeFileSync(file(`${name}.ext`), `subjectAltName=${san}`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      days,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.crt`,
    );
  };
  const tlsServer = (name: string) =>
    startServer({ config: `tls { cert_file: "${file(`${name}.crt`)}", key_file: "${file(`${name}.key`)}" }` });

  beforeAll(async () => {
    authority('ca');
    authority('wrong-ca');
    certificate('good', 'IP:127.0.0.1', '2');
    certificate('other-name', 'DNS:elsewhere.example', '2');
    server = await tlsServer('good');
  });
  afterAll(() => server.stop());

  test('with the right authority works', async () => {
    const { code, stderr } = await run(['plan', 'spec.yaml', '--tlsca', 'ca.crt'], { NATS_URL: server.url });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const trusted = { NATS_URL: server.url, NODE_EXTRA_CA_CERTS: file('ca.crt') };
    expect((await run(['plan', 'spec.yaml'], trusted)).code).toBe(0);
  });

  test.each([
    ['with a wrong authority', ['--tlsca', 'wrong-ca.crt']],
    ['with none', []],
  ])('%s says what to trust', async (_, flags) => {
    const { code, error } = await failing(['plan', 'spec.yaml', ...flags], { NATS_URL: server.url });
    expect({ code, error }).toMatchObject({
      code: 69,
      error: { code: 'CONN_TLS', hint: expect.stringContaining('--tlsca') },
    });
  });

  test('with a certificate for another name says so', async () => {
    const other = await tlsServer('other-name');
    const { code, error } = await failing(['plan', 'spec.yaml', '--tlsca', 'ca.crt'], { NATS_URL: other.url });
    expect({ code, error }).toMatchObject({
      code: 69,
      error: { code: 'CONN_TLS', message: expect.stringContaining('another name') },
    });
    await other.stop();
  });

  test('with a file that cannot be read says which', async () => {
    const { code, error } = await failing(['plan', 'spec.yaml', '--tlsca', 'none.crt'], { NATS_URL: server.url });
    expect({ code, error }).toMatchObject({
      code: 64,
      error: { code: 'USAGE_FILE', message: expect.stringContaining('none.crt') },
    });
  });
});

test('a server without JetStream is said to have none', async () => {
  const bare = await startServer({ jetstream: false });
  const { code, error } = await failing(['apply', 'spec.yaml'], { NATS_URL: bare.url });
  expect({ code, error }).toMatchObject({ code: 69, error: { code: 'CONN_NO_JETSTREAM' } });
  await bare.stop();
});
