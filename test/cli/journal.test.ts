import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { countJournalled } from '../../src/lib/dlq/journalled.ts';
import { writeJournal } from '../../src/lib/ledger/journal.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, put, wipe } from '../support/dead-letters.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const SPEC = `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    max_msgs: 100
    max_age: 0
    consumers:
      request-worker: {max_deliver: 2, ack_wait: 30s}
    dlq: {stream: requests_dlq}
    responses: {bucket: responses}
`;

/** Whose requests die at once. */
const MORTAL = SPEC.replace('max_deliver: 2, ack_wait: 30s', 'max_deliver: 1, ack_wait: 100ms').replace(
  'requests_dlq',
  'REQUESTS_dlq',
);

describe.each(outermostVersions())('what an unfinished replay holds in its journal, on %s', (version) => {
  const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-journal-'));
  let server: TestServer;
  let nats: Nats;
  beforeAll(async () => {
    server = await startServer({ version });
    writeFileSync(join(cwd, 'osapi-ops.yaml'), SPEC);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(cwd, { recursive: true });
  });
  beforeEach(async () => {
    nats = await connectTo(server);
    await wipe(nats);
    expect((await run('apply')).code).toBe(0);
    await journal([1, 2]);
  });
  afterEach(() => nats.close());

  const journal = async (seqs: readonly number[]) => {
    const { created } = await nats.api('STREAM.INFO.REQUESTS');
    for (const seq of seqs) {
      await writeJournal(nats, {
        id: `REQUESTS/request-worker/${seq}`,
        msgId: `replay:${seq}`,
        subject: 'requests.dns',
        headers: new Uint8Array(),
        payload: Buffer.from(`{"id":"r${seq}"}`),
        kind: 'stored',
        original: { stream: 'REQUESTS', created: String(created), seq, time: `2026-01-02T03:04:0${seq}Z` },
        records: [],
        target: { stream: 'REQUESTS', created: String(created), after: 0 },
      });
    }
  };

  const run = (...args: string[]) => runCli(args, { server, cwd });
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args, '--json');
    return { code, stderr, value: JSON.parse(stdout) };
  };
  const stored = async () => ((await nats.api('STREAM.INFO.REQUESTS')).state as { messages: number }).messages;

  test('is counted alike by all who count, and said by the dry run, which does as it says', async () => {
    expect((await json('status')).value.queues[0]).toMatchObject({ dead: 2 });
    expect((await json('dlq', 'ls')).value).toHaveLength(2);
    expect((await json('dlq', 'stats')).value.total).toBe(2);
    expect((await json('queue', 'drain', 'REQUESTS', '--wait', '0s')).value).toMatchObject({ dead: 2, drained: false });
    const dry = await json('dlq', 'replay', '--dry-run');
    expect(dry).toMatchObject({ code: 0, value: { remaining: 2, groups: [{ count: 2, subject: 'requests.dns' }] } });
    expect(dry.stderr).toContain('2 of them in the journal of a replay that has not ended');
    expect((await json('request', 'show', 'r2')).value).toMatchObject({
      state: 'dead',
      detail: 'an unfinished replay holds it in its journal',
    });
    const done = await json('dlq', 'replay');
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('finished 2') });
    expect(await stored()).toBe(2);
    expect((await json('dlq', 'ls')).value).toEqual([]);
  });

  test('is read by a purge as often whether two of it go or six', async () => {
    // Where each message is a request of its own, a reading begins at the first sequence.
    const reads: { seq?: number; next_by_subj?: string }[] = [];
    const asked = nats.nc.subscribe('$JS.API.*.GET.KV_osapi_ops', {
      callback: (_, message) => void reads.push(message.json()),
    });
    const isReading = ({ seq, next_by_subj }: (typeof reads)[number]) =>
      seq === 1 && next_by_subj?.includes('.journal.');
    const purge = async (archive: string) => {
      const { code, value } = await json('dlq', 'purge', '--yes', '--archive', archive);
      await nats.nc.flush();
      rmSync(join(cwd, archive));
      return { code, purged: value.purged, reads: reads.splice(0).filter(isReading).length };
    };
    const two = await purge('two.ndjson');
    await journal([3, 4, 5, 6, 7, 8]);
    expect(two).toMatchObject({ code: 0, purged: 2, reads: expect.any(Number) });
    expect(two.reads).toBeGreaterThan(0);
    expect(await purge('six.ndjson')).toEqual({ ...two, purged: 6 });
    asked.unsubscribe();
  });

  test('goes with its queue: destroy says how many, and the next queue of the name gets none of it', async () => {
    const refused = await json('destroy', 'osapi-ops.yaml');
    expect(refused).toMatchObject({ code: 1, value: { error: { code: 'NOT_CONFIRMED' } } });
    expect(refused.value.findings).toContainEqual(
      expect.objectContaining({
        message: 'stream REQUESTS: 2 requests in the journal of a replay that has not ended go with it',
        hint: 'finish it first: osapi-ops dlq replay',
        count: 2,
      }),
    );
    expect((await run('destroy', 'osapi-ops.yaml', '--dry-run')).stdout).toContain('2 requests in the journal');
    expect((await run('destroy', 'osapi-ops.yaml', '--yes')).code).toBe(0);
    expect(await countJournalled(nats)).toEqual(new Map());
    expect((await run('apply')).code).toBe(0);
    expect((await json('dlq', 'replay')).value).toMatchObject({ replayed: 0, remaining: 0 });
    expect(await stored()).toBe(0);
  });

  test('never gets into a queue that was made anew by hand, and comes back as a dead letter of it where wanted', async () => {
    await nats.api('STREAM.DELETE.REQUESTS');
    expect((await run('apply')).code).toBe(0);
    expect((await json('status')).value.queues[0]).toMatchObject({ dead: 2 });
    expect((await run('dlq', 'ls', '--wide')).stdout).toContain(
      'of a queue that was made anew since: purge archives it',
    );
    // No replay finishes what is of another queue.
    expect((await json('destroy', 'osapi-ops.yaml')).value.findings).toContainEqual(
      expect.objectContaining({
        hint: 'of a queue that was made anew since, 2: `osapi-ops dlq purge --queue REQUESTS` archives what is there',
        count: 2,
      }),
    );
    for (const args of [['--dry-run'], []]) {
      const { code, value, stderr } = await json('dlq', 'replay', ...args);
      expect({ code, value }).toMatchObject({ code: 0, value: { replayed: 0, skipped: 2, remaining: 0 } });
      expect(stderr).toContain('2 skipped, of a queue that was made anew');
    }
    expect(await stored()).toBe(0);
    expect((await json('dlq', 'purge', '--yes', '--archive', 'old.ndjson')).value).toMatchObject({ purged: 2 });
    expect((await json('status')).value.queues[0]).toMatchObject({ dead: 0 });
    expect((await json('dlq', 'import', 'old.ndjson')).value).toMatchObject({ imported: 2 });
    expect((await json('dlq', 'replay')).value).toMatchObject({ replayed: 2 });
    expect(await stored()).toBe(2);
    rmSync(join(cwd, 'old.ndjson'));
  });

  describe('and took out with the records of its death', () => {
    const text = (value: unknown) => String(value);
    /** What a replay leaves behind that was killed with r1 and r2 in its journal, and r3 not begun. */
    beforeEach(async () => {
      await wipe(nats);
      writeFileSync(join(cwd, 'mortal.yaml'), MORTAL);
      expect((await run('apply', 'mortal.yaml')).code).toBe(0);
      for (const id of ['r1', 'r2', 'r3']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
      await letDie(nats);
      const info = await Promise.all(['REQUESTS', 'REQUESTS_dlq'].map((name) => nats.api(`STREAM.INFO.${name}`)));
      const [created, dlqCreated] = info.map((one) => text(one.created));
      const messageOf = async (stream: string, seq: number) =>
        (await nats.api(`STREAM.MSG.GET.${stream}`, { seq })).message as { time: string; data: string };
      for (const place of [1, 2, 3]) {
        const record = await messageOf('REQUESTS_dlq', place);
        // They are recorded in no order.
        const seq = Number(JSON.parse(Buffer.from(record.data, 'base64').toString()).stream_seq);
        if (seq === 3) continue;
        const { time, data } = await messageOf('REQUESTS', seq);
        await writeJournal(nats, {
          id: `REQUESTS/request-worker/${seq}`,
          msgId: `replay:${seq}`,
          subject: 'requests.dns',
          headers: new Uint8Array(),
          payload: Buffer.from(data, 'base64'),
          kind: 'stored',
          original: { stream: 'REQUESTS', created: created!, seq, time },
          records: [{ stream: 'REQUESTS_dlq', created: dlqCreated!, seq: place, time: record.time }],
          target: { stream: 'REQUESTS', created: created!, after: 0 },
        });
        await nats.api('STREAM.MSG.DELETE.REQUESTS', { seq });
      }
    });

    const listed = async () =>
      ((await json('dlq', 'ls')).value as { id: string; request_id: string; state: string }[])
        .filter(({ state }) => state !== 'gone')
        .map(({ id, request_id, state }) => `${request_id} ${state} ${id.replace(/^(KV_osapi_ops\/-\/)\d+$/, '$1N')}`)
        .sort();
    /** What all who count say of the dead. */
    const counted = async () => {
      const [status, stats, drain] = [
        await json('status', 'mortal.yaml'),
        await json('dlq', 'stats'),
        await json('queue', 'drain', 'REQUESTS', '--wait', '0s'),
      ];
      return [status.value.queues[0].dead, stats.value.total, drain.value.dead];
    };
    const journalled = async () => (await countJournalled(nats))?.get('REQUESTS') ?? 0;

    test('is one entry with them', async () => {
      expect(await listed()).toEqual(
        ['r1', 'r2', 'r3'].map((id, at) => `${id} replayable REQUESTS/request-worker/${at + 1}`),
      );
      expect(await counted()).toEqual([3, 3, 3]);
    });

    test('is there when they are gone, and goes in as before', async () => {
      await nats.api('STREAM.PURGE.REQUESTS_dlq');
      expect(await listed()).toEqual(
        ['r1', 'r2', 'r3'].map((id, at) => `${id} orphan REQUESTS/request-worker/${at + 1}`),
      );
      expect(await counted()).toEqual([3, 3, 3]);
      expect((await run('dlq', 'ls', '--wide')).stdout).toMatch(/orphan .*in the journal of a replay .*: the next one/);
      // A rebuild of the DLQ finds what is stored.
      expect((await json('status', 'mortal.yaml')).value.checks).toContainEqual(
        expect.objectContaining({ code: 'CHECK_ORPHANS', value: 1 }),
      );
      expect((await json('dlq', 'replay', '--dry-run')).value).toMatchObject({ remaining: 3 });
      expect((await json('request', 'show', 'r1')).value).toMatchObject({ state: 'dead', seq: 1 });
      expect((await json('dlq', 'show', 'REQUESTS/request-worker/2')).value).toMatchObject({ request_id: 'r2' });
      expect(await json('dlq', 'replay')).toMatchObject({ code: 0, stderr: expect.stringContaining('finished 2') });
      expect(await stored()).toBe(3);
      expect(await listed()).toEqual([]);
    });

    test.each(['the queue', 'the queue and its DLQ'])(
      'is apart from what has its number once %s is made anew',
      async (what) => {
        await nats.api('STREAM.DELETE.REQUESTS');
        if (what !== 'the queue') await nats.api('STREAM.DELETE.REQUESTS_dlq');
        expect((await run('apply', 'mortal.yaml')).code).toBe(0);
        const old = ['r1', 'r2'].map(
          (id) => `${id} ${what === 'the queue' ? 'replayable' : 'orphan'} KV_osapi_ops/-/N`,
        );
        expect(await listed()).toEqual(old);
        expect(await counted()).toEqual([2, 2, 2]);
        for (const id of ['n1', 'n2']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
        await letDie(nats);
        const fresh = ['n1', 'n2'].map((id, at) => `${id} replayable REQUESTS/request-worker/${at + 1}`);
        expect(await listed()).toEqual([...fresh, ...old]);
        expect(await counted()).toEqual([4, 4, 4]);
        expect((await json('dlq', 'show', 'REQUESTS/request-worker/1')).value).toMatchObject({ request_id: 'n1' });
        expect(
          (await json('dlq', 'purge', 'REQUESTS/request-worker/2', '--yes', '--archive', 'n2.ndjson')).value,
        ).toMatchObject({
          purged: 1,
        });
        expect((await json('dlq', 'replay')).value).toMatchObject({ replayed: 1, skipped: 2 });
        expect(await listed()).toEqual(old);
        const [{ id }] = (await json('dlq', 'ls', '--match', 'r1')).value;
        expect((await json('dlq', 'show', id)).value).toMatchObject({ request_id: 'r1', seq: 1 });
        expect((await json('dlq', 'purge', id, '--yes', '--archive', 'r1.ndjson')).value).toMatchObject({
          purged: 1,
          originals: 1,
        });
        expect(await journalled()).toBe(1);
        expect(await listed()).toEqual(old.slice(1));
        // With what is left of r3: a record.
        const purged = what === 'the queue' ? 2 : 1;
        expect((await json('dlq', 'purge', '--yes', '--archive', 'r2.ndjson')).value).toMatchObject({ purged });
        expect(await journalled()).toBe(0);
        expect((await json('dlq', 'ls')).value).toEqual([]);
        expect((await json('dlq', 'import', 'r1.ndjson')).value).toMatchObject({ imported: 1 });
        expect((await json('dlq', 'replay')).value).toMatchObject({ replayed: 1 });
        expect(await stored()).toBe(2);
        for (const file of ['n2', 'r1', 'r2']) rmSync(join(cwd, `${file}.ndjson`));
      },
    );
  });
});
