import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OpsError } from '../../src/lib/errors/ops-error.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { firstMessage, getLatest, getMessage, getRange } from '../../src/lib/nats/messages.ts';
import { printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { readObserved } from '../../src/lib/observed/read.ts';
import { scanAll, scanOwned } from '../../src/lib/observed/scan.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { startWaves } from '../support/waves.ts';

let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  await nats.api('STREAM.CREATE.A', { name: 'A', subjects: ['a'] });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});

test('what a mirror that lags has not got, the stream itself is asked for, also where nobody listed the streams', async () => {
  const kept = { storage: 'memory', allow_direct: true };
  // What a first try left would be taken for more.
  for (const name of ['LAGS', 'ORIGIN']) await nats.api(`STREAM.DELETE.${name}`).catch(() => {});
  await nats.api('STREAM.CREATE.ORIGIN', { name: 'ORIGIN', subjects: ['origin.*'], ...kept });
  // It stops at the first; a direct get is answered by either.
  const stopped = { max_msgs: 1, discard: 'new', mirror_direct: true, ...kept };
  await nats.api('STREAM.CREATE.LAGS', { name: 'LAGS', mirror: { name: 'ORIGIN' }, ...stopped });
  for (const text of ['1', '2', '3']) await nats.request(`origin.${text}`, text);
  const read = async (ask: (fresh: Nats) => Promise<unknown>) => {
    const found: unknown[] = [];
    for (let time = 0; time < 12; time++) {
      const fresh = await connectTo(server);
      found.push(await ask(fresh));
      await fresh.close();
    }
    return [...new Set(found)];
  };
  expect(await read(async (fresh) => (await getMessage(fresh, 'ORIGIN', 3))?.seq)).toEqual([3]);
  expect(await read(async (fresh) => (await firstMessage(fresh, 'ORIGIN', 2))?.seq)).toEqual([2]);
  const countFrom = async (fresh: Nats, seq: number) => {
    let count = 0;
    for await (const _ of getRange(fresh, 'ORIGIN', seq)) count += 1;
    return count;
  };
  expect(await read((fresh) => countFrom(fresh, 2))).toEqual([2]);
  // What it has of a range, or of several subjects, is not all there is.
  expect(await read((fresh) => countFrom(fresh, 1))).toEqual([3]);
  const latest = async (fresh: Nats, ...words: readonly string[]) => {
    const found = await getLatest(
      fresh,
      'ORIGIN',
      words.map((word) => `origin.${word}`),
    );
    return found.map(({ seq }) => seq).join();
  };
  expect(await read((fresh) => latest(fresh, '1', '2', '3'))).toEqual(['1,2,3']);
  expect(await read((fresh) => latest(fresh, '2', '3'))).toEqual(['2,3']);
  expect(await read((fresh) => latest(fresh, 'never', '3'))).toEqual(['3']);
  expect(await read(async (fresh) => (await getMessage(fresh, 'ORIGIN', 4))?.seq)).toEqual([undefined]);
});

describe('the JetStream API', () => {
  test('answers as it stands, and its errors are ours with their code', async () => {
    expect(await nats.api('STREAM.INFO.A')).toMatchObject({ config: { name: 'A' } });
    await expect(nats.api('STREAM.INFO.NONE')).rejects.toMatchObject({ code: 'NOT_FOUND', errCode: 10059 });
    await expect(nats.api('STREAM.CREATE.B', { name: 'B', subjects: ['a'] })).rejects.toMatchObject({
      code: 'SERVER_REFUSED',
      errCode: 10065,
      where: '$JS.API.STREAM.CREATE.B',
    });
  });

  test('that is asked when the run was interrupted says so at once', async () => {
    const controller = new AbortController();
    const mine = await connectTo(server, {}, controller.signal);
    controller.abort(new OpsError('INTERRUPTED', 'interrupted by Ctrl-C'));
    await expect(mine.api('STREAM.INFO.A')).rejects.toMatchObject({ code: 'INTERRUPTED', exitCode: 130 });
    expect(await mine.api('STREAM.INFO.A', {}, { finish: true })).toMatchObject({ config: { name: 'A' } });
    await mine.close();
  });
});

