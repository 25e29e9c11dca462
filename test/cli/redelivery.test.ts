import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeConsumer, makeQueue, pull, put, wipe } from '../support/dead-letters.ts';
import { recordingIo } from '../support/io.ts';
import { withLock } from '../support/lock.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

describe.each(outermostVersions())('a replay where others read the stream too, on %s', (version) => {
  let server: TestServer;
  let nats: Nats;
  const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-redelivery-'));
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
  });
  afterAll(async () => {
    await nats.close();
    await server.stop();
    rmSync(cwd, { recursive: true });
  });
  beforeEach(() => wipe(nats));

  const replay = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(['dlq', 'replay', '--json', ...args], { server });
    return { code, stderr, value: JSON.parse(stdout) };
  };
  const stored = async () => ((await nats.api('STREAM.INFO.REQUESTS')).state as { messages: number }).messages;
  /** The healthy one takes and acks all that there is for it. */
  const audit = async () => {
    for (const message of await pull(nats, 'REQUESTS', 'audit', 100, 100)) message.respond();
    await nats.nc.flush();
  };

  test.each(['limits', 'interest'])(
    'of retention %s names them, and asks for --allow-redelivery',
    async (retention) => {
      await makeQueue(nats, { config: { retention, max_msgs: 5 } });
      await makeConsumer(nats, {
        consumer: 'audit',
        ackWait: 60_000,
        consumerConfig: { filter_subject: 'requests.*' },
      });
      for (const id of ['1', '2']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
      await letDie(nats);
      await audit();
      const dry = await replay('--dry-run');
      expect(dry).toMatchObject({ code: 0, value: { remaining: 2 } });
      expect(dry.stderr).toContain(
        'other consumers would get the messages again: audit (2); --allow-redelivery is needed',
      );
      const refused = await replay();
      expect(refused).toMatchObject({
        code: 1,
        value: { error: { code: 'DLQ_REDELIVERY', message: expect.stringContaining('audit (2)') } },
      });
      expect(await stored()).toBe(2);
      // Round after round, the copies take the place of their originals: a stream of five never fills.
      for (let round = 1; round <= 3; round++) {
        expect(await replay('--allow-redelivery')).toMatchObject({ code: 0, value: { replayed: 2 } });
        expect(await stored()).toBe(2);
        await letDie(nats);
        await audit();
      }
      expect((await replay('--allow-redelivery')).stderr).toContain('2 skipped, parked');
    },
  );

  test('goes on where nobody else takes the subject, or all who do gave it up', async () => {
    await makeQueue(nats, { config: { retention: 'limits' }, consumerConfig: { filter_subject: 'requests.dns' } });
    await makeConsumer(nats, { consumer: 'mail', consumerConfig: { filter_subject: 'requests.mail' } });
    await put(nats, 'requests.dns', '{"id":"1"}');
    await letDie(nats);
    expect(await replay()).toMatchObject({ code: 0, value: { replayed: 1 } });
    expect(await stored()).toBe(1);
  });

  test('leaves to the next run what dies after it was judged who would get it again', async () => {
    await makeQueue(nats, { config: { retention: 'limits' } });
    await makeConsumer(nats, {
      consumer: 'audit',
      ackWait: 60_000,
      consumerConfig: { filter_subject: 'requests.dns' },
    });
    await put(nats, 'requests.mail', '{"id":"1"}');
    await letDie(nats);
    await put(nats, 'requests.dns', '{"id":"2"}');
    const lock = { actor: { who: 'ada', host: 'b7', pid: 1 }, waitMs: 0, io: recordingIo(), verb: 'dlq replay' };
    const running = await withLock(nats, 'the dead letters of REQUESTS', lock, async () => {
      const started = startCli(['dlq', 'replay', '--json', '--lock-wait', '1m'], { server });
      await started.until('stderr', /ada/);
      await audit();
      await letDie(nats);
      return started;
    });
    const { code, stdout } = await running.done;
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, replayed: 1, failed: 0, remaining: 0 });
    expect((await replay()).value).toMatchObject({ error: { code: 'DLQ_REDELIVERY' } });
  });

  test('where all gave it up, the way out of a refusal is to replay what all gave up', async () => {
    await makeQueue(nats, { config: { retention: 'limits' } });
    await makeConsumer(nats, { consumer: 'w2' });
    await put(nats, 'requests.dns', '{"id":"1"}');
    await letDie(nats);
    await letDie(nats, 'REQUESTS', 'w2');
    const refused = await runCli(['dlq', 'replay', '--consumer', 'w2'], { server });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /Try: replay them together with what request-worker gave up, without --consumer or ids: .*\n +Try: if they/,
    );
    expect((await replay('REQUESTS/w2/1')).value.error.hint).toMatch(/^replay them together/);
    expect(await replay()).toMatchObject({ code: 0, value: { replayed: 1 } });
  });

  const purge = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(['dlq', 'purge', '--json', ...args], { server, cwd });
    return { code, stderr, value: JSON.parse(stdout) };
  };
  test.each(['limits', 'interest'])(
    'of retention %s: a purge leaves what another has not had, names it, and takes it afterwards',
    async (retention) => {
      await makeQueue(nats, { config: { retention } });
      await makeConsumer(nats, {
        consumer: 'audit',
        ackWait: 60_000,
        consumerConfig: { filter_subject: 'requests.*' },
      });
      for (const id of ['1', '2', '3']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
      await letDie(nats);
      const archive = (part: string) => `${retention}-${part}-${Date.now()}.ndjson`;
      const [first] = await pull(nats, 'REQUESTS', 'audit', 1);
      first!.respond();
      const [inHand] = await pull(nats, 'REQUESTS', 'audit', 1);
      const dry = await purge('--dry-run');
      expect(dry).toMatchObject({ code: 0, value: { purged: 1, originals: 1, skipped: 2 } });
      expect(dry.stderr).toContain('2 left alone: other consumers still need their messages: audit (2)');
      expect(await purge('--yes', '--archive', archive('a'))).toMatchObject({
        code: 1,
        value: { purged: 1, originals: 1, skipped: 2, error: { code: 'DLQ_UNFINISHED' } },
      });
      expect(await stored()).toBe(2);
      expect(await purge('--yes')).toMatchObject({ code: 1, value: { purged: 0, skipped: 2 } });
      inHand!.respond();
      await audit();
      expect(await purge('--dry-run')).toMatchObject({ code: 0, value: { purged: 2, originals: 2 } });
      expect(await purge('--yes', '--archive', archive('b'))).toMatchObject({ code: 0, value: { originals: 2 } });
      expect(await stored()).toBe(0);
    },
  );

  test('a purge of what one consumer gave up leaves what another has of the same messages, and takes both together', async () => {
    await makeQueue(nats, { config: { retention: 'limits' } });
    await makeConsumer(nats, { consumer: 'audit', consumerConfig: { filter_subject: 'requests.dns' } });
    for (const id of ['1', '2']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
    await put(nats, 'requests.mail', '{"id":"3"}');
    await letDie(nats);
    await letDie(nats, 'REQUESTS', 'audit');
    const one = ['--consumer', 'request-worker'];
    const dry = await purge('--dry-run', ...one);
    expect(dry).toMatchObject({ code: 0, value: { purged: 1, originals: 1, skipped: 2 } });
    expect(dry.stderr).toContain(
      '2 left alone: dead letters of other consumers, not chosen here, are of the same messages: audit (2)',
    );
    const archive = (part: string) => `both-${part}-${Date.now()}.ndjson`;
    expect(await purge('--yes', ...one, '--archive', archive('a'))).toMatchObject({
      code: 1,
      value: { purged: 1, originals: 1, skipped: 2, error: { code: 'DLQ_UNFINISHED' } },
    });
    expect([await stored(), (await dlq('ls')).value.length]).toEqual([2, 4]);
    expect(await purge('--dry-run', '--limit', '1')).toMatchObject({ value: { purged: 0, skipped: 1 } });
    const both = [...one, '--consumer', 'audit', '--yes', '--archive', archive('b')];
    expect(await purge(...both)).toMatchObject({ code: 0, value: { purged: 4, originals: 2 } });
    expect([await stored(), (await dlq('ls')).value]).toEqual([0, []]);
  });

  const dlq = async (...args: string[]) => {
    const { code, stdout } = await runCli(['dlq', ...args, '--json'], { server, cwd });
    return { code, value: JSON.parse(stdout) };
  };

  test('what was dead at two consumers goes in once, also when it comes back from an archive', async () => {
    await makeQueue(nats, { config: { retention: 'limits' } });
    await makeConsumer(nats, { consumer: 'audit' });
    // The first two are alike to the letter, and are two.
    for (const id of ['1', '1', '2']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
    await letDie(nats);
    await letDie(nats, 'REQUESTS', 'audit');
    const archive = `twins-${Date.now()}.ndjson`;
    const dry = await replay('--dry-run');
    expect(dry.value).toMatchObject({ remaining: 3, skipped: 3 });
    expect(dry.stderr).toContain('3 skipped, of messages that go with another entry');
    expect((await purge('--yes', '--archive', archive)).value).toMatchObject({ purged: 6, originals: 3 });
    expect((await dlq('import', archive)).value).toMatchObject({ imported: 6 });
    expect((await replay('--dry-run')).value).toMatchObject({ remaining: 3, skipped: 3 });
    expect(await replay()).toMatchObject({ code: 0, value: { replayed: 3, skipped: 3 } });
    expect(await stored()).toBe(3);
    expect((await dlq('ls')).value).toEqual([]);
  });

  test('what came back from an archive as of two consumers goes in once, one a run or one consumer a run', async () => {
    await makeQueue(nats, { config: { retention: 'limits' } });
    await makeConsumer(nats, { consumer: 'audit' });
    for (const id of ['1', '2', '3']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
    await letDie(nats);
    await letDie(nats, 'REQUESTS', 'audit');
    const archive = `one-by-one-${Date.now()}.ndjson`;
    expect((await purge('--yes', '--archive', archive)).value).toMatchObject({ purged: 6, originals: 3 });
    expect((await dlq('import', archive)).value).toMatchObject({ imported: 6 });
    for (let left = 2; left > 0; left--) {
      expect(await replay('--limit', '1', '--allow-redelivery')).toMatchObject({
        code: 0,
        value: { replayed: 1, skipped: 0 },
      });
      expect((await dlq('ls')).value).toHaveLength(2 * left);
    }
    expect((await replay('--consumer', 'audit', '--allow-redelivery')).value).toMatchObject({ replayed: 1 });
    expect((await replay()).value).toMatchObject({ replayed: 0, skipped: 0 });
    expect([await stored(), (await dlq('ls')).value]).toEqual([3, []]);
  });

  test('what another consumer had given up of the same message goes with it, and nothing else', async () => {
    await makeQueue(nats, { config: { retention: 'limits' } });
    await makeConsumer(nats, { consumer: 'audit' });
    for (const id of ['1', '2', '3']) await put(nats, 'requests.dns', `{"id":"${id}"}`);
    await letDie(nats);
    await letDie(nats, 'REQUESTS', 'audit');
    const { stderr, value } = await replay('--consumer', 'audit', '--limit', '2', '--allow-redelivery');
    expect(value).toMatchObject({ replayed: 2 });
    expect(stderr).toContain('REQUESTS: 2 of other consumers went with them');
    const left = (await dlq('ls', '--state', 'gone', '--state', 'replayable')).value as { id: string; state: string }[];
    // They died at once: which is the last of them is the server's to say.
    const seq = left[0]?.id.split('/').at(-1);
    expect(left.map(({ id, state }) => `${id} ${state}`).sort()).toEqual([
      `REQUESTS/audit/${seq} replayable`,
      `REQUESTS/request-worker/${seq} replayable`,
    ]);
  });

  test('what has its answer comes back from an archive once', async () => {
    // It is known by what it is, not by what the server still remembers of message ids.
    await makeQueue(nats, { dlqConfig: { duplicate_window: 100e6 } });
    await nats.api('STREAM.CREATE.KV_responses', {
      name: 'KV_responses',
      subjects: ['$KV.responses.>'],
      storage: 'memory',
      max_msgs_per_subject: 1,
      allow_direct: true,
      allow_rollup_hdrs: true,
    });
    await put(nats, 'requests.dns', '{"id":"1"}');
    await letDie(nats);
    await nats.kv('responses').put('1', '{}');
    const archive = `answered-${Date.now()}.ndjson`;
    expect((await purge('--state', 'gone', '--yes', '--archive', archive)).value).toMatchObject({ originals: 1 });
    expect((await dlq('import', archive)).value).toMatchObject({ imported: 1 });
    for (let again = 0; again < 2; again++) {
      // Until the duplicate window is over, so that no id tells.
      await sleep(200);
      expect((await dlq('import', archive)).value).toMatchObject({ imported: 0, skipped: 1 });
    }
    expect((await nats.api('STREAM.INFO.REQUESTS_dlq')).state).toMatchObject({ messages: 2 });
  });
});
