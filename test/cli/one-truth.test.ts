import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import { journalSubject } from '../../src/lib/facts/names.ts';
import { ensureLedger } from '../../src/lib/ledger/bucket.ts';
import { writeJournal } from '../../src/lib/ledger/journal.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { put, putReject } from '../support/dead-letters.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-truth-'));
let server: TestServer;
let nats: Nats;

/** On the newest server, and on one that has no batches to read with. */
const useServer = (version = outermostVersions().at(-1)!) => {
  beforeAll(async () => {
    server = await startServer({ version });
  });
  afterAll(() => server.stop());
};
afterAll(() => rmSync(cwd, { recursive: true }));
/** What is known of a server is remembered for as long as a connection lasts. */
beforeEach(async () => {
  nats = await connectTo(server);
  const { streams } = await nats.api('STREAM.NAMES');
  for (const name of (streams as string[] | null) ?? []) await nats.api(`STREAM.DELETE.${name}`);
});

const run = (...args: string[]) => runCli(args, { server, cwd });
const json = async (...args: string[]) => {
  const { code, stdout } = await run(...args, '--json');
  return { code, value: JSON.parse(stdout) };
};

/** What each command says of the dead of Q; all that is asked must agree. */
async function truth() {
  const [status, ls, stats, goal] = await Promise.all([
    json('status'),
    json('dlq', 'ls', '--queue', 'Q'),
    json('dlq', 'stats', '--queue', 'Q'),
    run('status', '--wait', '1ms', '--for', 'dlq-empty'),
  ]);
  const listed = ls.value.filter(({ state }: { state: string }) => state !== 'gone').length;
  const queue = status.value.queues.find(({ name }: { name: string }) => name === 'Q');
  return {
    dead: queue?.dead,
    ready: queue?.ready,
    listed,
    counted: stats.value.groups?.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
    empty: goal.code === 0,
    code: status.code,
    checks: status.value.checks as { id: string; status: string; summary: string }[],
  };
}

const ADVISORIES = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.Q.*';

async function queue(retention: string, consumers: Record<string, object>) {
  await nats.api('STREAM.CREATE.Q', { name: 'Q', subjects: ['q.*'], retention, storage: 'memory', allow_direct: true });
  await nats.api('STREAM.CREATE.q_dlq', {
    name: 'q_dlq',
    subjects: [ADVISORIES, 'foreign'],
    storage: 'memory',
    allow_direct: true,
  });
  for (const [name, config] of Object.entries(consumers)) {
    await nats.api(`CONSUMER.DURABLE.CREATE.Q.${name}`, {
      stream_name: 'Q',
      config: { durable_name: name, ack_policy: 'explicit', max_deliver: 1, ack_wait: 100e6, ...config },
    });
  }
}

async function responses() {
  await nats.api('STREAM.CREATE.KV_responses', {
    name: 'KV_responses',
    subjects: ['$KV.responses.>'],
    storage: 'memory',
    max_msgs_per_subject: 1,
    allow_direct: true,
    allow_rollup_hdrs: true,
  });
}

const send = async (id: string, subject = 'q.a') => void (await nats.request(subject, JSON.stringify({ id })));