test('a connection that fails leaves alone another that is being opened beside it', async () => {
  const { port } = new URL(server.url.replace(/^\w+:/, 'http:'));
  const upstream: Socket[] = [];
  // It greets only once the other has failed.
  const waiting: Socket[] = [];
  const slow = createServer((client) => void waiting.push(client.on('error', () => {})));
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  try {
    const opening = connectTo({ url: `nats://127.0.0.1:${(slow.address() as AddressInfo).port}` });
    opening.catch(() => {});
    await until(async () => waiting.length > 0, 'the slow one is dialled');
    await expect(connectTo({ url: 'nats://127.0.0.1:1' })).rejects.toMatchObject({ code: 'CONN_UNREACHABLE' });
    for (const client of waiting) {
      const through = createConnection(Number(port), '127.0.0.1').on('error', () => {});
      upstream.push(through);
      client.pipe(through).pipe(client);
    }
    const opened = await opening;
    expect(await opened.api('STREAM.INFO.A')).toMatchObject({ config: { name: 'A' } });
    await opened.close();
  } finally {
    for (const socket of [...waiting, ...upstream]) socket.destroy();
    slow.close();
  }
});

test('a stream that never held a message is read to its end from the first that it names, which is 0', async () => {
  await nats.api('STREAM.CREATE.EMPTY', { name: 'EMPTY', subjects: ['empty'], allow_direct: true });
  expect((await nats.api('STREAM.INFO.EMPTY')).state).toMatchObject({ first_seq: 0 });
  for (const from of [0, 1]) for await (const message of getRange(nats, 'EMPTY', from)) throw message;
});

describe('a publish of an id that another one has under way', () => {
  const undecided = '{"error":{"code":500,"err_code":10158,"description":"duplicate message id is in process"}}';
  /** What a stream answers, which says nothing itself (no_ack): that it does not know yet, then that it is stored. */
  async function publishWithin(duplicateWindow: number): Promise<{ answers: number; publishing: Promise<unknown> }> {
    await nats.api('STREAM.DELETE.UNDECIDED').catch(() => {});
    const config = { name: 'UNDECIDED', subjects: ['undecided'], no_ack: true, duplicate_window: duplicateWindow };
    await nats.api('STREAM.CREATE.UNDECIDED', config);
    const asked = { answers: 0 };
    const answering = nats.nc.subscribe('undecided', {
      callback: (_, msg) => void msg.respond(asked.answers++ < 2 ? undecided : '{"stream":"UNDECIDED","seq":1}'),
    });
    const publishing = publish(
      nats,
      'undecided',
      new Uint8Array(0),
      printHeaders([{ name: 'Nats-Msg-Id', value: 'a' }]),
    );
    await publishing.catch(() => {});
    answering.unsubscribe();
    return { ...asked, publishing };
  }

  test('is asked about until that is decided, while the stream knows the id', async () => {
    const { answers, publishing } = await publishWithin(120e9);
    await expect(publishing).resolves.toMatchObject({ seq: 1 });
    expect(answers).toBe(3);
  });

  test('is not sent again once the stream may have forgotten it', async () => {
    const { answers, publishing } = await publishWithin(100e6);
    await expect(publishing).rejects.toMatchObject({ errCode: 10158 });
    expect(answers).toBe(1);
  });
});

