import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.ts';
import { runCli } from '../support/cli.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';

const HERE = 'DNS:localhost,IP:127.0.0.1';

needing('openssl').describe('doctor before a server with TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-tls-'));
  const servers: TestServer[] = [];
  let ca: Certificate;
  let other: Certificate;
  let client: Certificate;
  const certificates: Record<string, Certificate> = {};
  const started = new Map<string, Promise<TestServer>>();

  beforeAll(() => {
    ca = makeAuthority(dir, 'ours');
    other = makeAuthority(dir, 'other');
    client = makeCertificate(dir, 'client', { authority: ca, names: 'DNS:client' });
    certificates.good = makeCertificate(dir, 'good', { authority: ca, names: HERE });
    certificates.old = makeCertificate(dir, 'old', { authority: ca, names: HERE, days: -1 });
    certificates.named = makeCertificate(dir, 'named', { authority: ca, names: 'DNS:nats.example' });
    certificates.soon = makeCertificate(dir, 'soon', { authority: ca, names: HERE, days: 3 });
  });
  afterAll(async () => {
    for (const server of servers) await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function start(kind: string): Promise<TestServer> {
    const [name = '', how = ''] = kind.split('+');
    const { cert, key } = certificates[name]!;
    const verify = how === 'verify' ? `, ca_file: "${ca.cert}", verify: true` : '';
    const first = how === 'first' ? ', handshake_first: true' : '';
    const server = await startServer({ config: `tls { cert_file: "${cert}", key_file: "${key}"${verify}${first} }` });
    servers.push(server);
    return server;
  }
  const serverOf = (kind: string): Promise<TestServer> => {
    if (!started.has(kind)) started.set(kind, start(kind));
    return started.get(kind)!;
  };

  async function doctor(url: string, ...args: string[]) {
    const result = await runCli(['doctor', '--json', '--timeout', '3s', ...args], { env: { NATS_URL: url } });
    const { symptoms } = JSON.parse(result.stdout) as {
      symptoms: { id: string; status: string; summary: string; next?: string }[];
    };
    return { code: result.code, tls: symptoms.filter(({ id }) => id === 'tls'), symptoms };
  }
  const trust = () => ['--tlsca', ca.cert];

  test.each([
    {
      server: 'good',
      args: () => trust(),
      code: 0,
      status: 'ok',
      says: /issued by ours, for this name, expires in 36\d/,
    },
    { server: 'soon', args: () => trust(), code: 1, status: 'critical', says: /expires in [23] days/, next: /renew/ },
    { server: 'old', args: () => trust(), code: 69, status: 'critical', says: /expired 1 day ago/, next: /renew/ },
    {
      server: 'good',
      args: () => ['--tlsca', other.cert],
      code: 69,
      status: 'critical',
      says: /issued by ours, is not trusted here/,
      next: /--tlsca/,
    },
    { server: 'good', args: () => [], code: 69, status: 'critical', says: /not trusted here/, next: /--tlsca/ },
    {
      server: 'named',
      args: () => trust(),
      code: 69,
      status: 'critical',
      says: /its certificate is for nats\.example, and we connect to 127\.0\.0\.1/,
      next: /a name that is in the certificate/,
    },
    {
      server: 'good+verify',
      args: () => trust(),
      code: 69,
      status: 'critical',
      says: /wants a certificate of ours/,
      next: /--tlscert/,
    },
    {
      server: 'good+verify',
      args: () => [...trust(), '--tlscert', client.cert, '--tlskey', client.key],
      code: 0,
      status: 'ok',
      says: /issued by ours/,
    },
  ])('$server: exits $code and says $says', async ({ server, args, code, status, says, next }) => {
    const { url } = await serverOf(server);
    const said = await doctor(url, ...args());
    expect(said.tls).toMatchObject([{ status, summary: expect.stringMatching(says) }]);
    if (next) expect(said.tls[0]?.next).toMatch(next);
    expect(said.code).toBe(code);
  });

  test('tells TLS asked of a server that has none, and what it does not ask where the server wants it first', async () => {
    const plain = await startServer();
    servers.push(plain);
    const none = await doctor(plain.url.replace('nats:', 'tls:'));
    expect(none.code).toBe(69);
    expect(none.tls).toMatchObject([{ status: 'critical', summary: expect.stringContaining('does not speak it') }]);
    const { url } = await serverOf('good+first');
    const silent = await doctor(url, ...trust());
    expect(silent.code).toBe(69);
    expect(silent.symptoms.find(({ id }) => id === 'greeting')?.next).toContain('--tlsfirst');
    expect(await doctor(url, ...trust(), '--tlsfirst')).toMatchObject({ code: 0, tls: [{ status: 'ok' }] });
  });
});
