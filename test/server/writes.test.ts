import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { printArchiveLine } from '../../src/lib/dlq/archive.ts';
import { scanEntries } from '../../src/lib/dlq/scan.ts';
import type { OpsError } from '../../src/lib/errors/ops-error.ts';
import { REJECT_HEADER, rejectedSubject } from '../../src/lib/facts/names.ts';
import { readJournal, writeJournal } from '../../src/lib/ledger/journal.ts';
import { entryJson } from '../../src/lib/model/entry.ts';
import type { Seen, StoredMessage } from '../../src/lib/model/message.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { getMessage, getRange } from '../../src/lib/nats/messages.ts';
import { headerValue, parseHeaders, printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { confirmRemovals, lookAhead, looksAhead, removeMessage, removeMessages } from '../../src/lib/nats/removal.ts';
import { importDeadLetters } from '../../src/lib/operations/dlq/import.ts';
import { purgeDeadLetters } from '../../src/lib/operations/dlq/purge.ts';
import { rebuildEntries } from '../../src/lib/operations/dlq/rebuild.ts';
import { type ReplayOptions, replayDeadLetters } from '../../src/lib/operations/dlq/replay.ts';
import type { QueueJob } from '../../src/lib/replay/job.ts';
import { PROTOCOL, type Step } from '../../src/lib/replay/protocol.ts';
import { replayQueue } from '../../src/lib/replay/queue.ts';
import { Tally } from '../../src/lib/replay/tally.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { letDie, makeConsumer, makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { record } from '../unit/dlq/builders.ts';

const wishes: ReplayOptions['wishes'] = { maxInFlight: 256, maxReplays: 3, wait: false, waitMs: 5000 };
const REF = { queue: 'REQUESTS', dlq: 'REQUESTS_dlq', dlqs: ['REQUESTS_dlq'], consumers: ['request-worker'] };

describe.each(availableVersions())('nats-server %s: what is written', (version) => {
  let server: TestServer;
  let nats: Nats;
  let dir: string;
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
    dir = mkdtempSync(join(tmpdir(), 'osapi-ops-writes-'));
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  afterEach(async () => {
    // What a test removed is not asked of the streams of the next.
    await confirmRemovals(nats);
    await wipe(nats);
  });

  const replay = (change: Partial<Omit<ReplayOptions, 'wishes'>> = {}, wanted: Partial<ReplayOptions['wishes']> = {}) =>
    replayDeadLetters(contextFor(server), {
      filter: {},
      dryRun: false,
      edit: false,
      lockWaitMs: 1000,
      keepEntries: true,
      ...change,
      wishes: { ...wishes, ...wanted },
    });
  const faultOf = async (work: Promise<unknown>): Promise<OpsError> =>
    (await work.then(
      () => ({}),
      (error: unknown) => error,
    )) as OpsError;
  /** The queue's part of a replay alone. */
  const run = (change: Partial<QueueJob> = {}) =>
    replayQueue({
      nats,
      ref: REF,
      filter: {},
      wishes,
      tally: new Tally(true),
      signal: new AbortController().signal,
      now: Date.now(),
      onProgress() {},
      tellNote() {},
      tellWarning() {},
      ...change,
    });
  const all = async (stream: string): Promise<StoredMessage[]> => {
    const found: StoredMessage[] = [];
    for await (const message of getRange(nats, stream, 1)) found.push(message);
    return found;
  };
  const count = async (stream: string): Promise<number> => (await all(stream)).length;
  const lastSeq = async (stream: string): Promise<number> =>
    ((await nats.api(`STREAM.INFO.${stream}`)).state as unknown as { last_seq: number }).last_seq;
  const makeOther = (name: string, subjects: readonly string[], config: object = {}) =>
    nats.api(`STREAM.CREATE.${name}`, { name, subjects, storage: 'memory', allow_direct: true, ...config });
  const change = async (stream: string, change: object) => {
    const { config } = await nats.api(`STREAM.INFO.${stream}`);
    await nats.api(`STREAM.UPDATE.${stream}`, { ...(config as object), ...change });
  };
  const makeAnew = async (stream: string) => {
    const { config } = await nats.api(`STREAM.INFO.${stream}`);
    await nats.api(`STREAM.DELETE.${stream}`);
    await nats.api(`STREAM.CREATE.${stream}`, config as object);
  };
  /** A worker's reject, as one who may publish rejects can write it. */
  const reject = (told: Partial<Record<keyof typeof REJECT_HEADER, string>> = {}, payload = '{"id":"r"}') => {
    const all = {
      stream: 'REQUESTS',
      consumer: 'request-worker',
      seq: '99',
      subject: 'requests.dns',
      reason: 'no id',
      time: new Date().toISOString(),
      deliveries: '1',
      ...told,
    };
    const lines = Object.entries(all).map(([key, value]) => ({
      name: REJECT_HEADER[key as keyof typeof REJECT_HEADER],
      value,
    }));
    return publish(nats, rejectedSubject('REQUESTS', 'request-worker'), Buffer.from(payload), printHeaders(lines));
  };
  const importing = (archive: string, dryRun = false, context = contextFor(server)) =>
    importDeadLetters(context, { archive, filter: {}, dryRun, lockWaitMs: 1000 });
  const purging = async (): Promise<string> => {
    const archive = join(dir, `${Math.random()}.ndjson`);
    await purgeDeadLetters(contextFor(server), { archive, yes: true, dryRun: false, lockWaitMs: 1000, filter: {} });
    return archive;
  };

  const scanned = async () => {
    const ref = { queue: 'REQUESTS', dlq: 'REQUESTS_dlq', dlqs: ['REQUESTS_dlq'], consumers: ['request-worker'] };
    const found = [];
    for await (const entry of scanEntries(nats, [ref], {})) found.push(entryJson(entry));
    return found;
  };

  describe('goes where it belongs, or nowhere:', () => {
    test.each([
      { name: 'a subject that the server would obey', subject: '$JS.API.STREAM.DELETE.OTHER' },
      { name: "a bucket's", subject: '$KV.config.key' },
      { name: "another stream's", subject: 'other.x' },
      { name: "the server's own", subject: '$SYS.REQ.SERVER.PING' },
      { name: 'an inbox', subject: '_INBOX.x.y' },
      { name: 'what the queue does not take', subject: 'requests.a.b' },
    ])('a record says that its message was on $name', async ({ subject }) => {
      await makeQueue(nats);
      await makeOther('OTHER', ['other.>']);
      await makeOther('KV_config', ['$KV.config.>']);
      await reject({ subject });
      await reject({ seq: '100' }, 'good');
      const preview = await replay({ dryRun: true });
      expect(preview).toMatchObject({ remaining: 1, failed: 1 });
      const began = performance.now();
      const fault = await faultOf(replay());
      expect(performance.now() - began).toBeLessThan(5000);
      expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', exitCode: 1, result: { replayed: 1, failed: 1 } });
      expect(fault.why).toContain('--to SUBJECT');
      expect([await count('OTHER'), await count('KV_config'), await count('REQUESTS')]).toEqual([0, 0, 1]);
      expect(await count('REQUESTS_dlq')).toBe(1);
      expect((await replay({}, { to: 'requests.dns' })).replayed).toBe(1);
    });

    test('a message whose subject another stream took over', async () => {
      await makeQueue(nats, { subjects: ['requests.dns', 'requests.tcp'] });
      await put(nats, 'requests.tcp', 'moved');
      await put(nats, 'requests.dns', 'stays');
      await letDie(nats);
      await change('REQUESTS', { subjects: ['requests.dns'] });
      await makeOther('OTHER', ['requests.tcp']);
      const fault = await faultOf(replay());
      expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', result: { replayed: 1, failed: 1, remaining: 0 } });
      expect(await count('OTHER')).toBe(0);
      expect((await getMessage(nats, 'REQUESTS', 1))?.subject).toBe('requests.tcp');
      expect((await replay({}, { to: 'requests.tcp' })).replayed).toBe(1);
      expect([await count('OTHER'), await count('REQUESTS')]).toEqual([1, 1]);
    });

    test.each([
      '$JS.API.STREAM.DELETE.OTHER',
      '$KV.config.key',
      '_INBOX.x',
      '_R_.x',
      'requests.*',
      'requests.>',
      'a b',
      'a..b',
      '',
    ])('--to %s', async (to) => {
      await makeQueue(nats);
      await makeOther('KV_config', ['$KV.config.>']);
      await makeOther('OTHER', ['_INBOX.x', '_R_.>']);
      await makeDead(nats, 1);
      expect(await faultOf(replay({}, { to }))).toMatchObject({ code: 'USAGE' });
      expect([await count('REQUESTS'), await count('OTHER'), await count('KV_config')]).toEqual([1, 0, 0]);
    });

    test.each(['$JS.API.STREAM.DELETE.OTHER', '$SYS.REQ.SERVER.PING', '_INBOX.x', 'requests.*', 'a b', 'a..b'])(
      'a reject of %s is dead and not gone: purged and imported it is what it was, and goes with --to',
      async (subject) => {
        await makeQueue(nats);
        await reject({ subject }, 'body');
        const listed = await scanned();
        expect(listed).toMatchObject([{ state: 'replayable', subject, size: 4 }]);
        expect(await faultOf(replay())).toMatchObject({ result: { failed: 1 } });
        const [before] = await all('REQUESTS_dlq');
        const archive = await purging();
        expect(await count('REQUESTS_dlq')).toBe(0);
        expect(await importing(archive)).toMatchObject({ imported: 1 });
        const [after] = await all('REQUESTS_dlq');
        expect(after!.payload).toEqual(before!.payload);
        expect(await scanned()).toEqual(listed);
        expect(await replay({}, { to: 'requests.dns' })).toMatchObject({ replayed: 1 });
      },
    );

    test('what an archive holds, which its dry run tells too', async () => {
      await makeQueue(nats);
      await makeOther('OTHER', ['other.>']);
      const dead: StoredMessage = {
        stream: 'REQUESTS',
        seq: 7,
        subject: 'requests.dns',
        time: '2026-01-01T00:00:00Z',
        headers: new Uint8Array(0),
        payload: Buffer.from('{}'),
      };
      const advisory = { ...dead, stream: 'REQUESTS_dlq', subject: '$JS.API.STREAM.DELETE.OTHER' };
      const line = (message: StoredMessage, raw?: StoredMessage) =>
        printArchiveLine({
          id: `REQUESTS/request-worker/${message.seq}`,
          queue: 'REQUESTS',
          consumer: 'request-worker',
          seq: message.seq,
          subject: message.subject,
          request_id: null,
          state: 'replayable',
          reason: 'max_deliveries',
          detail: null,
          deliveries: 1,
          died_at: message.time,
          published_at: message.time,
          size: 2,
          replays: 0,
          inner: {
            records: raw ? [{ ...record(), raw }] : [],
            original: message,
            message,
            streamCreated: '2026-01-01T00:00:00Z',
          },
        });
      const archive = join(dir, 'forged.ndjson');
      writeFileSync(
        archive,
        [
          line({ ...dead, subject: '$JS.API.STREAM.DELETE.OTHER' }),
          line({ ...dead, seq: 8 }, advisory),
          line({ ...dead, seq: 9 }, { ...advisory, subject: 'requests.dns' }),
          line({ ...dead, seq: 10, subject: 'requests.\u0007' }),
          line({ ...dead, seq: 11 }),
          line({ ...dead, seq: 12, stream: 'x\r\nPUB $JS.API.STREAM.DELETE.OTHER 0\r\n\r\n' }),
        ].join('\n'),
      );
      const context = contextFor(server);
      const tried = await faultOf(importing(archive, true, context));
      expect(tried).toMatchObject({ code: 'DLQ_UNFINISHED', result: { imported: 4, failed: 2, dry_run: true } });
      const warnings = context.io.events.filter(({ type }) => type === 'warning');
      expect(warnings).toEqual([{ type: 'warning', text: expect.stringMatching(/^2 of these .* with --to only$/) }]);
      expect(await count('REQUESTS_dlq')).toBe(0);
      const fault = await faultOf(importing(archive));
      expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', exitCode: 1, result: { imported: 4, failed: 2 } });
      expect([await count('REQUESTS_dlq'), await count('REQUESTS'), await count('OTHER')]).toEqual([4, 0, 0]);
      // What could go where a server obeys goes nowhere.
      expect(await faultOf(replay())).toMatchObject({ result: { replayed: 2, failed: 2 } });
      expect([await count('REQUESTS_dlq'), await count('REQUESTS'), await count('OTHER')]).toEqual([2, 2, 0]);
    });

    test('a journalled copy: it is found in the stream that --to meant, whatever the next run is told', async () => {
      await makeQueue(nats);
      await makeOther('OTHER', ['other.x'], { duplicate_window: 100e6 });
      // Makes the ledger.
      await replay();
      await makeDead(nats, 1);
      const [dead] = await all('REQUESTS');
      const [record] = await all('REQUESTS_dlq');
      const { created } = await nats.api('STREAM.INFO.OTHER');
      // As a run leaves it that was killed after its publish: the copy is in, the journal still holds it.
      const copy = { msgId: 'osapi-ops.replay.REQUESTS.1.x.1', subject: 'other.x', payload: dead!.payload };
      const headers = printHeaders([{ name: 'Nats-Msg-Id', value: copy.msgId }]);
      await writeJournal(nats, {
        ...copy,
        headers,
        kind: 'named',
        id: 'REQUESTS/request-worker/1',
        original: { ...dead!, created: '' },
        records: [{ ...record!, created: '' }],
        target: { stream: 'OTHER', created: String(created), after: 0 },
      });
      await publish(nats, copy.subject, copy.payload, headers);
      await nats.api('STREAM.MSG.DELETE.REQUESTS', { seq: 1 });
      // Until the duplicate window is over: then no id tells that the copy is in.
      await sleep(200);
      expect(await replay()).toMatchObject({ failed: 0, remaining: 0 });
      expect([await count('OTHER'), await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([1, 0, 0]);
      expect(await readJournal(nats, 'REQUESTS')).toEqual([]);
    });
  });

  describe('one bad entry is one bad entry:', () => {
    test('the others go at once, and the next run says the same', async () => {
      await makeQueue(nats, { subjects: ['requests.dns', 'requests.old'] });
      await put(nats, 'requests.old', 'bad');
      await makeDead(nats, 50);
      await change('REQUESTS', { subjects: ['requests.dns'] });
      for (const replayed of [50, 0]) {
        const began = performance.now();
        const fault = await faultOf(replay());
        expect(performance.now() - began).toBeLessThan(5000);
        expect(fault).toMatchObject({
          code: 'DLQ_UNFINISHED',
          result: { replayed, failed: 1, remaining: 0 },
          why: expect.stringContaining('does not take requests.old (it takes requests.dns); --to SUBJECT'),
        });
      }
    });

    test('a subject that goes while the page is under way', async () => {
      await makeQueue(nats, { subjects: ['requests.dns', 'requests.old'] });
      // What died at once is moved in any order: it is all alike. A page is what goes within a second.
      for (let index = 0; index < 20; index++) await put(nats, 'requests.old', '{}');
      await letDie(nats);
      const tally = new Tally(true);
      let begun = 0;
      const moving = run({ tally, wishes: { ...wishes, rate: 20, maxInFlight: 1 }, onProgress: () => (begun += 1) });
      const lastSeq = async () => ((await nats.api('STREAM.INFO.REQUESTS')).state as { last_seq: number }).last_seq;
      await until(async () => (await lastSeq()) > 20, 'the first of the page is moved');
      await change('REQUESTS', { subjects: ['requests.dns'] });
      const began = performance.now();
      await moving;
      expect(performance.now() - began).toBeLessThan(8000);
      expect(begun).toBe(1);
      const { replayed, failed, remaining } = tally.result();
      expect({ all: replayed + failed, remaining }).toEqual({ all: 20, remaining: 0 });
      expect(Math.min(replayed, failed)).toBeGreaterThan(0);
    });

    test('of a queue that stores under another subject what it takes', async () => {
      await makeQueue(nats, {
        subjects: ['in.>'],
        config: { subject_transform: { src: 'in.*', dest: 'requests.{{wildcard(1)}}' } },
      });
      await put(nats, 'in.dns', '1');
      await letDie(nats);
      expect(await faultOf(replay())).toMatchObject({ code: 'DLQ_UNFINISHED', result: { failed: 1 } });
      expect((await replay({}, { to: 'in.dns' })).replayed).toBe(1);
      expect((await all('REQUESTS')).map(({ subject, seq }) => `${subject} ${seq}`)).toEqual(['requests.dns 2']);
    });

    test('of a queue whose transform would move its subject once more', async () => {
      const subject_transform = { src: 'requests.>', dest: 'requests.p.>' };
      await makeQueue(nats, { subjects: ['requests.>'], config: { subject_transform } });
      await put(nats, 'requests.dns', '1');
      await letDie(nats);
      const fault = await faultOf(replay());
      expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', result: { failed: 1 } });
      expect(fault.why).toContain('subject_transform');
    });

    test('of a queue that only has sources', async () => {
      await makeOther('IN', ['in.>']);
      await makeQueue(nats, { subjects: [], config: { sources: [{ name: 'IN' }] } });
      await put(nats, 'in.dns', '1');
      await until(async () => (await count('REQUESTS')) > 0, 'the first is moved');
      await letDie(nats);
      const fault = await faultOf(replay());
      expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', result: { failed: 1 } });
      expect(fault.why).toContain('nothing from publishers');
      expect((await replay({}, { to: 'in.again' })).replayed).toBe(1);
      expect((await all('IN')).map(({ subject }) => subject)).toEqual(['in.dns', 'in.again']);
    });

    test('of a queue with sources and subjects of its own, a copy says nothing of where it was sourced', async () => {
      await makeOther('IN', ['in.>']);
      await makeQueue(nats, {
        subjects: ['requests.*'],
        config: { sources: [{ name: 'IN', subject_transforms: [{ src: 'in.*', dest: 'requests.{{wildcard(1)}}' }] }] },
      });
      await put(nats, 'in.dns', '1');
      await until(async () => (await count('REQUESTS')) > 0, 'the first is moved');
      await letDie(nats);
      expect((await replay()).replayed).toBe(1);
      const [copy] = await all('REQUESTS');
      expect(copy!.subject).toBe('requests.dns');
      expect(headerValue(parseHeaders(copy!.headers), 'Nats-Stream-Source')).toBeUndefined();
    });
  });

  describe('"duplicate" is a question:', () => {
    test('purge, import, purge, import stores each time', async () => {
      await makeQueue(nats);
      await makeDead(nats, 3);
      await reject({}, 'carried');
      const first = await purging();
      expect(await count('REQUESTS_dlq')).toBe(0);
      for (let round = 0; round < 3; round++) {
        expect(await importing(first)).toMatchObject({ imported: 4, skipped: 0, failed: 0 });
        const stored = await count('REQUESTS_dlq');
        expect(stored).toBeGreaterThanOrEqual(4);
        expect(await importing(first)).toMatchObject({ imported: 0, skipped: 4, failed: 0 });
        expect(await count('REQUESTS_dlq')).toBe(stored);
        const again = await purging();
        expect(readFileSync(again, 'utf8').trim().split('\n')).toHaveLength(4);
        expect(await count('REQUESTS_dlq')).toBe(0);
      }
      expect(await importing(first)).toMatchObject({ imported: 4 });
      expect((await replay()).replayed).toBe(4);
      const copies = await all('REQUESTS');
      expect(copies.map(({ payload }) => Buffer.from(payload).toString()).sort()).toEqual(
        ['carried', ...[0, 1, 2].map((id) => JSON.stringify({ id: `r${id}`, query: 'example.com' }))].sort(),
      );
    });

    test('rebuild writes an entry again that was purged meanwhile', async () => {
      await makeQueue(nats);
      await makeDead(nats, 3);
      await nats.api('STREAM.PURGE.REQUESTS_dlq');
      for (let round = 0; round < 3; round++) {
        expect(await rebuildEntries(contextFor(server), { filter: {}, dryRun: false, lockWaitMs: 1000 })).toMatchObject(
          {
            rebuilt: 3,
          },
        );
        expect(await count('REQUESTS_dlq')).toBe(3);
        await nats.api('STREAM.PURGE.REQUESTS_dlq');
      }
    });

    test('a copy that an earlier run published, and that was worked on since, is not published again, and told', async () => {
      await makeQueue(nats);
      await makeDead(nats, 1);
      const killed = run({ protocol: { ...PROTOCOL, room: cut(PROTOCOL.room, 1) } });
      expect(await faultOf(killed)).toMatchObject({ message: 'killed' });
      await nats.api('STREAM.MSG.DELETE.REQUESTS', { seq: 2 });
      const context = contextFor(server);
      const result = await replayDeadLetters(context, {
        filter: {},
        dryRun: false,
        edit: false,
        lockWaitMs: 1000,
        keepEntries: true,
        wishes,
      });
      expect(result).toMatchObject({ replayed: 1, failed: 0, remaining: 0 });
      expect(context.io.events).toContainEqual({
        type: 'note',
        text: expect.stringContaining('1 had been published by an earlier run and left the queue since'),
      });
      expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([0, 0]);
    });
  });

  describe('a removal takes what was seen, and nothing else:', () => {
    const seenIn = async (stream: string): Promise<Seen[]> => {
      const { created } = await nats.api(`STREAM.INFO.${stream}`);
      return (await all(stream)).map(({ seq, time }) => ({ stream, created: String(created), seq, time }));
    };
    const fill = async (stream: string, subject: string, many: number) => {
      for (let index = 0; index < many; index++) await put(nats, subject, `${stream} ${index}`);
    };

    test.each([3, 40])(
      'of %i messages the one with another time, another stream or no longer there stays or is told',
      async (many) => {
        await makeOther('S', ['s.>']);
        await fill('S', 's.x', many);
        const seen = await seenIn('S');
        await nats.api('STREAM.MSG.DELETE.S', { seq: 1 });
        const [, second, ...rest] = seen;
        const wanted: Seen[] = [
          seen[0]!,
          { ...second!, time: '2026-01-01T00:00:00Z' },
          ...rest.slice(0, -1),
          { ...rest.at(-1)!, created: '2026-01-01T00:00:00Z' },
          { ...rest.at(-1)!, stream: 'NONE' },
        ];
        const removals = await removeMessages(nats, wanted);
        expect(removals).toEqual(['gone', 'another', ...rest.slice(1).map(() => 'removed'), 'anew', 'gone']);
        expect((await all('S')).map(({ seq }) => seq)).toEqual([2, many]);
        await confirmRemovals(nats);
      },
    );

    test('a whole page goes with what lies between left alone', async () => {
      await makeOther('S', ['s.>']);
      await fill('S', 's.x', 60);
      const seen = await seenIn('S');
      await nats.api('STREAM.MSG.DELETE.S', { seq: 5 });
      const stays = new Set([30, 31, 60]);
      const removals = await removeMessages(
        nats,
        seen.filter(({ seq }) => !stays.has(seq)),
      );
      expect(removals.filter((one) => one === 'removed')).toHaveLength(56);
      expect((await all('S')).map(({ seq }) => seq)).toEqual([...stays]);
    });

    test('a stream that is made anew keeps what it has, whatever goes by the old sequences', async () => {
      await makeOther('S', ['s.>']);
      await fill('S', 's.x', 60);
      const seen = await seenIn('S');
      await makeAnew('S');
      await fill('S', 's.x', 60);
      expect(new Set(await removeMessages(nats, seen))).toEqual(new Set(['anew']));
      expect(
        new Set(
          await removeMessages(
            nats,
            seen.map((one) => ({ ...one, created: '' })),
          ),
        ),
      ).toEqual(new Set(['another']));
      expect(await count('S')).toBe(60);
      await confirmRemovals(nats);
    });

    test('what the look cannot guard, a stream made anew between it and the removal, is told loudly and by sequence', async () => {
      await makeOther('S', ['s.>']);
      await fill('S', 's.x', 3);
      const [, second] = await seenIn('S');
      const look = lookAhead(nats, second!);
      await look;
      await makeAnew('S');
      await fill('S', 's.x', 3);
      expect(await removeMessage(nats, second!, look)).toBe('removed');
      const fault = await faultOf(confirmRemovals(nats));
      expect(fault).toMatchObject({ code: 'DLQ_MADE_ANEW', exitCode: 1, where: 'stream S, sequences 2' });
      await confirmRemovals(nats);
    });

    test('a look that grew old is taken once more', async () => {
      await makeOther('S', ['s.>']);
      await fill('S', 's.x', 3);
      const [, second] = await seenIn('S');
      const look = lookAhead(nats, second!);
      await look;
      await makeAnew('S');
      await fill('S', 's.x', 3);
      // Until the look is too old to be believed.
      await sleep(300);
      expect(await removeMessage(nats, second!, look)).toBe('anew');
      expect(await count('S')).toBe(3);
    });

    test.each([1, 60])('so is one (of %i) that took long because the process was stopped', async (many) => {
      await makeOther('S', ['s.>']);
      await fill('S', 's.x', 60);
      const seen = (await seenIn('S')).slice(0, many);
      const looks = looksAhead(nats, seen);
      const look = await looks.get('S')!;
      await makeAnew('S');
      await fill('S', 's.x', 60);
      const stopped = Promise.resolve({ ...look, at: look.at - 3000, took: look.took + 3000 });
      expect(new Set(await removeMessages(nats, seen, new Map([['S', stopped]])))).toEqual(new Set(['anew']));
      expect(await count('S')).toBe(60);
    });
  });

  describe('a stream that is made anew:', () => {
    test('the queue, half-way through a slow replay, keeps all that came to it since', async () => {
      await makeQueue(nats);
      await makeDead(nats, 40);
      const going = faultOf(replay({}, { rate: 4 }));
      await until(async () => (await lastSeq('REQUESTS')) > 41, 'two of forty are moved');
      await makeAnew('REQUESTS');
      const fresh: string[] = [];
      for (let index = 0; index < 60; index++) {
        fresh.push(`fresh ${index}`);
        await put(nats, 'requests.dns', fresh[index]!);
      }
      const fault = await going;
      expect(fault).toMatchObject({ code: 'DLQ_MADE_ANEW', exitCode: 1 });
      const left = (await all('REQUESTS')).map(({ payload }) => Buffer.from(payload).toString());
      expect(fresh.filter((one) => !left.includes(one))).toEqual([]);
      // Those of a page that waited for their turn do not go after one that met the new stream.
      expect(left.length - fresh.length).toBeLessThan(10);
      // Nothing of what was moved is moved a second time.
      await replay().catch(() => {});
      const ids = (await all('REQUESTS')).map(({ payload }) => Buffer.from(payload).toString());
      expect(new Set(ids).size).toBe(ids.length);
    });

    test('the DLQ, half-way through a slow replay, keeps the rejects that came to it since', async () => {
      await makeQueue(nats);
      await makeDead(nats, 40);
      const going = faultOf(replay({}, { rate: 4 }));
      await until(async () => (await lastSeq('REQUESTS')) > 41, 'two of forty are moved');
      await makeAnew('REQUESTS_dlq');
      for (let index = 0; index < 60; index++) await reject({ seq: `${1000 + index}` }, `reject ${index}`);
      expect(await going).toMatchObject({ code: 'DLQ_MADE_ANEW', exitCode: 1 });
      expect(await count('REQUESTS_dlq')).toBe(60);
    });

    test.each(['REQUESTS', 'REQUESTS_dlq', 'KV_osapi_ops'])(
      '%s, between a killed replay and the next, keeps what came to it since',
      async (stream) => {
        for (const step of PROTOCOL.room.keys()) {
          await makeQueue(nats);
          await makeDead(nats, 20);
          const killed = run({ protocol: { ...PROTOCOL, room: cut(PROTOCOL.room, step + 1) } });
          expect(await faultOf(killed)).toMatchObject({ message: 'killed' });
          await makeAnew(stream);
          if (stream === 'REQUESTS') await change(stream, {}).then(() => makeConsumer(nats, {}));
          const fresh: string[] = [];
          for (let index = 0; index < 60; index++) {
            fresh.push(`fresh ${index}`);
            if (stream === 'REQUESTS') await put(nats, 'requests.dns', fresh[index]!);
            else await reject({ seq: `${1000 + index}` }, fresh[index]!);
          }
          const { replayed } = await replay({}, { maxReplays: 10 });
          const held = [...(await all('REQUESTS')), ...(await all('REQUESTS_dlq'))].map(({ payload }) =>
            Buffer.from(payload).toString(),
          );
          expect(fresh.filter((one) => !held.includes(one))).toEqual([]);
          // Of the dead, none is lost or doubled; those that lay in a queue that was deleted went with it.
          const dead = held.filter((one) => one.startsWith('{"id"'));
          expect(new Set(dead).size).toBe(dead.length);
          if (stream !== 'REQUESTS') expect([dead.length, replayed >= 60]).toEqual([20, true]);
          await wipe(nats);
        }
      },
    );

    test('a journalled message of the queue before is not taken for one of the same sequence, and stays', async () => {
      await makeQueue(nats, { config: { max_msgs: 1 } });
      const journalled = async (payload: string, time: string, created = time) => {
        const headers = printHeaders([{ name: 'Nats-Msg-Id', value: payload }]);
        await writeJournal(nats, {
          id: 'REQUESTS/request-worker/1',
          msgId: payload,
          subject: 'requests.dns',
          kind: 'stored',
          headers,
          payload: Buffer.from(payload),
          original: { stream: 'REQUESTS', created, seq: 1, time },
          records: [],
          target: { stream: 'REQUESTS', created, after: 0 },
        });
      };
      await replay();
      await journalled('of the first', '2026-01-01T00:00:00Z');
      const { created } = await nats.api('STREAM.INFO.REQUESTS');
      await journalled('of the second', '2026-02-01T00:00:00Z', String(created));
      await change('REQUESTS', { max_msgs: 10 });
      await replay();
      const held = (await all('REQUESTS')).map(({ payload }) => Buffer.from(payload).toString());
      expect(held).toEqual(['of the second']);
      expect(await readJournal(nats, 'REQUESTS')).toMatchObject([{ msgId: 'of the first' }]);
    });
  });
});

/** The steps up to the one after which the process "dies"; nothing of it runs any more. */
const cut = (steps: readonly Step[], after: number): readonly Step[] =>
  Object.assign([...steps], {
    *[Symbol.iterator]() {
      for (const step of steps.slice(0, after)) yield step;
      throw new Error('killed');
    },
  });