describe('a bucket', () => {
  test('keeps to revisions, and tells deleted from never written', async () => {
    const kv = nats.kv('t');
    expect(await kv.get('k')).toBeUndefined();
    await expect(kv.put('k', 'v')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await nats.api('STREAM.CREATE.KV_t', {
      name: 'KV_t',
      subjects: ['$KV.t.>'],
      allow_direct: true,
      allow_rollup_hdrs: true,
    });
    expect(await kv.update('k', '1', 0)).toBe(1);
    expect(await kv.update('k', '2', 0)).toBeUndefined();
    expect(await kv.update('k', '2', 1)).toBe(2);
    expect(await kv.get('k')).toMatchObject({ revision: 2, deleted: false, value: Buffer.from('2') });
    expect(await kv.delete('k', 1)).toBeUndefined();
    expect(await kv.delete('k', 2)).toBe(3);
    expect(await kv.get('k')).toBeUndefined();
    expect(await kv.latest('k')).toMatchObject({ revision: 3, deleted: true });
    expect(await kv.keys('*')).toEqual(['k']);
  });
});

describe('what is observed', () => {
  beforeAll(async () => {
    await nats.api('STREAM.CREATE.Q', { name: 'Q', subjects: ['q'], metadata: { 'osapi-ops.owner': 'mine' } });
    const config = { durable_name: 'w', ack_policy: 'explicit', metadata: { 'osapi-ops.owner': 'mine' } };
    await nats.api('CONSUMER.CREATE.Q.w', { stream_name: 'Q', config });
    await nats.request('q', 'payload');
    await nats.api('STREAM.CREATE.KV_b', { name: 'KV_b', subjects: ['$KV.b.>'] });
    const names = Array.from({ length: 300 }, (_, n) => n);
    await Promise.all(names.map((n) => nats.api(`STREAM.CREATE.P${n}`, { name: `P${n}`, subjects: [`p${n}`] })));
  });

  test('is what exists of what was asked for', async () => {
    const { resources } = await readObserved(nats, [
      'stream Q',
      'consumer Q/w',
      'consumer Q/x',
      'consumer Z/w',
      'bucket z',
    ]);
    expect([...resources.keys()]).toEqual(['stream Q', 'consumer Q/w']);
    expect(resources.get('stream Q')).toMatchObject({ figures: { messages: 1, consumer_count: 1 } });
    expect(resources.get('consumer Q/w')).toMatchObject({ figures: { num_pending: 1 }, config: { durable_name: 'w' } });
  });

  test('is found by its mark, over many pages, and a bucket is no stream', async () => {
    const all = await scanAll(nats);
    expect([...all.resources.keys()].filter((key) => key.startsWith('stream P'))).toHaveLength(300);
    expect(all.resources.has('bucket b')).toBe(true);
    expect(all.resources.has('stream KV_b')).toBe(false);
    expect([...(await scanOwned(nats, 'mine')).resources.keys()].sort()).toEqual(['consumer Q/w', 'stream Q']);
  });

  test('of two thousand resources comes without waiting for each', async () => {
    const keys = Array.from({ length: 2000 }, (_, n) => `stream P${n % 400}${n < 400 ? '' : `_${n}`}` as const);
    const far = await startWaves(server);
    const there = await connectTo(far);
    far.take();
    expect((await readObserved(there, keys)).resources.size).toBe(300);
    expect(far.take().waves).toBeLessThanOrEqual(20);
    await there.close();
    await far.close();
  });
});

describe('what stands in the way', () => {
  test.each([
    ['nothing listens', 'nats://127.0.0.1:1', 'CONN_UNREACHABLE', /connection refused/],
    ['the name does not resolve', 'nats://no-such-host.invalid', 'CONN_UNREACHABLE', /does not resolve/],
    ['TLS is asked of a plain server', '', 'CONN_TLS', /does not speak it/],
  ])('%s', async (_, url, code, message) => {
    const target = url || server.url.replace('nats:', 'tls:');
    await expect(connectTo({ url: target })).rejects.toMatchObject({
      code,
      exitCode: 69,
      message: expect.stringMatching(message),
      where: expect.stringContaining('--server'),
    });
  });

  test.each([
    ['something that is no NATS server', 'HTTP/1.1 400 Bad Request\r\n\r\n', /is no NATS server/],
    ['something that says nothing', '', /no answer within 300ms/],
  ])('%s', async (_, greeting, message) => {
    const gone: Promise<void>[] = [];
    const other = createServer((socket) => {
      gone.push(new Promise((resolve) => void socket.on('error', () => {}).once('close', () => resolve())));
      if (greeting) socket.write(greeting);
      socket.resume();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await expect(connectTo({ url: `nats://127.0.0.1:${port}` }, { timeout: '300ms' })).rejects.toMatchObject({
      code: 'CONN_UNREACHABLE',
      message: expect.stringMatching(message),
    });
    // A socket left open would keep the process of the CLI alive.
    await Promise.all(gone);
    other.close();
  });

  test('no JetStream on the server, or in the account', async () => {
    const bare = await startServer({
      jetstream: false,
      config: 'accounts { N { users: [{user: n, password: geheim}] } }',
    });
    const mine = await connectTo(bare, { user: 'n', password: 'geheim' });
    await expect(mine.api('STREAM.INFO.S')).rejects.toMatchObject({ code: 'CONN_NO_JETSTREAM', exitCode: 69 });
    await mine.close();
    await bare.stop();
  });

  describe('with users', () => {
    let guarded: TestServer;
    beforeAll(async () => {
      guarded = await startServer({
        config: `accounts {
  A { jetstream: enabled, users: [
    {user: viewer, password: geheim, permissions: {publish: {deny: ["$JS.API.STREAM.CREATE.>"]}}}
    {user: reader, password: geheim, permissions: {publish: {allow: ["$JS.API.DIRECT.GET.>"]}}}
    {user: deaf, password: geheim, permissions: {subscribe: ["other"]}}
    {user: test-setup, password: geheim}
  ] }
  N { users: [{user: none, password: geheim}] }
}
no_auth_user: test-setup`,
      });
    });
    afterAll(() => guarded.stop());

    test('wrong credentials, which are not shown', async () => {
      const failing = connectTo(guarded, { user: 'viewer', password: 'falsch' });
      await expect(failing).rejects.toMatchObject({ code: 'DENIED_CREDENTIALS', exitCode: 77 });
      const error = (await failing.catch((fault: unknown) => fault)) as OpsError;
      expect(JSON.stringify([error.message, error.where, error.why, error.hints])).not.toContain('falsch');
    });

    test('a denied subject is named at once, not after a timeout', async () => {
      const mine = await connectTo(guarded, { user: 'viewer', password: 'geheim' });
      // Whoever waited for this timeout would be waited for in vain.
      await expect(mine.api('STREAM.CREATE.S', { name: 'S' }, { timeoutMs: 3_600_000 })).rejects.toMatchObject({
        code: 'DENIED_SUBJECT',
        exitCode: 77,
        message: 'no permission to publish to $JS.API.STREAM.CREATE.S',
      });
      expect(mine.target.account).toBe('A');
      await mine.close();
    });

    test('who may ask nobody but by direct gets takes their word that there is nothing, and goes on with them', async () => {
      const owner = await connectTo(guarded);
      await owner.api('STREAM.CREATE.KEPT', { name: 'KEPT', subjects: ['kept.*'], allow_direct: true });
      for (const subject of ['kept.a', 'kept.b', 'kept.c']) await owner.request(subject, '1');
      const mine = await connectTo(guarded, { user: 'reader', password: 'geheim' });
      expect(await getMessage(mine, 'KEPT', 99)).toBeUndefined();
      const latest = async (subject: string) => (await getLatest(mine, 'KEPT', [subject])).map(({ seq }) => seq);
      expect(await latest('kept.nobody')).toEqual([]);
      expect(await latest('kept.b')).toEqual([2]);
      await Promise.all([owner.close(), mine.close()]);
    });

    test('an inbox that may not be subscribed to', async () => {
      const mine = await connectTo(guarded, { user: 'deaf', password: 'geheim' });
      await expect(mine.api('STREAM.INFO.S')).rejects.toMatchObject({
        code: 'DENIED_SUBJECT',
        message: expect.stringMatching(/^no permission to subscribe to _INBOX\./),
      });
      await mine.close();
    });

    test('an account without JetStream', async () => {
      const mine = await connectTo(guarded, { user: 'none', password: 'geheim' });
      await expect(mine.api('STREAM.INFO.S')).rejects.toMatchObject({ code: 'CONN_NO_JETSTREAM' });
      await mine.close();
    });
  });

  test('a server that goes away in the middle and does not come back', async () => {
    const brief = await startServer();
    const mine = await connectTo(brief, { timeout: '1s' });
    await brief.kill('SIGKILL');
    await expect(mine.api('STREAM.INFO.S')).rejects.toMatchObject({ exitCode: 69 });
    await mine.close();
    await brief.stop();
  });

  test('a server that is restarted in the middle is waited for', async () => {
    const brief = await startServer();
    const mine = await connectTo(brief, { timeout: '20s' });
    await mine.api('STREAM.CREATE.S', { name: 'S', subjects: ['s'] });
    await brief.kill('SIGKILL');
    const [answer] = await Promise.all([mine.api('STREAM.INFO.S'), brief.restart()]);
    expect(answer).toMatchObject({ config: { name: 'S' } });
    await mine.close();
    await brief.stop();
  });
});
