import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { advisorySubject } from '../../src/lib/facts/names.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { outermostVersions, startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const ONLY_ADVISORIES = [advisorySubject('max_deliveries', 'REQUESTS')];

//   A stream that is made anew, and another server, count from 1 again: one sequence, several messages.
describe.each(outermostVersions())('nats-server %s: messages of one sequence', (version) => {
  let server: TestServer;
  let nats: Nats;
  let cwd: string;
  beforeAll(async () => {
    server = await startServer({ version });
    nats = await connectTo(server);
    cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-incarnations-'));
  });
  afterAll(async () => {
    await nats?.close();
    await server?.stop();
    rmSync(cwd, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await wipe(nats);
    await nats.api('STREAM.CREATE.KV_responses', {
      name: 'KV_responses',
      subjects: ['$KV.responses.>'],
      storage: 'memory',
      max_msgs_per_subject: 1,
      allow_direct: true,
      allow_rollup_hdrs: true,
    });
  });

  const cli = (...args: string[]) => runCli(args, { server, cwd });
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli(...args, '--json');
    if (code !== 0 && code !== 2) throw new Error(stderr);
    return JSON.parse(stdout);
  };
  const publish = async (...payloads: string[]) => {
    for (const payload of payloads) await put(nats, 'requests.dns', payload);
  };
  const remake = async () => {
    await nats.api('STREAM.DELETE.REQUESTS');
    await makeQueue(nats, { dlq: null, ackWait: 500 });
  };
  const reject = async () => {
    const worker = await cli('worker', 'run', '--builtin', 'echo', '--idle-exit', '3s');
    expect(worker.stderr).toContain('reject');
  };
  const stored = async (stream: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { payload } of getRange(nats, stream, 1)) found.push(Buffer.from(payload).toString());
    return found.sort();
  };
  /** What every command says of how many are dead. */
  async function dead() {
    const [status, ls, stats, dry] = await Promise.all([
      json('status'),
      json('dlq', 'ls'),
      json('dlq', 'stats'),
      json('dlq', 'replay', '--dry-run'),
    ]);
    const listed: { id: string; state: string }[] = ls.filter(({ state }: { state: string }) => state !== 'gone');
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
    const counts: { count: number }[] = stats.groups;
    // On 2.10 a probe reads so few that it may have to say that it does not know; who waits for the dead has each looked at.
    const waited = status.queues[0].dead === null && version === '2.10';
    const { queues } = waited ? await json('status', '--wait', '1ms', '--for', 'dlq-empty') : status;
    return [listed.length, counts.reduce((sum, { count }) => sum + count, 0), queues[0].dead, dry.remaining];
  }

  test('what was rejected before the stream was made anew is not taken for what died since', async () => {
    await makeQueue(nats, { ackWait: 500 });
    await publish('old 1', 'old 2');
    await reject();
    await remake();
    await publish('new 1', 'new 2');
    await letDie(nats);
    expect(await dead()).toEqual([4, 4, 4, 4]);
    const listed: { reason: string; state: string }[] = await json('dlq', 'ls');
    expect(listed.map(({ reason }) => reason).sort()).toEqual([
      'max_deliveries',
      'max_deliveries',
      'rejected',
      'rejected',
    ]);
    await json('dlq', 'replay', '--reason', 'max_deliveries');
    expect(await dead()).toEqual([2, 2, 2, 2]);
    expect(await json('dlq', 'replay')).toMatchObject({ replayed: 2, failed: 0, remaining: 0 });
    expect(await stored('REQUESTS')).toEqual(['new 1', 'new 2', 'old 1', 'old 2']);
    expect(await stored('REQUESTS_dlq')).toEqual([]);
  });

  test('what was rejected in two of them, under one sequence, is two', async () => {
    await makeQueue(nats, { ackWait: 500 });
    await publish('same', 'old');
    await reject();
    await remake();
    await publish('same', 'new');
    await reject();
    expect(await dead()).toEqual([4, 4, 4, 4]);
    expect(await json('dlq', 'replay')).toMatchObject({ replayed: 4 });
    expect(await stored('REQUESTS')).toEqual(['new', 'old', 'same', 'same']);
  });

  test('what was imported stays when what has its sequence now is replayed, and has an id of its own', async () => {
    await makeQueue(nats);
    await publish('old 1', 'old 2', 'old 3');
    await letDie(nats);
    await json('dlq', 'purge', '--yes', '--archive', 'old.ndjson');
    await json('dlq', 'import', 'old.ndjson');
    await remake();
    await publish('new 1', 'new 2', 'new 3');
    await letDie(nats);
    expect(await dead()).toEqual([6, 6, 6, 6]);
    const listed: { id: string; seq: number; published_at: string }[] = await json('dlq', 'ls');
    const place = listed.filter(({ id }) => id.startsWith('REQUESTS_dlq/-/'));
    expect(place.map(({ seq }) => seq).sort()).toEqual([1, 2, 3]);
    const first = place.find(({ seq }) => seq === 1)!;
    expect(await json('dlq', 'show', first.id)).toMatchObject({ id: first.id, published_at: first.published_at });
    expect(await json('dlq', 'replay', 'REQUESTS/request-worker/1')).toMatchObject({ replayed: 1 });
    expect(await stored('REQUESTS')).toEqual(['new 1', 'new 2', 'new 3']);
    const left: typeof listed = await json('dlq', 'ls');
    expect(left).toHaveLength(5);
    const [again] = left.filter(({ seq }) => seq === 1);
    expect(await json('dlq', 'replay', again!.id)).toMatchObject({ replayed: 1 });
    expect(await stored('REQUESTS')).toEqual(['new 1', 'new 2', 'new 3', 'old 1']);
    expect(await json('dlq', 'replay')).toMatchObject({ replayed: 4 });
    expect(await stored('REQUESTS')).toEqual(['new 1', 'new 2', 'new 3', 'old 1', 'old 2', 'old 3']);
  });

  test.each([
    { name: 'a DLQ of its own form', dlqSubjects: undefined },
    { name: 'a DLQ that takes advisories only', dlqSubjects: ONLY_ADVISORIES },
  ])('what is imported beside living messages of its sequences is dead by itself: $name', async ({ dlqSubjects }) => {
    await makeQueue(nats);
    await publish('a 1', 'a 2');
    await letDie(nats);
    const archive = `${dlqSubjects ? 'plain' : 'own'}.ndjson`;
    await json('dlq', 'export', '--out', archive);
    await wipe(nats);
    await makeQueue(nats, { dlqSubjects });
    await publish('b 1', 'b 2', 'b 3');
    expect(await json('dlq', 'import', archive)).toMatchObject({ imported: 2 });
    expect(await json('dlq', 'import', archive)).toMatchObject({ imported: 0, skipped: 2 });
    expect(await dead()).toEqual([2, 2, 2, 2]);
    await letDie(nats);
    expect(await dead()).toEqual([5, 5, 5, 5]);
    const listed: { id: string; seq: number }[] = await json('dlq', 'ls');
    const one = listed.find(({ id, seq }) => seq === 1 && id.startsWith('REQUESTS/'))!;
    await json('dlq', 'purge', one.id, '--yes', '--archive', `one-${archive}`);
    expect(readFileSync(join(cwd, `one-${archive}`), 'utf8')).not.toContain(Buffer.from('a 1').toString('base64'));
    expect(await dead()).toEqual([4, 4, 4, 4]);
    expect(await json('dlq', 'replay')).toMatchObject({ replayed: 4 });
    expect(await stored('REQUESTS')).toEqual(['a 1', 'a 2', 'b 2', 'b 3']);
    expect(await json('dlq', 'import', `one-${archive}`)).toMatchObject({ imported: 1 });
    expect(await json('dlq', 'replay')).toMatchObject({ replayed: 1 });
    expect(await stored('REQUESTS')).toEqual(['a 1', 'a 2', 'b 1', 'b 2', 'b 3']);
  });

  test('an archive of another message of a sequence is imported beside what is dead under it', async () => {
    await makeQueue(nats);
    await publish('old');
    await letDie(nats);
    await json('dlq', 'export', '--out', 'beside.ndjson');
    expect(await json('dlq', 'import', 'beside.ndjson')).toMatchObject({ imported: 0, skipped: 1 });
    await remake();
    await publish('new');
    await letDie(nats);
    expect(await json('dlq', 'import', 'beside.ndjson')).toMatchObject({ imported: 1, skipped: 0 });
    expect(await dead()).toEqual([2, 2, 2, 2]);
    expect(await json('dlq', 'import', 'beside.ndjson')).toMatchObject({ imported: 0, skipped: 1 });
  });
});
