import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BIN, type CliProcess, cleanEnv, runCli, startCli } from '../support/cli.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-listen-'));
  server = await startServer();
  expect((await runCli(['apply', 'config/dev.yaml'], { server })).code).toBe(0);
});
afterAll(async () => {
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

const PORTS = [/Metrics at http:\/\/127\.0\.0\.1:(\d+)\//, /127\.0\.0\.1:(\d+)/];

/** Milliseconds for an answer that must come: a bound for one that hangs, not for a machine that is busy. */
const PATIENCE_MS = 50_000;

/** Sends what it is told and gives what comes back until the connection ends, at most for so many milliseconds. */
function ask(port: number, bytes: string | Uint8Array, waitMs = PATIENCE_MS): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(end, waitMs);
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', end).on('close', end);
    socket.write(bytes);
  });
}

const get = (target: string, more = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\n${more}Connection: close\r\n\r\n`;

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  holder.close();
  await once(holder, 'close');
  return port;
}

const servers = [
  {
    name: 'status --listen',
    async start() {
      const cli = startCli(['status', '--listen', '127.0.0.1:0'], { server });
      return { cli, port: Number((await cli.until('stderr', PORTS[0]!))[1]) };
    },
  },
  {
    name: 'worker run --metrics-port',
    async start() {
      const port = await freePort();
      const args = ['worker', 'run', '--builtin', 'echo', `--metrics-port=${port}`];
      const cli = startCli(args, { server });
      await until(async () => (await ask(port, get('/metrics'))).includes('200 OK'), 'the worker tells its metrics');
      return { cli, port };
    },
  },
];

describe.each(servers)('$name', ({ start }) => {
  let cli: CliProcess;
  let port: number;
  beforeAll(async () => {
    ({ cli, port } = await start());
  });
  afterAll(async () => {
    cli.child.kill('SIGTERM');
    expect((await cli.done).code).toBe(0);
  });
  const stillServes = async () => {
    const said = await ask(port, get('/metrics'));
    expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(said).toContain('\n# TYPE osapi_');
  };

  test.each([
    ['GET //', get('//'), /^HTTP\/1\.1 404 /],
    ['GET /\\\\', get('/\\\\'), /^HTTP\/1\.1 404 /],
    ['a whole URL', get('http://[::1/metrics'), /^HTTP\/1\.1 404 /],
    ['a URL of another kind', get('://'), /^HTTP\/1\.1 400 /],
    ['parts that are no UTF-8', get('/%ff%fe/..%2f..%2fetc/passwd'), /^HTTP\/1\.1 404 /],
    ['bytes that are none of a URL', get('/\x80\x81\xff'), /^HTTP\/1\.1 (404|400) /],
    ['a query', get('/metrics?x=%zz'), /^HTTP\/1\.1 200 /],
    ['another method', 'DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 405 /],
    ['a method that is none', 'FROB /metrics HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', /^$/],
    ['an upgrade', get('/metrics', 'Upgrade: websocket\r\nConnection: upgrade\r\n'), /^HTTP\/1\.1 200 /],
    ['what expects something', get('/metrics', 'Expect: 999-nonsense\r\n'), /^HTTP\/1\.1 (417|200) /],
    ['no host', 'GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['an old version', 'GET /metrics HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 200 /],
    ['two lengths', get('/metrics', 'Content-Length: 1\r\nContent-Length: 2\r\n'), /^HTTP\/1\.1 400 /],
    ['a length and chunks', get('/metrics', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'), /^HTTP\/1\.1 400 /],
    ['huge headers', get('/metrics', `X: ${'x'.repeat(100_000)}\r\n`), /^(HTTP\/1\.1 431 |$)/],
    ['many headers', get('/metrics', 'X: y\r\n'.repeat(3000)), /^HTTP\/1\.1 (200|431) /],
    ['a huge path', get(`/${'x'.repeat(100_000)}`), /^(HTTP\/1\.1 431 |$)/],
    ['a greeting of NATS', 'CONNECT {"verbose":false}\r\nPING\r\n', /^HTTP\/1\.1 400 /],
    ['a greeting of TLS', Buffer.from('160301020001000000', 'hex'), /^HTTP\/1\.1 400 /],
    ['NUL bytes', Buffer.alloc(1000), /^HTTP\/1\.1 400 /],
    [
      'HEAD',
      'HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 200 OK(?:(?!osapi_)[\s\S])*$/,
    ],
  ])('answers %s, and goes on', async (_, bytes, want) => {
    expect(await ask(port, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)).toMatch(want);
    await stillServes();
  });

  test('goes on whatever is sent', async () => {
    const line = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constantFrom(
        'GET',
        'POST',
        ' /',
        ' //',
        ' HTTP/1.1',
        ' HTTP/9',
        '\r\n',
        '\n',
        ':',
        'Host: ',
        'Content-Length: 9\r\n',
        '\0',
      ),
      fc.constantFrom(
        'Transfer-Encoding: chunked\r\n',
        'ffffffffffffffff\r\n',
        '\r\n\r\n',
        '/metrics',
        '%',
        '?',
        '#',
        '\x80\xff',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 14 }), async (parts) => {
        await ask(port, Buffer.from(parts.join(''), 'latin1'), 20);
      }),
      { numRuns: 150 },
    );
    await stillServes();
  });

  test('goes on while a body never ends, while readers take nothing, and while they go before the answer', async () => {
    const sockets: Socket[] = [];
    const open = (text: string): Socket => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write(text);
      sockets.push(socket);
      return socket;
    };
    const endless = open('POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const timer = setInterval(() => endless.write(`fff\r\n${'x'.repeat(4095)}\r\n`), 5);
    for (let n = 0; n < 50; n++) open('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100)).pause();
    for (let n = 0; n < 50; n++) open(get('/metrics')).resetAndDestroy();
    await stillServes();
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    await stillServes();
  });

  test('serves again soon after thousands of connections that say nothing', async () => {
    const sockets = Array.from({ length: 2500 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    const slow = setInterval(() => {
      for (const socket of sockets.slice(0, 50)) socket.write('X');
    }, 500);
    await until(() => sockets.every(({ connecting }) => !connecting), 'all are there');
    // Those that were let in are let go when their headers do not come; no one else frees a place.
    await until(async () => (await ask(port, get('/metrics'))).includes('200 OK'), 'one gets in', PATIENCE_MS);
    clearInterval(slow);
    for (const socket of sockets) socket.destroy();
    await stillServes();
  });
});

describe('status --listen', () => {
  test('says nothing but where it serves', async () => {
    const cli = startCli(['status', '--listen', '127.0.0.1:0'], { server });
    await cli.until('stderr', PORTS[0]!);
    cli.child.kill('SIGINT');
    const { code, stdout, stderr } = await cli.done;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^Metrics at http:\/\/127\.0\.0\.1:\d+\/metrics\n$/),
    });
  });

  test.each([
    { args: ['broken.yaml'], code: 65, says: 'SPEC_INVALID' },
    { args: ['gone.yaml'], code: 65, says: 'SPEC_UNREADABLE' },
    { args: ['--context', 'gone'], code: 64, says: 'CONN_CONTEXT' },
    { args: ['-s', 'nats://a/b'], code: 64, says: 'it cannot be read' },
  ])('ends at once where it could never look: $args', async ({ args, code, says }) => {
    writeFileSync(join(dir, 'broken.yaml'), 'version: 1\nname: x\nqueues: {Q: {subjects: 5}}\n');
    const done = await runCli(['status', '--listen', '127.0.0.1:0', ...args], { cwd: dir });
    expect({ code: done.code, stderr: done.stderr }).toEqual({ code, stderr: expect.stringContaining(says) });
    expect(done.stderr).not.toContain('Metrics at');
  });

  test('serves that the server is down, and says what else is wrong', async () => {
    const down = startCli(['status', '--listen', '127.0.0.1:0', '-s', 'nats://127.0.0.1:1', '--timeout', '300ms']);
    const port = Number((await down.until('stderr', PORTS[0]!))[1]);
    expect(await ask(port, get('/metrics'))).toContain('\nosapi_ops_up 0\n');
    down.child.kill('SIGTERM');
    expect((await down.done).code).toBe(0);
  });

  test('outlives that no file descriptor is free', async () => {
    const script = `ulimit -n 60; exec '${process.execPath}' '${BIN}' status --listen 127.0.0.1:0`;
    const child = spawn('bash', ['-c', script], { env: cleanEnv({ server }) });
    let text = '';
    child.stderr.on('data', (part) => {
      text += part;
    });
    await until(() => PORTS[0]!.test(text), 'it says its port');
    const port = Number(PORTS[0]!.exec(text)![1]);
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => {}));
    await until(() => sockets.every(({ connecting }) => !connecting), 'all are there, taken or not');
    const isFull = () => readdirSync(`/proc/${child.pid}/fd`).length >= 60;
    await until(isFull, 'none is free');
    for (const socket of sockets) socket.destroy();
    await until(async () => (await ask(port, get('/metrics'))).includes('osapi_ops_up 1'), 'it serves', PATIENCE_MS);
    expect(text).toMatch(/^Metrics at .*\n$/);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});
