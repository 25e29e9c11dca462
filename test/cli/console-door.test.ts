import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';
import { type Answer, ask, raw, startConsole, type TestConsole } from '../support/console.ts';

// Nothing of the door needs a server of NATS: it stands before that is asked.
const nowhere = { env: { NATS_URL: 'nats://127.0.0.1:1' }, isAway: true } as const;

let page: TestConsole;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-console-'));
  page = await startConsole([], nowhere);
});
afterAll(async () => {
  await page.stop();
  rmSync(dir, { recursive: true, force: true });
});

const own = () => ({ cookie: page.session.cookie, 'x-osapi-ops-key': page.session.key });
const origin = () => `http://127.0.0.1:${page.port}`;

describe('who is let in', () => {
  test.each([
    { name: 'another name that points here', host: 'evil.example:PORT' },
    { name: 'a name that ends as ours', host: 'evil-localhost:PORT' },
    { name: 'a name that begins as ours', host: 'localhost.evil.example:PORT' },
    { name: 'another port', host: '127.0.0.1:1' },
    { name: 'no port', host: '127.0.0.1' },
    { name: 'another loopback address', host: '127.0.0.2:PORT' },
    { name: 'ours with a dot', host: 'localhost.:PORT' },
  ])('refuses $name as its host, with a session too', async ({ host }) => {
    const headers = { ...own(), host: host.replace('PORT', String(page.port)) };
    for (const path of ['/', '/api/about', '/api/runs', '/download/x']) {
      const { status, json } = await ask(page.port, 'GET', path, { headers });
      expect([path, status, json.error.code]).toEqual([path, 403, 'CONSOLE_FOREIGN']);
    }
  });

  test.each(['127.0.0.1', 'localhost', '[::1]'])('is known as %s', async (name) => {
    const headers = { ...own(), host: `${name}:${page.port}` };
    expect((await ask(page.port, 'GET', '/api/about', { headers })).status).toBe(200);
  });

  test('refuses a request with two hosts, and one with none', async () => {
    const two = await raw(
      page.port,
      `GET /api/about HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    );
    expect(two.text).not.toMatch(/^HTTP\/1.1 200/);
    const none = await raw(page.port, 'GET /api/about HTTP/1.0\r\n\r\n');
    expect(none.text).toMatch(/^HTTP\/1.1 403/);
    const absolute = `GET http://evil.example/api/about HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nConnection: close\r\n\r\n`;
    expect((await raw(page.port, absolute)).text).not.toMatch(/^HTTP\/1.1 200/);
  });

  test.each([
    { name: 'another origin', headers: { origin: 'https://evil.example' } },
    { name: 'an origin of another port of this host', headers: { origin: 'http://127.0.0.1:1' } },
    { name: 'an origin of another scheme', headers: { origin: 'https://127.0.0.1:PORT' } },
    { name: 'no origin at all, as of a sandboxed frame', headers: { origin: 'null' } },
    { name: 'our other name as origin', headers: { origin: 'http://localhost:PORT' } },
    { name: 'another site', headers: { 'sec-fetch-site': 'cross-site' } },
    { name: 'another port of this host, which is the same site', headers: { 'sec-fetch-site': 'same-site' } },
    { name: 'an address that was typed', headers: { 'sec-fetch-site': 'none' } },
  ])('refuses $name for what is asked of the server', async ({ headers }) => {
    const sent = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, v.replace('PORT', String(page.port))]));
    const looked = await ask(page.port, 'GET', '/api/runs', { headers: { ...own(), ...sent } });
    expect([looked.status, looked.json.error.code]).toEqual([403, 'CONSOLE_FOREIGN']);
    const acted = await ask(page.port, 'POST', '/api/runs', {
      headers: { ...own(), 'content-type': 'application/json', ...sent },
      body: '{"verb":"pause","target":"REQUESTS"}',
    });
    expect([acted.status, acted.json.error.code]).toEqual([403, 'CONSOLE_FOREIGN']);
    expect((await page.get('/api/runs')).json).toEqual([]);
  });

  test('refuses an act that does not say where it comes from', async () => {
    const body = '{"verb":"pause","target":"REQUESTS"}';
    const headers = { ...own(), 'content-type': 'application/json' };
    const { status, json } = await ask(page.port, 'POST', '/api/runs', { headers, body });
    expect([status, json.error.code]).toEqual([403, 'CONSOLE_FOREIGN']);
  });

  test('opens as a page of its own from a link elsewhere, and lets nobody put it into a frame', async () => {
    const from = { 'sec-fetch-site': 'cross-site' };
    const opened = await ask(page.port, 'GET', '/', {
      headers: { ...from, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    });
    expect(opened.status).not.toBe(403);
    const framed = await ask(page.port, 'GET', '/', {
      headers: { ...from, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    });
    expect(framed.status).toBe(403);
    const script = await ask(page.port, 'GET', '/main.js', { headers: { ...from, 'sec-fetch-dest': 'script' } });
    expect(script.status).toBe(403);
  });

  test('sends its page compressed to who takes that, and not again to who has it', async () => {
    const plain = await ask(page.port, 'GET', '/main.js');
    const small = await ask(page.port, 'GET', '/main.js', { headers: { 'accept-encoding': 'gzip, br' } });
    expect([small.headers['content-encoding'], small.headers.vary]).toEqual(['gzip', 'accept-encoding']);
    expect(Number(small.headers['content-length'])).toBeLessThan(0.5 * Number(plain.headers['content-length']));
    const etags = [plain, small].map(({ headers }) => String(headers.etag));
    expect(etags[0]).not.toBe(etags[1]);
    const again = { 'accept-encoding': 'gzip', 'if-none-match': etags[1]! };
    expect((await ask(page.port, 'GET', '/main.js', { headers: again })).status).toBe(304);
  });

  test('tells browsers to run, frame, sniff and tell nothing', async () => {
    for (const path of ['/', '/api/about', '/nothing']) {
      const { headers } = await ask(page.port, 'GET', path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      const policy = String(headers['content-security-policy']);
      for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
        expect(policy).toContain(rule);
      expect(policy).not.toMatch(/unsafe|eval|\*/);
    }
  });
});

describe('a session', () => {
  test('needs both halves', async () => {
    const { cookie, 'x-osapi-ops-key': key } = own();
    const halves: Record<string, string>[] = [
      {},
      { cookie },
      { 'x-osapi-ops-key': key },
      { cookie, 'x-osapi-ops-key': `${key.slice(0, -1)}_` },
      { cookie: `${cookie.slice(0, -2)}zz`, 'x-osapi-ops-key': key },
      { cookie, 'x-osapi-ops-key': '' },
    ];
    for (const headers of halves) {
      for (const path of ['/api/about', '/api/queues', '/api/events', '/api/runs', '/api/dlq/ls', '/api/nothing']) {
        const { status, json } = await ask(page.port, 'GET', path, { headers });
        expect([path, status, json.error.code]).toEqual([path, 401, 'CONSOLE_SESSION']);
      }
    }
  });

  test('is one of a cookie that no script reads, no other site sends, and another port does not meet', async () => {
    const other = await startConsole([], nowhere);
    try {
      expect(other.session.cookie.split('=')[0]).toBe(`osapi_ops_console_${other.port}`);
      const headers = { cookie: page.session.cookie, 'x-osapi-ops-key': page.session.key };
      expect((await ask(other.port, 'GET', '/api/about', { headers })).status).toBe(401);
      // A browser sends both: each console finds its own.
      const cookie = `${page.session.cookie}; ${other.session.cookie}`;
      expect(
        (await ask(other.port, 'GET', '/api/about', { headers: { cookie, 'x-osapi-ops-key': other.session.key } }))
          .status,
      ).toBe(200);
    } finally {
      await other.stop();
    }
  });

  test('begins by a printed address once; then the terminal has the next one', async () => {
    const begin = (token: string) =>
      ask(page.port, 'POST', '/api/session', {
        headers: { origin: origin(), 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      });
    const stolen = await begin(page.token);
    expect([stolen.status, stolen.json.error.code]).toEqual([401, 'CONSOLE_SESSION']);
    for (const wrong of ['', 'x', page.token.slice(0, -1), `${page.token}x`])
      expect((await begin(wrong)).status).toBe(401);
    const [, next = ''] = await page.cli.until('stderr', /another browser: http:\S+#token=(\S+)/);
    const begun = await begin(next);
    expect(begun.status).toBe(200);
    expect(String(begun.headers['set-cookie'])).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect((await begin(next)).status).toBe(401);
  });

  test('ends when it is told to, and its streams with it', async () => {
    const one = await startConsole([], nowhere);
    try {
      const { cookie, key } = one.session;
      let stream: Promise<Answer> | undefined;
      await new Promise<void>((onBegin) => {
        stream = ask(one.port, 'GET', '/api/events', { headers: { cookie, 'x-osapi-ops-key': key }, onBegin });
      });
      expect((await one.ask('DELETE', '/api/session')).status).toBe(200);
      expect((await stream)?.text).toContain('event: bye');
      expect((await one.get('/api/about')).status).toBe(401);
    } finally {
      await one.stop();
    }
  });

  test('by a token of one’s own begins again and again, and that is printed nowhere', async () => {
    const token = 'a-token-of-my-own-that-is-long-enough';
    const one = await startConsole([], { ...nowhere, env: { ...nowhere.env, OSAPI_OPS_CONSOLE_TOKEN: token } });
    try {
      const again = await ask(one.port, 'POST', '/api/session', {
        headers: { origin: `http://127.0.0.1:${one.port}`, 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      });
      expect(again.status).toBe(200);
      expect(one.cli.stdout() + one.cli.stderr()).not.toContain(token);
    } finally {
      await one.stop();
    }
  });

  test.each([
    {
      name: 'a token that is too short',
      args: [],
      env: { OSAPI_OPS_CONSOLE_TOKEN: 'x'.repeat(31) },
      says: 'too short',
    },
    {
      name: 'other hosts without a token',
      args: ['--allow-remote', 'ops.example.com'],
      env: {},
      says: 'needs a token',
    },
    { name: 'what is no host', args: ['--allow-remote', 'http://x/'], env: {}, says: 'is no host' },
    { name: 'a spec that is read once', args: ['-'], env: {}, says: 'read once' },
    { name: 'specs of two servers', args: ['config/dev.yaml', 'other.yaml'], env: {}, says: 'a server of its own' },
  ])('refuses $name', async ({ args, env, says }) => {
    const spec =
      'version: 1\nname: other\nconnection: {servers: ["nats://10.0.0.1:4222"]}\nqueues: {OTHER: {subjects: [other.*]}}\n';
    writeFileSync(join(dir, 'other.yaml'), spec);
    const named = args.map((word) => (word === 'other.yaml' ? join(dir, word) : word));
    // A variable would name the server for all of them.
    const { NATS_URL: _, ...rest } = nowhere.env;
    const { code, stderr, stdout } = await runCli(['console', ...named], { env: { ...rest, ...env } });
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(says);
  });

  test('answers another host where that is allowed, by the token of a file, and says what it means', async () => {
    const file = join(dir, 'token');
    const token = 'B'.repeat(32);
    writeFileSync(file, `${token}\n`);
    const args = ['--allow-remote', 'Ops.example.com', '--token-file', file];
    const { startCli } = await import('../support/cli.ts');
    const cli = startCli(['console', ...args], { env: nowhere.env });
    try {
      const [, port = ''] = await cli.until('stdout', /http:\/\/ops\.example\.com:(\d+)\/\n/);
      expect(cli.stderr()).toMatch(/without encryption/);
      const body = JSON.stringify({ token });
      const begin = (host: string, from: string) =>
        ask(Number(port), 'POST', '/api/session', {
          headers: { host, origin: from, 'content-type': 'application/json' },
          body,
        });
      expect((await begin(`ops.example.com:${port}`, `http://ops.example.com:${port}`)).status).toBe(200);
      expect((await begin(`other.example.com:${port}`, `http://other.example.com:${port}`)).status).toBe(403);
    } finally {
      cli.child.kill('SIGTERM');
      await cli.done;
    }
  });
});

describe('a hostile client costs others nothing', () => {
  const still = async () => expect((await page.get('/api/about')).status).toBe(200);

  test('with a body that is too large, told before or not', async () => {
    const long = 'x'.repeat(1024 * 1024 + 1);
    const told = await page.ask('POST', '/api/runs', long).catch(() => undefined);
    if (told) expect([told.status, told.json.error.code]).toEqual([413, 'CONSOLE_TOO_LARGE']);
    const head = `POST /api/runs HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nOrigin: ${origin()}\r\nCookie: ${page.session.cookie}\r\nX-Osapi-Ops-Key: ${page.session.key}\r\nContent-Type: application/json\r\n`;
    const declared = await raw(page.port, `${head}Content-Length: 1048577\r\n\r\n`);
    expect(declared).toMatchObject({ ended: true, text: expect.stringMatching(/^HTTP\/1.1 413/) });
    const chunk = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`;
    const chunked = await raw(page.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`);
    expect(chunked).toMatchObject({ ended: true });
    // Of somebody without a session not even that much is read.
    const stranger = `POST /api/session HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nOrigin: ${origin()}\r\nContent-Type: application/json\r\nContent-Length: 4097\r\n\r\n`;
    expect((await raw(page.port, stranger)).text).toMatch(/^HTTP\/1.1 413/);
    await still();
  });

  test('with headers without end, another protocol, a proxy’s request, or garbage', async () => {
    const lines = [
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
      '\u0000\u0001\u0002\r\n\r\n',
      'PUB x 0\r\n\r\n',
    ];
    for (const line of lines) {
      const { text, ended } = await raw(page.port, line);
      expect({ ended, isRefused: !/^HTTP\/1.1 [23]/.test(text) }).toEqual({ ended: true, isRefused: true });
    }
    await still();
  });

  test('with a body that is no JSON, of another type, or of another shape', async () => {
    const bodies = ['{', '[]', '"x"', 'null', '{"verb":1}', '{"verb":"__proto__"}', '{"verb":"replay","plan":{}}'];
    for (const body of bodies) {
      const { status } = await ask(page.port, 'POST', '/api/runs', {
        headers: { ...own(), origin: origin(), 'content-type': 'application/json' },
        body,
      });
      expect([body, status >= 400 && status < 500]).toEqual([body, true]);
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const { status } = await ask(page.port, 'POST', '/api/runs', {
        headers: { ...own(), origin: origin(), 'content-type': type },
        body: '{"verb":"pause","target":"REQUESTS"}',
      });
      expect([type, status]).toEqual([type, 400]);
    }
    expect((await page.get('/api/runs')).json).toEqual([]);
  });

  test('with hundreds of connections that say nothing, or say it slowly', async () => {
    const sockets = Array.from({ length: 300 }, () => connect(page.port, '127.0.0.1').on('error', () => {}));
    await sleep(500);
    for (const [index, socket] of sockets.entries()) if (index % 2) socket.write('GET / HTTP/1.1\r\nX-Slow: ');
    await still();
    await still();
    // Half a head is waited for five seconds, and no longer.
    const slow = await raw(page.port, 'GET / HTTP/1.1\r\nHost: x\r\n');
    expect(slow.ended).toBe(true);
    for (const socket of sockets) socket.destroy();
    await still();
  });

  test('with more streams than a page needs', async () => {
    const one = await startConsole([], nowhere);
    try {
      const asked = Array.from({ length: 5 }, () => one.get('/api/events'));
      // Whichever comes last; the others go on.
      const fifth = await Promise.race(asked);
      expect([fifth.status, fifth.json.error.code]).toEqual([429, 'CONSOLE_LIMIT']);
      await one.ask('DELETE', '/api/session');
      const streams = (await Promise.all(asked)).filter((answer) => answer !== fifth);
      for (const { text } of streams) expect(text).toContain('event: server');
    } finally {
      await one.stop();
    }
  });

  test('with a path out of the folder of the page', async () => {
    const paths = [
      '/../package.json',
      '/..%2fpackage.json',
      '/%2e%2e/package.json',
      '/console/../../main.cjs',
      '//evil.example/',
      '/.env',
    ];
    for (const path of paths) {
      const { text } = await raw(
        page.port,
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${page.port}\r\nConnection: close\r\n\r\n`,
      );
      expect([path, text.split('\r\n')[0]]).toEqual([path, 'HTTP/1.1 404 Not Found']);
    }
  });
});

describe('what is asked for', () => {
  test('names no file of this machine', async () => {
    for (const query of ['file=/etc/passwd', 'ids=/etc/passwd', 'archive=x', 'transform=/tmp/x.mjs', 'out=/tmp/x']) {
      const { status, json } = await page.get(`/api/dlq/overview?${query}`);
      expect([query, status, json.error.code]).toEqual([query, 400, 'USAGE']);
    }
    const planned = await page.post('/api/plans', {
      verb: 'replay',
      filters: {},
      options: { transform: '/tmp/x.mjs' },
    });
    expect([planned.status, planned.json.error.code]).toEqual([400, 'USAGE']);
  });

  test('is read by the rules of a command line', async () => {
    const { status, json } = await page.get('/api/dlq/ls?state=dead');
    expect([status, json.error.code]).toEqual([400, 'USAGE']);
    expect(json.error.message).toContain('--state');
    for (const wrong of ['limit=0', 'rows=0', 'rows=1001'])
      expect([wrong, (await page.get(`/api/dlq/ls?${wrong}`)).status]).toEqual([wrong, 400]);
    expect((await page.get('/api/dlq/show?id=x')).status).toBe(400);
  });

  test('of a server that is away is told as such, with the line to type', async () => {
    const { status, json } = await page.get('/api/dlq/overview');
    expect([status, json.error.code]).toEqual([503, 'CONN_UNREACHABLE']);
    expect((await page.get('/api/queues')).status).toBe(503);
    expect((await page.get('/api/about')).json).toMatchObject({ target: null, server: { state: 'away' } });
  });

  test('does nothing under --read-only', async () => {
    const one = await startConsole(['--read-only'], nowhere);
    try {
      for (const path of ['/api/runs', '/api/plans', '/api/runs/x/answer', '/api/runs/x/stop']) {
        const { status, json } = await one.post(path, { verb: 'pause', target: 'REQUESTS' });
        expect([path, status, json.error.code]).toEqual([path, 403, 'CONSOLE_READ_ONLY']);
      }
      const { json } = await one.get('/api/about');
      expect(json.read_only).toBe(true);
      expect(json.may).toMatchObject({ look: { allowed: true }, replay: { allowed: false }, stop: { allowed: false } });
    } finally {
      await one.stop();
    }
  });
});
