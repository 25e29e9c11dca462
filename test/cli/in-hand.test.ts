import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { advisorySubject } from '../../src/lib/facts/names.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { advisory, letDie, makeConsumer, makeQueue, pull, put, wipe } from '../support/dead-letters.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

describe.each(outermostVersions())('what a worker has in hand, on %s', (version) => {
  let server: TestServer;
  let nats: Nats;
  let cwd: string;
  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-in-hand-'));
    server = await startServer({ version });
    nats = await connectTo(server);
  });
  afterAll(async () => {
    await nats.close();
    await server.stop();
    rmSync(cwd, { recursive: true });
  });
  beforeEach(async () => {
    await wipe(nats);
    await makeQueue(nats, { maxDeliver: 2, ackWait: 60_000 });
  });

  const replay = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(['dlq', 'replay', '--json', ...args], { server });
    return { code, stderr, value: JSON.parse(stdout) };
  };
  const state = async (stream: string) =>
    (await nats.api(`STREAM.INFO.${stream}`)).state as { messages: number; last_seq: number };
  /** One dies, by two naks. */
  const makeOneDead = async () => {
    await put(nats, 'requests.dns', '{"id":"dead"}');
    for (let delivery = 0; delivery < 2; delivery++)
      (await pull(nats, 'REQUESTS', 'request-worker'))[0]!.respond('-NAK');
    await pull(nats, 'REQUESTS', 'request-worker');
    await until(async () => (await state('REQUESTS_dlq')).messages === 1, 'it is dead');
  };
  const takeOne = async () => {
    await put(nats, 'requests.dns', '{"id":"in hand"}');
    return (await pull(nats, 'REQUESTS', 'request-worker'))[0]!;
  };

  test.each([{ chosen: [] }, { chosen: ['2'] }])(
    'is not moved for an advisory that somebody wrote ($chosen)',
    async ({ chosen }) => {
      await makeOneDead();
      const inHand = await takeOne();
      await put(nats, advisorySubject('max_deliveries', 'REQUESTS', 'request-worker'), advisory({ stream_seq: 2 }));
      for (const args of [['--dry-run'], []]) {
        const { value, stderr } = await replay(...args, ...chosen);
        expect(value).toMatchObject({ replayed: 0, skipped: 2 - chosen.length, remaining: 0 });
        expect(stderr).toContain('REQUESTS: records call 1 more dead than can be, while workers have 1 in hand');
      }
      expect(await state('REQUESTS')).toMatchObject({ messages: 2, last_seq: 2 });
      inHand.respond('+ACK');
      await until(async () => (await state('REQUESTS')).messages === 1, 'it is acked');
      expect((await replay()).value).toMatchObject({ replayed: 1 });
      expect(await state('REQUESTS')).toMatchObject({ messages: 1, last_seq: 3 });
    },
  );

  test.each([
    { title: 'never came to it', isPast: false },
    { title: 'went past it', isPast: true },
  ])('is not dead where it waits for nobody, by word of a consumer that $title', async ({ isPast }) => {
    await wipe(nats);
    const filter = (filter_subject: string) => ({ consumerConfig: { filter_subject } });
    await makeQueue(nats, filter('requests.dns'));
    await put(nats, 'requests.dns', '{"id":"1"}');
    const putGeo = () => put(nats, 'requests.geo', '{"id":"waits"}');
    if (!isPast) await putGeo();
    (await pull(nats, 'REQUESTS', 'request-worker'))[0]!.respond('+ACK');
    if (isPast) await putGeo();
    if (isPast) expect(await pull(nats, 'REQUESTS', 'request-worker')).toEqual([]);
    await until(async () => (await state('REQUESTS')).messages === 1, 'it is acked');
    const untaken = async () => {
      const [status, ls] = await Promise.all(
        [['status'], ['dlq', 'ls']].map(async (args) => (await runCli([...args, '--json'], { server })).stdout),
      );
      const { queues, checks } = JSON.parse(status!);
      const uncovered = (checks as { id: string; summary: string }[]).find(({ id }) => id === 'REQUESTS.uncovered');
      return { dead: queues[0].dead, listed: JSON.parse(ls!).length, summary: uncovered?.summary };
    };
    const waits = { dead: 0, listed: 0, summary: '1 message waits on a subject that no consumer takes' };
    expect(await untaken()).toEqual(waits);
    await put(nats, advisorySubject('max_deliveries', 'REQUESTS', 'request-worker'), advisory({ stream_seq: 2 }));
    expect(await untaken()).toEqual(waits);
    const { stdout } = await runCli(['dlq', 'purge', '--yes', '--json'], { server });
    expect(JSON.parse(stdout)).toMatchObject({ purged: 0, originals: 0 });
    expect(await replay()).toMatchObject({ value: { replayed: 0 } });
    expect(await state('REQUESTS')).toMatchObject({ messages: 1, last_seq: 2 });
    // Whoever comes to take it gets it.
    await makeConsumer(nats, { consumer: 'geo', ...filter('requests.geo') });
    expect(await pull(nats, 'REQUESTS', 'geo')).toHaveLength(1);
  });

  //   A consumer whose filter never took a subject, and one that gave up what its filter took then, look alike.
  test.each([
    { title: 'waits, whatever an advisory calls it', isDead: false },
    { title: 'died before', isDead: true },
  ])('is moved and purged by name only where its consumer does not take it and it $title', async ({ isDead }) => {
    await wipe(nats);
    const filter = (filter_subject: string) => ({ maxDeliver: 1, consumerConfig: { filter_subject } });
    await makeQueue(nats, filter(isDead ? 'requests.*' : 'requests.dns'));
    await put(nats, 'requests.geo', '{"id":"geo"}');
    if (isDead) {
      await letDie(nats);
      await makeConsumer(nats, filter('requests.dns'));
    }
    await put(nats, 'requests.dns', '{"id":"dns"}');
    (await pull(nats, 'REQUESTS', 'request-worker'))[0]!.respond('+ACK');
    await until(async () => (await state('REQUESTS')).messages === 1, 'it is acked');
    if (!isDead)
      await put(nats, advisorySubject('max_deliveries', 'REQUESTS', 'request-worker'), advisory({ stream_seq: 1 }));

    const ls = await runCli(['dlq', 'ls'], { server });
    expect(ls.stdout).toContain('its consumer does not take its subject');
    expect(ls.stderr).toContain(
      '1 whose consumers are gone, or do not take their subjects: nothing tells whether they died',
    );
    for (const args of [['--dry-run'], []]) {
      const { code, value, stderr } = await replay(...args);
      expect({ code, value }).toMatchObject({ code: 0, value: { replayed: 0, skipped: 1, remaining: 0 } });
      expect(stderr).toContain('1 skipped, whose consumers are gone, or do not take their subjects');
    }
    const purge = (...args: string[]) => runCli(['dlq', 'purge', '--json', ...args], { server, cwd });
    expect(JSON.parse((await purge('--dry-run')).stdout)).toMatchObject({ purged: 0, skipped: 1 });
    const left = await purge('--yes', '--archive', `left-${isDead}.ndjson`);
    expect({ code: left.code, value: JSON.parse(left.stdout) }).toMatchObject({
      code: 1,
      value: { purged: 0, skipped: 1, error: { code: 'DLQ_UNFINISHED' } },
    });
    expect(left.stderr).toContain('the consumers of 1 are gone, or do not take their subjects');
    expect(await state('REQUESTS')).toMatchObject({ messages: 1, last_seq: 2 });

    expect((await replay('REQUESTS/request-worker/1', '--dry-run')).value).toMatchObject({ remaining: 1 });
    const purged = await purge('REQUESTS/request-worker/1', '--yes', '--archive', `named-${isDead}.ndjson`);
    expect(JSON.parse(purged.stdout)).toMatchObject({ purged: 1, originals: 1 });
    expect((await runCli(['dlq', 'ls', '--json'], { server })).stdout.trim()).toBe('[]');
  });

  test('holds up nothing that died beside it', async () => {
    await makeOneDead();
    await takeOne();
    const { value, stderr } = await replay();
    expect(value).toMatchObject({ replayed: 1, skipped: 0 });
    expect(stderr).not.toContain('more dead than can be');
  });
});
