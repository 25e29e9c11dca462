import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { countJournalled } from '../../src/lib/dlq/journalled.ts';
import { writeJournal } from '../../src/lib/ledger/journal.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { connectTo } from '../support/connected.ts';
import { wipe } from '../support/dead-letters.ts';
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
    const { created } = await nats.api('STREAM.INFO.REQUESTS');
    for (const seq of [1, 2]) {
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
  });
  afterEach(() => nats.close());

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

  test('goes with its queue: destroy says how many, and the next queue of the name gets none of it', async () => {
    const refused = await json('destroy', 'osapi-ops.yaml');
    expect(refused).toMatchObject({ code: 1, value: { error: { code: 'NOT_CONFIRMED' } } });
    expect(refused.value.findings).toContainEqual(
      expect.objectContaining({
        message: 'stream REQUESTS: 2 requests in the journal of a replay that has not ended go with it',
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
});
