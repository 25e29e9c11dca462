import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

interface Said {
  readonly settings: { name: string; value: string; source: string }[];
  readonly symptoms: { id: string; status: string; summary: string; next?: string }[];
}

describe('doctor', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({
      config: `accounts {
        A { jetstream: enabled, users = [ { user: ann, password: geheim } ] }
        NONE { users = [ { user: bob, password: geheim } ] }
      }`,
    });
  });
  afterAll(() => server?.stop());

  const doctor = async (url: string, ...args: string[]) => {
    const result = await runCli(['doctor', '--json', '--timeout', '1s', ...args], { env: { NATS_URL: url } });
    const said: Said = JSON.parse(result.stdout);
    const bad = said.symptoms.filter(({ status }) => status === 'critical');
    return { ...result, said, bad: bad.map(({ id }) => id) };
  };

  test('tells what decided each setting, shows no secret, and finds nothing wrong', async () => {
    const { code, said, bad, stdout } = await doctor(server.url, '--user', 'ann', '--password', 'geheim');
    expect({ code, bad }).toEqual({ code: 0, bad: [] });
    expect(said.settings).toContainEqual({ name: 'server', value: server.url, source: 'NATS_URL' });
    expect(said.settings).toContainEqual({ name: 'user', value: 'ann', source: '--user' });
    expect(stdout).not.toContain('geheim');
    expect(said.symptoms.find(({ id }) => id === 'login')?.summary).toContain('user ann of account A');
    expect(said.symptoms.find(({ id }) => id === 'clock')).toMatchObject({ status: 'ok' });
  });

  test.each([
    {
      name: 'a name that does not resolve',
      url: 'nats://nothere.invalid:4222',
      args: [],
      code: 69,
      bad: ['dns', 'login'],
    },
    { name: 'a port that nobody listens on', url: 'nats://127.0.0.1:1', args: [], code: 69, bad: ['port', 'login'] },
  ])('finds $name', async ({ url, args, code, bad }) => {
    expect(await doctor(url, ...args)).toMatchObject({ code, bad });
  });

  test('finds something else at the port', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    try {
      const { code, said } = await doctor(`nats://127.0.0.1:${port}`);
      expect(code).toBe(69);
      expect(said.symptoms.find(({ id }) => id === 'greeting')?.summary).toContain('no NATS server');
    } finally {
      other.close();
    }
  });

  test('finds credentials that are refused', async () => {
    expect(await doctor(server.url, '--user', 'ann', '--password', 'wrong')).toMatchObject({
      code: 77,
      bad: ['login'],
    });
    expect(await doctor(server.url)).toMatchObject({ code: 77, bad: ['login'] });
  });

  test('finds an account without JetStream', async () => {
    const { code, bad } = await doctor(server.url, '--user', 'bob', '--password', 'geheim');
    expect({ code, bad }).toEqual({ code: 69, bad: ['jetstream'] });
  });

  test('finds TLS asked of a server that has none', async () => {
    const { code, bad } = await doctor(server.url.replace('nats:', 'tls:'), '--user', 'ann', '--password', 'geheim');
    expect(code).toBe(69);
    expect(bad).toContain('login');
  });
});