/** Has a consumer give up on so many messages. */
async function kill(consumer: string, count: number) {
  const dlq = async () => Number(((await nats.api('STREAM.INFO.q_dlq')).state as { messages: number }).messages);
  const before = await dlq();
  const inbox = nats.nc.subscribe(`_INBOX.kill.${consumer}.${before}`, { max: count });
  nats.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.Q.${consumer}`, JSON.stringify({ batch: count, expires: 5e9 }), {
    reply: inbox.getSubject(),
  });
  for await (const _ of inbox) if (inbox.getProcessed() === count) break;
  while ((await dlq()) < before + count) await new Promise((resolve) => setTimeout(resolve, 20));
}

afterEach(() => nats.close());

describe.each(outermostVersions())('one truth on nats-server %s', (version) => {
  useServer(version);

  test.each(['limits', 'interest'])(
    'of a stream with retention %s: what one consumer gave up is dead',
    async (retention) => {
      await queue(retention, { a: {}, b: {} });
      for (const id of ['1', '2', '3']) await send(id);
      await kill('a', 3);
      expect(await truth()).toMatchObject({ dead: 3, listed: 3, counted: 3, empty: false, code: 2 });
    },
  );

  test('what has its answer is not dead, and is told as stored', async () => {
    await queue('workqueue', { a: {} });
    await responses();
    for (const id of ['1', '2']) await send(id);
    await kill('a', 2);
    await nats.kv('responses').put('1', '{}');
    const half = await truth();
    expect(half).toMatchObject({ dead: 1, listed: 1, empty: false });
    expect(half.checks.find(({ id }) => id === 'Q.dead')?.summary).toContain('1 is answered and still stored');
    await nats.kv('responses').put('2', '{}');
    expect(await truth()).toMatchObject({ dead: 0, listed: 0, empty: true });
    const { code, value } = await json('dlq', 'replay', '--queue', 'Q');
    expect({ code, replayed: value.replayed, stored: (await nats.api('STREAM.INFO.Q')).state }).toMatchObject({
      code: 0,
      replayed: 0,
      stored: { messages: 2, last_seq: 2 },
    });
    // The line that status names removes them.
    expect(half.checks.find(({ id }) => id === 'Q.dead')?.summary).toContain('dlq purge --state gone');
    expect((await json('dlq', 'purge', '--state', 'gone', '--yes')).value).toMatchObject({ purged: 2, originals: 2 });
    expect((await nats.api('STREAM.INFO.Q')).state).toMatchObject({ messages: 0 });
  });

  test('what has its answer is not dead by its id either, where no record tells of it', async () => {
    await queue('workqueue', { a: {} });
    await responses();
    for (const id of ['1', '2']) await send(id);
    await kill('a', 2);
    await nats.api('STREAM.PURGE.q_dlq');
    await nats.kv('responses').put('1', '{}');
    const ids = join(cwd, `ids-${version}`);
    writeFileSync(ids, 'Q/a/1\nQ/a/2\n');
    expect((await json('dlq', 'ls')).value).toMatchObject([
      { id: 'Q/a/1', state: 'gone' },
      { id: 'Q/a/2', state: 'orphan' },
    ]);
    expect((await json('dlq', 'show', 'Q/a/1')).value).toMatchObject({ state: 'gone', cause: 'answered' });
    expect((await json('dlq', 'show', 'Q/a/2')).value).toMatchObject({ state: 'orphan' });
    const archives = [['Q/a/1'], ['--ids', ids], ['--state', 'gone']].map((args) => run('dlq', 'export', ...args));
    const lines = (await Promise.all(archives)).map(({ stdout }) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    const states = lines.map((all) => all.flatMap(({ entry }) => (entry ? [`${entry.id} ${entry.state}`] : [])).sort());
    expect(states).toEqual([['Q/a/1 gone'], ['Q/a/1 gone', 'Q/a/2 orphan'], ['Q/a/1 gone']]);
    for (const args of [['Q/a/1'], ['--ids', ids]]) {
      const { value } = await json('dlq', 'replay', ...args, '--dry-run');
      expect(value.groups).toHaveLength(args.length - 1);
    }
    expect((await json('dlq', 'replay', 'Q/a/1')).value).toMatchObject({ replayed: 0 });
    expect((await json('dlq', 'replay', '--ids', ids)).value).toMatchObject({ replayed: 1 });
    expect((await nats.api('STREAM.INFO.Q')).state).toMatchObject({ messages: 2, first_seq: 1, last_seq: 3 });
    // The line that status names removes it.
    const archive = `unheard-${randomUUID()}`;
    expect((await json('dlq', 'purge', '--state', 'gone', '--yes', '--archive', archive)).value).toMatchObject({
      purged: 1,
      originals: 1,
    });
    expect((await nats.api('STREAM.INFO.Q')).state).toMatchObject({ messages: 1, first_seq: 3 });
  });

  test('what a replay that has not ended holds is dead, and neither drained nor empty', async () => {
    await queue('workqueue', { a: {} });
    await send('1');
    await ensureLedger(nats, 1);
    const original = { stream: 'Q', created: '', seq: 1, time: '2026-01-02T03:04:05Z' };
    const key = journalSubject('Q', 1, original.time);
    await writeJournal(nats, {
      id: 'Q/a/1',
      msgId: 'replay:1',
      subject: 'q.a',
      headers: new Uint8Array(),
      payload: Buffer.from('{"id":"1"}'),
      kind: 'stored',
      original,
      records: [],
      target: { stream: 'Q', created: '', after: 0 },
    });
    await nats.api('STREAM.PURGE.Q');
    expect(await nats.api('STREAM.INFO.KV_osapi_ops', { subjects_filter: key })).toMatchObject({
      state: { subjects: { [key]: 1 } },
    });
    expect(await truth()).toMatchObject({ dead: 1, listed: 1, counted: 1, empty: false, code: 2 });
    expect((await run('status', '--wait', '1ms', '--for', 'drained')).code).toBe(2);
    const { code, value } = await json('queue', 'drain', 'Q', '--wait', '0s');
    expect({ code, value }).toMatchObject({ value: { drained: false, journalled: 1, dead: 1 } });
  });

  test('what no filter takes waits, and is said', async () => {
    await queue('workqueue', { a: { filter_subject: 'q.a' } });
    await send('1', 'q.b');
    const found = await truth();
    expect(found).toMatchObject({ dead: 0, listed: 0, ready: 1, empty: true, code: 2 });
    expect(found.checks.find(({ id }) => id === 'Q.uncovered')).toMatchObject({ status: 'warn' });
    expect((await run('status', '--wait', '1ms', '--for', 'drained')).code).toBe(2);
    expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ drained: false, ready: 1 });
  });

  const APART = {
    'is removed': () => nats.api('CONSUMER.DELETE.Q.a'),
    'takes its subject no more': () =>
      nats.api('CONSUMER.DURABLE.CREATE.Q.a', {
        stream_name: 'Q',
        config: {
          durable_name: 'a',
          ack_policy: 'explicit',
          max_deliver: 1,
          ack_wait: 100e6,
          filter_subject: 'q.other',
        },
      }),
  };
  test.each(Object.entries(APART))(
    'what died at a consumer that %s waits for nobody, and is not taken back',
    async (_, part) => {
      await queue('workqueue', { a: {} });
      await send('1');
      await kill('a', 1);
      await part();
      await send('2');
      expect(await truth()).toMatchObject({ dead: 1, listed: 1, ready: 1 });
      expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ ready: 1, dead: 1 });
      expect((await json('request', 'ls')).value).toMatchObject([{ id: '2' }]);
      expect((await json('request', 'show', '1')).value).toMatchObject({ state: 'dead' });
      expect(await json('request', 'cancel', '1', '2', '--yes')).toMatchObject({
        code: 1,
        value: {
          entries: [
            { id: '1', outcome: 'dead' },
            { id: '2', outcome: 'cancelled' },
          ],
        },
      });
      expect((await nats.api('STREAM.INFO.Q')).state).toMatchObject({ messages: 1 });
      expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ drained: true, dead: 1 });
    },
  );

  test('half of a surrogate pair in an id makes no listing that readers of JSON refuse', async () => {
    await queue('workqueue', { a: {} });
    await nats.request('q.a', '{"id":"x\\ud800"}');
    expect((await json('request', 'ls')).value).toMatchObject([{ id: 'x\ufffd' }]);
    await kill('a', 1);
    const { stdout } = await run('dlq', 'ls', '--json');
    expect(stdout).not.toContain('\\ud800');
    expect(JSON.parse(stdout)).toMatchObject([{ request_id: 'x\ufffd' }]);
  });

  test('what is no dead letter counts nowhere, and is told', async () => {
    await queue('workqueue', { a: {} });
    await nats.request('foreign', 'hello');
    const found = await truth();
    expect(found).toMatchObject({ dead: 0, listed: 0, empty: true });
    expect(found.checks.find(({ id }) => id === 'q_dlq.dlq')?.summary).toContain('1 message in it is no dead letter');
    expect((await run('dlq', 'ls')).stderr).toContain('`nats stream rmm q_dlq 1` removes it');
    // Whatever was read first, the first is that of the lowest number.
    await nats.request('foreign', 'again');
    expect((await run('dlq', 'ls')).stderr).toContain(
      '2 messages are no dead letters and left out (the first is q_dlq sequence 1: ',
    );
  });

  test('a mirror that answers for its origin changes nothing: not what it keeps, nor what it lacks', async () => {
    await queue('workqueue', { a: {} });
    const copy = { storage: 'memory', allow_direct: true, mirror_direct: true };
    await nats.api('STREAM.CREATE.COPY', { name: 'COPY', mirror: { name: 'Q' }, ...copy });
    // It stops at one message; and one of the DLQ answers as well.
    await nats.api('STREAM.CREATE.FULL', {
      name: 'FULL',
      mirror: { name: 'q_dlq' },
      max_msgs: 1,
      discard: 'new',
      ...copy,
    });
    for (const id of ['1', '2', '3']) await send(id);
    await kill('a', 3);
    await nats.api('STREAM.MSG.DELETE.Q', { seq: 1 });
    for (let time = 0; time < 4; time++) {
      expect(await truth()).toMatchObject({ dead: 2, listed: 2, counted: 2, empty: false, code: 2 });
    }
  });

  test('without a consumer what the DLQ tells is known, and that it is empty', async () => {
    await queue('limits', {});
    expect(await truth()).toMatchObject({ dead: 0, listed: 0, empty: true });
    await nats.api('STREAM.DELETE.Q');
    await nats.api('STREAM.DELETE.q_dlq');
    await queue('workqueue', { a: {} });
    for (const id of ['1', '2']) await send(id);
    await kill('a', 2);
    await nats.api('CONSUMER.DELETE.Q.a');
    expect(await truth()).toMatchObject({ dead: 2, listed: 2, counted: 2, ready: 0, empty: false });
  });

  test('what a consumer gave up that is gone since is dead, or waits for who takes its place, and never both', async () => {
    await queue('workqueue', { a: { filter_subject: 'q.a' }, b: { filter_subject: 'q.b' } });
    await send('1');
    await kill('a', 1);
    await nats.api('CONSUMER.DELETE.Q.a');
    expect(await truth()).toMatchObject({ dead: 1, listed: 1, counted: 1, ready: 0 });
    expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ drained: true, dead: 1 });
    expect((await json('request', 'ls')).value).toEqual([]);
    const config = { durable_name: 'c', ack_policy: 'explicit', filter_subject: 'q.a' };
    await nats.api('CONSUMER.DURABLE.CREATE.Q.c', { stream_name: 'Q', config });
    expect(await truth()).toMatchObject({ dead: 0, listed: 0, counted: 0, ready: 1 });
    expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ drained: false, dead: 0 });
    expect((await json('request', 'ls')).value).toMatchObject([{ id: '1' }]);
  });

  test.each(Object.entries(APART))(
    'what was answered after it died at a consumer that %s is answered, and waits for nobody',
    async (_, part) => {
      await queue('workqueue', { a: {} });
      await responses();
      await send('1');
      await kill('a', 1);
      await part();
      await nats.kv('responses').put('1', '{}');
      const found = await truth();
      expect(found).toMatchObject({ dead: 0, listed: 0, counted: 0, ready: 0, empty: true });
      expect(found.checks.find(({ id }) => id === 'Q.dead')?.summary).toContain('1 is answered and still stored');
      expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ drained: true, dead: 0 });
      expect((await run('status', '--wait', '1ms', '--for', 'drained')).code).toBe(0);
      expect((await json('request', 'ls')).value).toEqual([]);
      const purged = await json('dlq', 'purge', '--state', 'gone', '--yes', '--archive', `answered-${randomUUID()}`);
      expect(purged).toMatchObject({ code: 0, value: { purged: 1, originals: 1 } });
    },
  );

  test('what was imported is dead for queue drain as well', async () => {
    await queue('workqueue', { a: {} });
    await send('1');
    await kill('a', 1);
    await nats.api('STREAM.UPDATE.q_dlq', {
      name: 'q_dlq',
      subjects: [ADVISORIES, 'osapi-ops.rejected.Q.*'],
      storage: 'memory',
      allow_direct: true,
    });
    const archive = join(cwd, `drained-${version}.ndjson`);
    expect((await run('dlq', 'purge', '--yes', '--archive', archive)).code).toBe(0);
    expect((await run('dlq', 'import', archive)).code).toBe(0);
    expect(await truth()).toMatchObject({ dead: 1, listed: 1, empty: false });
    expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ drained: true, dead: 1 });
  });

  test('what is more than a probe may look at is not known, and known to who waits for it', async () => {
    await queue('workqueue', { a: {} });
    await nats.api('STREAM.UPDATE.q_dlq', {
      name: 'q_dlq',
      subjects: [ADVISORIES, 'osapi-ops.rejected.Q.*'],
      storage: 'memory',
      allow_direct: true,
    });
    await responses();
    const ids = Array.from({ length: 12 }, (_, index) => `d${index + 1}`);
    for (const id of ids) await send(id);
    await kill('a', ids.length);
    const archive = join(cwd, `answered-${version}.ndjson`);
    expect((await run('dlq', 'purge', '--yes', '--archive', archive)).code).toBe(0);
    expect((await run('dlq', 'import', archive)).code).toBe(0);
    for (const id of ids) await nats.kv('responses').put(id, '{}');
    const { dead, listed, empty, checks } = await truth();
    // A server with batches tells all within the bounds.
    const isKnown = version !== '2.10';
    expect({ dead, listed, empty }).toEqual({ dead: isKnown ? 0 : null, listed: 0, empty: true });
    expect(checks.find(({ id }) => id === 'Q.dead')).toMatchObject(
      isKnown
        ? { status: 'ok' }
        : {
            status: 'warn',
            summary: expect.stringMatching(/not known: \d+ records were not looked into/),
          },
    );
    expect((await json('queue', 'drain', 'Q', '--wait', '0s')).value).toMatchObject({ drained: true, dead: 0 });
    expect((await run('status', '--wait', '1ms', '--for', 'healthy,dlq-empty')).code).toBe(0);
  });

  test('the dead that nobody has answered are counted, however many they are, and whatever is in flight', async () => {
    await queue('workqueue', { a: {} });
    await responses();
    for (let index = 0; index < 12; index++) await send(`${index}`);
    await kill('a', 12);
    await nats.api('CONSUMER.DURABLE.CREATE.Q.a', {
      stream_name: 'Q',
      config: { durable_name: 'a', ack_policy: 'explicit', max_deliver: 1, ack_wait: 60e9 },
    });
    for (let index = 0; index < 4; index++) await send(`flies-${index}`);
    const inbox = nats.nc.subscribe('_INBOX.flying', { max: 4 });
    nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.Q.a', '{"batch":4,"expires":5000000000}', { reply: '_INBOX.flying' });
    for await (const _ of inbox);
    expect(await truth()).toMatchObject({ dead: 12, listed: 12, counted: 12, empty: false, code: 2 });
    // One answer more makes of it what nobody can know without a look; most of them are dead for certain.
    await nats.kv('responses').put('0', '{}');
    const some = await truth();
    expect(some).toMatchObject({ dead: version === '2.10' ? null : 11, listed: 11, code: 2 });
  });

  test('what nobody can tell from what is in flight is told wherever the dead are read', async () => {
    await queue('workqueue', { a: {} });
    for (let index = 0; index < 3; index++) await send(`${index}`);
    await kill('a', 3);
    await nats.api('STREAM.PURGE.q_dlq');
    await nats.api('CONSUMER.DURABLE.CREATE.Q.a', {
      stream_name: 'Q',
      config: { durable_name: 'a', ack_policy: 'explicit', max_deliver: 1, ack_wait: 60e9 },
    });
    await send('flies');
    const inbox = nats.nc.subscribe('_INBOX.flying', { max: 1 });
    nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.Q.a', '{"batch":1,"expires":5000000000}', { reply: '_INBOX.flying' });
    for await (const _ of inbox);
    expect((await json('status')).value.queues[0]).toMatchObject({ dead: 3, in_flight: 1 });
    // On 2.10 the consumer's own figures tell which they are.
    const listed = version === '2.10' ? 3 : 0;
    expect((await json('dlq', 'ls')).value).toHaveLength(listed);
    for (const line of ['ls', 'stats', 'replay --dry-run', 'purge --dry-run', 'export']) {
      const { stderr } = await run('dlq', ...line.split(' '));
      expect([line, stderr.includes('Q: 3 more dead without an advisory')]).toEqual([line, listed === 0]);
    }
  });

  test.each(['limits', 'interest'])(
    'of a stream with retention %s nobody knows what died before there was its DLQ',
    async (retention) => {
      await queue(retention, { a: {} });
      await send('1');
      await kill('a', 1);
      expect(await truth()).toMatchObject({ dead: 1, listed: 1 });
      const { config } = await nats.api('STREAM.INFO.q_dlq');
      await nats.api('STREAM.DELETE.q_dlq');
      await nats.api('STREAM.CREATE.q_dlq', config as object);
      const lost = await truth();
      expect(lost).toMatchObject({ dead: null, listed: 0, empty: false });
      expect(lost.checks.find(({ id }) => id === 'Q.dead')).toMatchObject({
        status: 'unknown',
        summary: expect.stringContaining('its DLQ is younger than some that are stored'),
      });
      expect((await run('dlq', 'ls')).stderr).toContain('Q: there may be more dead');
      // What it does tell of is judged.
      await send('2');
      await kill('a', 1);
      const known = await truth();
      expect(known).toMatchObject({ dead: null, listed: 1, code: 2 });
      expect(known.checks.find(({ id }) => id === 'Q.dead')).toMatchObject({ status: 'warn' });
    },
  );

  test('the dead of a spec’s queue are the same wherever they lie and whoever is asked', async () => {
    const spec = join(cwd, `several-${version}.yaml`);
    const consumers = 'consumers: {a: {max_deliver: 1, ack_wait: 100ms}}';
    const dlq = 'dlq: {stream: q_dlq, capture: [max_deliveries]}';
    const queues = `{Q: {subjects: ["q.*"], ${consumers}, ${dlq}, responses: {bucket: responses}}}`;
    writeFileSync(spec, `version: 1\nname: s\nqueues: ${queues}\n`);
    expect(await run('apply', spec, '--yes')).toMatchObject({ code: 0 });
    const memory = { storage: 'memory', allow_direct: true };
    const subjects = ['$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.Q.*', 'osapi-ops.rejected.Q.*'];
    await nats.api('STREAM.CREATE.by_hand', { name: 'by_hand', subjects, ...memory });
    await nats.api('STREAM.CREATE.Q_DLQ', { name: 'Q_DLQ', subjects: ['app.q.dlq.>'], ...memory });
    // Neither a copy of a DLQ nor one of another queue adds anything.
    const sources = [{ name: 'by_hand', filter_subject: 'osapi-ops.rejected.Q.*' }];
    await nats.api('STREAM.CREATE.COPY', { name: 'COPY', sources, ...memory });
    await nats.api('STREAM.CREATE.r_dlq', { name: 'r_dlq', subjects: [ADVISORIES.replace('.Q.', '.R.')], ...memory });

    const figure = async () => {
      const [own, found, text, metrics, ls, lsSpec, empty, drained] = await Promise.all([
        json('status', spec),
        json('status'),
        run('status', spec),
        run('status', spec, '--output', 'prometheus'),
        json('dlq', 'ls'),
        json('dlq', 'ls', '-f', spec),
        run('status', spec, '--wait', '1ms', '--for', 'dlq-empty'),
        json('queue', 'drain', 'Q', '-f', spec, '--wait', '0s'),
      ]);
      const counts = [own, found].map(({ value }) => value.queues[0].dead);
      const lists = [ls, lsSpec].map(({ value }) => value.length);
      const written = [/(\d+) messages? (?:is|are) dead/.exec(text.stdout)?.[1] ?? '0'].map(Number);
      const measured = Number(/^osapi_ops_dead_messages\{.*\} (\d+)$/m.exec(metrics.stdout)?.[1]);
      const all = new Set([...counts, ...lists, ...written, measured, drained.value.dead]);
      return { dead: [...all], isEmpty: empty.code === 0, codes: [own.code, found.code, text.code] };
    };
    expect(await figure()).toEqual({ dead: [0], isEmpty: true, codes: [0, 0, 0] });
    await putReject(nats, 9, 'rejected', { stream: 'Q', consumer: 'a', subject: 'q.a' });
    expect(await figure()).toEqual({ dead: [1], isEmpty: false, codes: [2, 2, 2] });
    const written = headers();
    for (const [name, value] of [
      ['Stream', 'Q'],
      ['Consumer', 'a'],
      ['Subject', 'q.a'],
    ])
      written.set(`X-DLQ-Original-${name}`, value!);
    await put(nats, 'app.q.dlq.a', '{"id":"carried"}', written);
    expect(await figure()).toEqual({ dead: [2], isEmpty: false, codes: [2, 2, 2] });
    await send('died');
    await kill('a', 1);
    expect(await figure()).toEqual({ dead: [3], isEmpty: false, codes: [2, 2, 2] });
    expect(await json('dlq', 'replay', '-f', spec)).toMatchObject({ code: 0, value: { replayed: 3 } });
    expect(await figure()).toMatchObject({ dead: [0], isEmpty: true });
  });

  test('nothing to judge is not healthy', async () => {
    const { code, stdout } = await run('status');
    expect({ code, stdout }).toMatchObject({ code: 2, stdout: expect.stringContaining('nothing to judge') });
    for (const goal of ['synced', 'healthy', 'drained', 'dlq-empty']) {
      expect((await run('status', '--wait', '1ms', '--for', goal)).code).toBe(2);
    }
  });
});

describe('an id that was named', () => {
  useServer();

  test.each([['ls'], ['replay'], ['export'], ['purge', '--yes', '--archive', 'none.ndjson'], ['rebuild']])(
    'and does not exist is an error of dlq %s, and nothing is touched',
    async (verb, ...flags) => {
      await queue('workqueue', { a: {} });
      for (const id of ['1', '2']) await send(id);
      await kill('a', 2);
      const { code, value } = await json('dlq', verb!, 'Q/a/1', 'Q/a/999', ...flags);
      expect({ code, error: value.error?.code }).toEqual({ code: 1, error: 'NOT_FOUND' });
      expect((await nats.api('STREAM.INFO.Q')).state).toMatchObject({ messages: 2, last_seq: 2 });
    },
  );
});
