import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { OpsError } from '../../src/lib/errors/ops-error.ts';
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
import { makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';

describe.each(availableVersions())('nats-server %s: a stream that would not keep what is written', (version) => {
  let server: TestServer;
  let nats: Nats;
  let dir: string;
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
  const replaying = (dryRun: boolean, to?: string) =>
    replayDeadLetters(contextFor(server), {
      filter: {},
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

  test('an import of what has no id of its own says what it stored, and no more', async () => {
    await makeQueue(nats);
    await reject('none');
    const archive = join(dir, 'nameless.ndjson');
    await purgeDeadLetters(contextFor(server), { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
    expect(await importing(archive, false)).toMatchObject({ imported: 1, skipped: 0 });
    expect(await importing(archive, false)).toMatchObject({ imported: 0, skipped: 1 });
    expect((await seqs('REQUESTS_dlq'))[0]).toBe(1);
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
});
