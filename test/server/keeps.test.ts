import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import { OpsError } from '../../src/lib/errors/ops-error.ts';
import { advisorySubject, REJECT_HEADER, rejectedSubject } from '../../src/lib/facts/names.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { confirmRemovals } from '../../src/lib/nats/removal.ts';
import { importDeadLetters } from '../../src/lib/operations/dlq/import.ts';
import { purgeDeadLetters } from '../../src/lib/operations/dlq/purge.ts';
import { rebuildEntries } from '../../src/lib/operations/dlq/rebuild.ts';
import { replayDeadLetters } from '../../src/lib/operations/dlq/replay.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { letDie, makeConsumer, makeDead, makeQueue, put, putReject, wipe } from '../support/dead-letters.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';

describe.each(availableVersions())('nats-server %s: a stream that would not keep what is written', (version) => {
  let server: TestServer;
  let nats: Nats;
  let dir: string;
  let archives = 0;
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
    dir = mkdtempSync(join(tmpdir(), 'osapi-ops-keeps-'));
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  afterEach(async () => {
    await confirmRemovals(nats);
    await wipe(nats);
  });

  const faultOf = (work: Promise<unknown>): Promise<OpsError> =>
    work.then(
      (result) => expect(result).toBe('a fault') as never,
      (error: OpsError) => error,
    );
  const seqs = async (stream: string): Promise<[number, number]> => {
    const { state } = (await nats.api(`STREAM.INFO.${stream}`)) as { state: { messages: number; first_seq: number } };
    return [state.messages, state.first_seq];
  };
  const change = async (stream: string, changed: object) => {
    const { config } = await nats.api(`STREAM.INFO.${stream}`);
    await nats.api(`STREAM.UPDATE.${stream}`, { ...(config as object), ...changed });
  };
  const makeOther = (config: object) =>
    nats.api('STREAM.CREATE.OTHER', { name: 'OTHER', subjects: ['other.>'], storage: 'memory', ...config });
  const reject = (seq: number | string) =>
    publish(
      nats,
      rejectedSubject('REQUESTS', 'request-worker'),
      Buffer.from(`carried ${seq}`),
      printHeaders(
        Object.entries({
          stream: 'REQUESTS',
          consumer: 'request-worker',
          seq: String(seq),
          subject: 'requests.dns',
          reason: 'no id',
          time: new Date().toISOString(),
          deliveries: '1',
        }).map(([key, value]) => ({ name: REJECT_HEADER[key as keyof typeof REJECT_HEADER], value })),
      ),
    );
  const importing = (archive: string, dryRun: boolean) =>
    importDeadLetters(contextFor(server), { archive, filter: {}, dryRun, lockWaitMs: 1000 });
  const rebuilding = (dryRun: boolean) => rebuildEntries(contextFor(server), { filter: {}, dryRun, lockWaitMs: 1000 });
  const replaying = (dryRun: boolean, to?: string, ids?: readonly string[]) =>
    replayDeadLetters(contextFor(server), {
      filter: {},
      ...(ids && { ids }),
      dryRun,
      edit: false,
      lockWaitMs: 1000,
      keepEntries: true,
      wishes: { maxInFlight: 256, maxReplays: 3, wait: false, waitMs: 5000, ...(to !== undefined && { to }) },
    });

  test('an import evicts no other dead letter, and goes where there is room for it', async () => {
    await makeQueue(nats);
    for (const seq of [91, 92]) await reject(seq);
    const archive = join(dir, 'two.ndjson');
    await purgeDeadLetters(contextFor(server), { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
    for (const seq of [93, 94]) await reject(seq);
    await change('REQUESTS_dlq', { max_msgs: 3, discard: 'old' });
    const before = await seqs('REQUESTS_dlq');
    for (const dryRun of [true, false]) {
      const fault = await faultOf(importing(archive, dryRun));
      expect(fault.code).toBe('NO_ROOM');
      expect(fault.message).toContain('it holds 2 of its max_msgs 3, and at least 2 would come');
      expect(await seqs('REQUESTS_dlq')).toEqual(before);
    }
    await change('REQUESTS_dlq', { max_msgs: 4 });
    expect(await importing(archive, true)).toMatchObject({ imported: 2 });
    expect(await importing(archive, false)).toMatchObject({ imported: 2, skipped: 0 });
    expect(await seqs('REQUESTS_dlq')).toEqual([4, before[1]]);
  });

  test.each([
    ['max_msgs', 'it holds 3 of its max_msgs 3, and 1 would come'],
    ['max_bytes', 'would come'],
  ])('a dry run of an import and of a rebuild says that a DLQ at its %s would refuse some', async (limit, says) => {
    await makeQueue(nats);
    await reject(91);
    const archive = join(dir, `full-${limit}.ndjson`);
    await purgeDeadLetters(contextFor(server), { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
    for (const seq of [92, 93, 94]) await reject(seq);
    const { state } = (await nats.api('STREAM.INFO.REQUESTS_dlq')) as { state: { bytes: number; messages: number } };
    await change('REQUESTS_dlq', { [limit]: limit === 'max_msgs' ? state.messages : state.bytes, discard: 'new' });
    await makeDead(nats, 1);
    for (const work of [() => importing(archive, true), () => rebuilding(true)]) {
      const fault = await faultOf(work());
      expect(fault).toMatchObject({
        code: 'NO_ROOM',
        message: expect.stringContaining('REQUESTS_dlq would refuse some'),
      });
      expect(fault.message).toContain(says);
    }
    // There is room for one more.
    await change('REQUESTS_dlq', { [limit]: limit === 'max_msgs' ? state.messages + 1 : 2 * state.bytes });
    expect(await rebuilding(true)).toMatchObject({ entries: [{ id: 'REQUESTS/request-worker/1' }] });
    expect(await importing(archive, true)).toMatchObject({ imported: 1 });
  });

  test('an import of what has no id of its own says what it stored, and no more, whatever the window', async () => {
    await makeQueue(nats, { dlqConfig: { duplicate_window: 100e6 } });
    // The first two are alike but for their place: two dead letters.
    const time = new Date().toISOString();
    for (const id of ['a', 'a', 'b']) await putReject(nats, undefined, id, { time });
    const archive = join(dir, `nameless-${++archives}.ndjson`);
    const purge = () =>
      purgeDeadLetters(contextFor(server), { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
    await purge();
    const windowOver = () => new Promise((resolve) => setTimeout(resolve, 300));
    expect(await importing(archive, false)).toMatchObject({ imported: 3, skipped: 0 });
    await windowOver();
    for (const dryRun of [true, false])
      expect(await importing(archive, dryRun)).toMatchObject({ imported: 0, skipped: 3 });
    await nats.api('STREAM.MSG.DELETE.REQUESTS_dlq', { seq: 4 });
    await windowOver();
    expect(await importing(archive, false)).toMatchObject({ imported: 1, skipped: 2 });
    expect((await seqs('REQUESTS_dlq'))[0]).toBe(3);
  });

  test('a purge says first what an import could not bring back, and nothing where it could', async () => {
    await makeQueue(nats);
    const purge = async () => {
      const context = contextFor(server);
      const archive = join(dir, `lasting-${++archives}.ndjson`);
      await purgeDeadLetters(context, { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
      return context.io.events.flatMap((event) => (event.type === 'warning' ? [event.text] : []));
    };
    await reject(91);
    expect(await purge()).toEqual([]);
    await reject(92);
    await makeDead(nats, 2);
    await change('REQUESTS_dlq', { subjects: [advisorySubject('max_deliveries', 'REQUESTS')] });
    expect(await purge()).toEqual([
      expect.stringMatching(
        /^`dlq import` could not bring all of this back as things are: 1 × stream REQUESTS_dlq does not take/,
      ),
    ]);
  });

  test.each([
    { name: 'max_payload of the server', most: undefined },
    { name: 'max_msg_size of stream REQUESTS_dlq', most: 100_000 },
  ])('a purge of what no import could bring back for $name is refused before anything goes', async ({ name, most }) => {
    await makeQueue(nats);
    const limit = most ?? nats.target.server.max_payload;
    if (most) await change('REQUESTS_dlq', { max_msg_size: most });
    await put(nats, 'requests.dns', Buffer.alloc(limit - 100, 'x'));
    await put(nats, 'requests.dns', 'small');
    await letDie(nats);
    const purge = (more: object) => {
      const archive = join(dir, `large-${++archives}.ndjson`);
      const options = { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {}, ...more };
      return { archive, done: purgeDeadLetters(contextFor(server), options) };
    };
    for (const dryRun of [true, false]) {
      const { archive, done } = purge({ dryRun });
      const fault = await faultOf(done);
      expect(fault).toMatchObject({ code: 'DLQ_NOT_TAKEN', where: 'REQUESTS/request-worker/1' });
      expect(fault.why).toMatch(new RegExp(`it is \\d+ bytes, and ${name} is ${limit}\\.`));
      expect(existsSync(archive)).toBe(false);
    }
    expect([(await seqs('REQUESTS'))[0], (await seqs('REQUESTS_dlq'))[0]]).toEqual([2, 2]);
    const others = purge({ filter: { ids: [{ text: '2', seq: 2 }] } });
    expect(await others.done).toMatchObject({ purged: 1 });
  });

  // The limit is moved, not the message: a time ends at its last digit that is no zero, so that another's headers differ.
  test('what has just the room for the headers of a dead letter is purged and comes back; one byte less is refused', async () => {
    await makeQueue(nats, { dlqConfig: { max_msg_size: 50_000 } });
    await put(nats, 'requests.dns', Buffer.alloc(50_000, 'x'));
    await letDie(nats);
    const archive = join(dir, `just-${++archives}.ndjson`);
    const purge = () =>
      purgeDeadLetters(contextFor(server), { yes: true, dryRun: false, lockWaitMs: 1000, filter: {}, archive });
    const size = Number(/it is (\d+) bytes/.exec((await faultOf(purge())).why ?? '')?.[1]);
    await change('REQUESTS_dlq', { max_msg_size: size - 1 });
    expect(await faultOf(purge())).toMatchObject({ code: 'DLQ_NOT_TAKEN' });
    await change('REQUESTS_dlq', { max_msg_size: size });
    expect(await purge()).toMatchObject({ purged: 1, originals: 1 });
    expect(await importing(archive, false)).toMatchObject({ imported: 1, failed: 0 });
  });

  test('an import tells of what is too large here, and brings back the others', async () => {
    await makeQueue(nats);
    await put(nats, 'requests.dns', Buffer.alloc(60_000, 'x'));
    await put(nats, 'requests.dns', 'small');
    await letDie(nats);
    const archive = join(dir, 'elsewhere.ndjson');
    await purgeDeadLetters(contextFor(server), { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
    await change('REQUESTS_dlq', { max_msg_size: 50_000 });
    for (const dryRun of [true, false]) {
      const fault = await faultOf(importing(archive, dryRun));
      expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', result: { imported: 1, failed: 1 } });
      expect(fault.why).toContain('max_msg_size of stream REQUESTS_dlq is 50000');
    }
  });

  test('a purge that is stopped says how many of its archive are still there, and an import skips those', async () => {
    await makeQueue(nats);
    await makeDead(nats, 1050);
    const archive = join(dir, 'stopped.ndjson');
    const stop = new AbortController();
    const context = contextFor(server);
    const tell: typeof context.io.tell = (event) => {
      if (event.type === 'progress' && event.title === 'Purging')
        stop.abort(new OpsError('INTERRUPTED', 'interrupted'));
    };
    const fault = await faultOf(
      purgeDeadLetters(
        { ...context, io: { ...context.io, tell, signal: stop.signal } },
        { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} },
      ),
    );
    expect(fault).toMatchObject({
      code: 'INTERRUPTED',
      result: { purged: 1000, originals: 1000, archive, not_purged: 50 },
    });
    expect(fault.message).toContain(
      `1000 of 1050 purged; the archive ${archive} holds all 1050, 50 of them not purged`,
    );
    expect(await importing(archive, false)).toMatchObject({ imported: 1000, skipped: 50, failed: 0 });
    expect(await importing(archive, false)).toMatchObject({ imported: 0, skipped: 1050 });
  });

  test('a rebuild evicts no dead letter', async () => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    await nats.api('STREAM.PURGE.REQUESTS_dlq');
    await reject(99);
    await change('REQUESTS_dlq', { max_msgs: 2, discard: 'old' });
    const before = await seqs('REQUESTS_dlq');
    for (const dryRun of [true, false]) {
      expect(await faultOf(rebuilding(dryRun))).toMatchObject({ code: 'NO_ROOM' });
      expect(await seqs('REQUESTS_dlq')).toEqual(before);
    }
    await change('REQUESTS_dlq', { max_msgs: 3 });
    expect(await rebuilding(false)).toMatchObject({ rebuilt: 2 });
    expect(await seqs('REQUESTS_dlq')).toEqual([3, before[1]]);
  });

  test.each([
    { name: 'drops its oldest', config: { max_msgs: 2 }, code: 'NO_ROOM' },
    { name: 'keeps the last of a subject', config: { max_msgs_per_subject: 1, discard: 'new' }, code: 'NO_ROOM' },
    { name: 'keeps nothing without a consumer', config: { retention: 'interest' }, code: 'DLQ_NOT_TAKEN' },
    { name: 'confirms nothing', config: { no_ack: true }, code: 'DLQ_NOT_TAKEN' },
  ])('--to a stream that $name leaves all as it is', async ({ config, code }) => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    await makeOther(config);
    if (code === 'NO_ROOM') await put(nats, 'other.old', '1');
    const before = await Promise.all(['OTHER', 'REQUESTS', 'REQUESTS_dlq'].map(seqs));
    for (const dryRun of [true, false]) {
      expect(await faultOf(replaying(dryRun, 'other.x'))).toMatchObject({ code });
      expect(await Promise.all(['OTHER', 'REQUESTS', 'REQUESTS_dlq'].map(seqs))).toEqual(before);
    }
  });

  test('--to a stream that has just the room gets all', async () => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    await makeOther({ max_msgs: 3, max_msgs_per_subject: 2 });
    await put(nats, 'other.old', '1');
    expect(await replaying(true, 'other.x')).toMatchObject({ remaining: 2 });
    expect(await replaying(false, 'other.x')).toMatchObject({ replayed: 2 });
    expect(await seqs('OTHER')).toEqual([3, 1]);
  });

  test('--to a subject of a DLQ means nothing', async () => {
    await makeQueue(nats, { dlqSubjects: [advisorySubject('max_deliveries', 'REQUESTS'), 'dead.>'] });
    await makeDead(nats, 1);
    for (const dryRun of [true, false])
      expect(await faultOf(replaying(dryRun, 'dead.x'))).toMatchObject({ code: 'USAGE', exitCode: 64 });
    expect((await seqs('REQUESTS_dlq'))[0]).toBe(1);
  });

  test('what only its record carries costs the full queue no message', async () => {
    await makeQueue(nats, { config: { discard: 'old', max_msgs: 3 } });
    for (const id of ['a', 'b']) await put(nats, 'requests.dns', id);
    for (const seq of [98, 99]) await reject(seq);
    const before = await seqs('REQUESTS');
    expect(await replaying(true)).toMatchObject({ remaining: 1, failed: 1 });
    const fault = await faultOf(replaying(false));
    expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', result: { replayed: 1, failed: 1 } });
    expect(fault.why).toContain('the queue is full and would drop its oldest: make room first');
    expect(await seqs('REQUESTS')).toEqual([3, before[1]]);
    expect((await seqs('REQUESTS_dlq'))[0]).toBe(1);
  });

  test('originals in a dropping queue exactly at its max_bytes cost no other message: a copy is larger', async () => {
    await makeQueue(nats, { config: { discard: 'old' } });
    await makeDead(nats, 3);
    await put(nats, 'requests.dns', 'waits');
    const { state } = (await nats.api('STREAM.INFO.REQUESTS')) as { state: { bytes: number } };
    await change('REQUESTS', { max_bytes: state.bytes });
    const before = await seqs('REQUESTS');
    expect(await replaying(true)).toMatchObject({ remaining: 0, failed: 3 });
    const fault = await faultOf(replaying(false));
    expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', result: { replayed: 0, failed: 3 } });
    expect(await seqs('REQUESTS')).toEqual(before);
    await change('REQUESTS', { max_bytes: state.bytes + 2000 });
    expect(await replaying(false)).toMatchObject({ replayed: 3 });
    expect((await seqs('REQUESTS'))[0]).toBe(4);
  });

  test('a limits queue at its limit loses none of its messages: each copy waits for room, and takes the place of its original', async () => {
    await makeQueue(nats, { config: { retention: 'limits', discard: 'old' } });
    await makeDead(nats, 3);
    await change('REQUESTS', { max_msgs: 4 });
    expect(await replaying(false)).toMatchObject({ replayed: 3, failed: 0 });
    expect(await seqs('REQUESTS')).toEqual([3, 4]);
    expect((await seqs('REQUESTS_dlq'))[0]).toBe(0);
  });

  test('a limits queue that is full keeps what is not dead, the oldest too: each original goes before its copy comes', async () => {
    await makeQueue(nats, { config: { retention: 'limits', discard: 'old' } });
    await makeConsumer(nats, { consumerConfig: { filter_subject: 'requests.dns' } });
    await put(nats, 'requests.other', 'the oldest');
    await makeDead(nats, 3);
    await change('REQUESTS', { max_msgs: 4 });
    const [, oldest] = await seqs('REQUESTS');
    expect(await replaying(false)).toMatchObject({ replayed: 3, failed: 0 });
    expect(await seqs('REQUESTS')).toEqual([4, oldest]);
    expect((await seqs('REQUESTS_dlq'))[0]).toBe(0);
  });

  test('an interest queue whose consumers wait for other subjects by now keeps its dead letters where they are', async () => {
    await makeQueue(nats, { config: { retention: 'interest' } });
    await makeDead(nats, 2);
    await makeConsumer(nats, { consumerConfig: { filter_subject: 'requests.other' } });
    // A server drops some of what nobody waits for any more when the filter changes.
    const before = await seqs('REQUESTS');
    expect(before[0]).toBeGreaterThan(0);
    for (const dryRun of [true, false]) {
      // Nothing tells any more that they died; whoever names them knows.
      expect(await replaying(dryRun)).toMatchObject({ replayed: 0, failed: 0 });
      const naming = replaying(dryRun, undefined, ['1', '2']);
      const result = dryRun ? await naming : (await faultOf(naming)).result;
      expect(result).toMatchObject({ replayed: 0, failed: before[0] });
      expect(await seqs('REQUESTS')).toEqual(before);
    }
  });

  test('--to an interest stream goes where somebody waits for the subject, and nowhere else', async () => {
    await makeQueue(nats);
    await makeDead(nats, 2);
    await makeOther({ retention: 'interest' });
    await makeConsumer(nats, { stream: 'OTHER', consumer: 'o', consumerConfig: { filter_subject: 'other.y' } });
    for (const dryRun of [true, false])
      expect(await faultOf(replaying(dryRun, 'other.x'))).toMatchObject({ code: 'DLQ_NOT_TAKEN' });
    expect((await seqs('REQUESTS'))[0]).toBe(2);
    expect(await replaying(false, 'other.y')).toMatchObject({ replayed: 2 });
    expect((await seqs('OTHER'))[0]).toBe(2);
  });

  test.each([
    ['$KV.b.key', "is the server's own, or a bucket's"],
    ['$JS.API.STREAM.DELETE.OTHER', "is the server's own, or a bucket's"],
    ['_INBOX.x', "is the server's own, or a bucket's"],
    ['other.*', 'it has a wildcard'],
    ['other.>', 'it has a wildcard'],
    ['other..x', 'an empty part'],
    ['nowhere.x', 'no stream captures it'],
  ])('--to %s is refused for what it is', async (to, why) => {
    await makeQueue(nats);
    await makeOther({});
    expect(await faultOf(replaying(false, to))).toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(why),
    });
  });

  test('a copy keeps its time to live where the stream of --to takes one, whatever the queue does', async () => {
    if (version === '2.10') return;
    await makeQueue(nats, { config: { allow_msg_ttl: true } });
    const hdrs = headers();
    hdrs.set('Nats-TTL', '1h');
    await put(nats, 'requests.dns', 'x', hdrs);
    await letDie(nats);
    await makeOther({});
    expect(await replaying(false, 'other.x')).toMatchObject({ replayed: 1 });
    expect((await seqs('OTHER'))[0]).toBe(1);
  });

  test('an archive of a stream that is no queue says so', async () => {
    await makeQueue(nats);
    await reject(91);
    const archive = join(dir, `moved-${++archives}.ndjson`);
    await purgeDeadLetters(contextFor(server), { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
    await nats.api('STREAM.DELETE.REQUESTS_dlq');
    await nats.api('STREAM.DELETE.REQUESTS');
    await nats.api('STREAM.CREATE.REQUESTS', { name: 'REQUESTS', subjects: ['requests.*'], storage: 'memory' });
    await makeQueue(nats, { stream: 'SECOND', subjects: ['second.*'] });
    expect((await faultOf(importing(archive, true))).message).toContain('a stream of this server and no queue');
    await nats.api('STREAM.DELETE.REQUESTS');
    expect((await faultOf(importing(archive, true))).message).toContain('which is not on this server');
  });
});
