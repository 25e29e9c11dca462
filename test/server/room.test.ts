import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { appendHistory, readHistory } from '../../src/lib/ledger/history.ts';
import { makeRoom } from '../../src/lib/ledger/room.ts';
import type { Config } from '../../src/lib/model/json.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import type { CliResult } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeDead, makeQueue, put, putReject, wipe } from '../support/dead-letters.ts';
import { recordingIo } from '../support/io.ts';
import { withLock } from '../support/lock.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const actor = { who: 'ada', host: 'build-7', pid: 4711 };
const LEDGER = 'KV_osapi_ops';
const FILE = { storage: 'file' };

/** A server whose disk is a small one of its own, filled to the last byte by something else. */
async function onFullDisk(
  version: string,
  work: (server: TestServer, nats: Nats, disk: string) => Promise<void>,
): Promise<void> {
  const disk = mkdtempSync(join(tmpdir(), 'osapi-ops-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', disk]);
  let server: TestServer | undefined;
  let nats: Nats | undefined;
  try {
    server = await startServer({ version, parent: disk });
    nats = await connectTo(server);
    await makeQueue(nats, { config: FILE, dlqConfig: FILE });
    await makeDead(nats, 200);
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize));
    expect(statfsSync(disk).bavail).toBe(0);
    await work(server, nats, disk);
  } finally {
    await nats?.close();
    await server?.stop();
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  }
}

describe('a full disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-archive-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const purge = (server: TestServer, archive: string) =>
    runCli(['dlq', 'purge', '--yes', '--archive', archive], { server, cwd: dir });

  needing('the right to mount', 'nats-server 2.10').test('of 2.10 is no obstacle for a purge', async () => {
    await onFullDisk('2.10', async (server) => {
      expect(await purge(server, `${server.port}.ndjson`)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Purged 200 dead letters'),
      });
    });
  });

  needing('the right to mount', 'nats-server 2.10').test(
    'of 2.10 takes what its blocks have room for; the replay loses nothing of the others, says what is full, and goes on when there is room',
    async () => {
      await onFullDisk('2.10', async (server, nats, disk) => {
        const replay = () => runCli(['dlq', 'replay'], { server, cwd: dir });
        const { code, stderr } = await replay();
        expect(code).toBe(1);
        expect(stderr).toContain('The disk of the server is full, or cannot be written.');
        expect(stderr).toContain('Code: NO_ROOM');
        rmSync(join(disk, 'filler'));
        expect(await replay()).toMatchObject({ code: 0 });
        const { num_pending: ready } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
        expect(ready).toBe(200);
      });
    },
  );

  needing('the right to mount', 'nats-server 2.15').test(
    'of 2.15 lets nothing be deleted, and the purge says so',
    async () => {
      await onFullDisk('2.15', async (server, nats) => {
        // Until the stream meets the full disk: then it answers no more.
        const stores = () =>
          nats.request('requests.dns', 'x'.repeat(5000), { timeoutMs: 500 }).then(
            (reply) => !reply.string().includes('error'),
            () => false,
          );
        for (let round = 0; (await stores()) && round < 20; round++);
        const { code, stderr } = await purge(server, `${server.port}.ndjson`);
        expect(code).toBe(1);
        expect(stderr).toContain('The disk of the server is full, or cannot be written.');
        expect(stderr).toContain('free space on the disk of the server');
        expect(
          readFileSync(join(dir, `${server.port}.ndjson`), 'utf8')
            .trim()
            .split('\n'),
        ).toHaveLength(200);
      });
    },
  );
});

for (const version of ['2.10', '2.15']) {
  needing(`nats-server ${version}`).describe(`no room at all on ${version}`, () => {
    let server: TestServer;
    let nats: Nats;
    const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-room-'));
    beforeAll(async () => {
      const account = 'A { jetstream { max_mem: 10M, max_file: 300K }, users: [{ user: a, password: a }] }';
      const config = `accounts { ${account}, SYS { users: [{ user: s, password: s }] } }\nsystem_account: SYS\n`;
      server = await startServer({ version, config });
      nats = await connectTo(server, { user: 'a', password: 'a' });
    });
    afterAll(async () => {
      await nats?.close();
      await server?.stop();
      rmSync(dir, { recursive: true, force: true });
    });
    beforeEach(async () => {
      await wipe(nats);
      await makeQueue(nats, { config: FILE, dlqConfig: FILE });
    });

    const cli = (...args: string[]): Promise<CliResult> =>
      runCli(args, { server: { url: server.url.replace('://', '://a:a@') }, cwd: dir });
    const info = async (stream: string) =>
      (await nats.api(`STREAM.INFO.${stream}`)) as unknown as {
        config: Config;
        state: { messages: number; bytes: number };
      };
    const count = async (stream: string) => (await info(stream)).state.messages;

    /** Fills the account to the last byte that a message can take. */
    async function fillAccount(): Promise<void> {
      await nats.api('STREAM.CREATE.FILL', { name: 'FILL', subjects: ['fill'], ...FILE });
      for (const size of [2000, 300, 30, 0]) {
        while (!(await nats.request('fill', 'x'.repeat(size))).string().includes('10002'));
      }
    }
    /** Leaves the ledger no room for anything more. */
    async function fillLedger(): Promise<void> {
      const { config, state } = await info(LEDGER);
      await nats.api(`STREAM.UPDATE.${LEDGER}`, { ...config, max_bytes: state.bytes });
    }
    const makeLedger = async (more: Config = {}) =>
      nats.api(`STREAM.CREATE.${LEDGER}`, {
        name: LEDGER,
        subjects: ['$KV.osapi_ops.>'],
        max_msgs_per_subject: 10,
        discard: 'new',
        allow_rollup_hdrs: true,
        allow_direct: true,
        ...more,
      });
    let told = 0;
    const tell = (summary: string) =>
      appendHistory(nats, { system: 's', verb: 'apply', actor, at: new Date(1e12 + told++), tool: '1', summary });

    let archives = 0;
    async function purges(dead: number): Promise<CliResult> {
      const archive = join(dir, `archive-${archives++}.ndjson`);
      const result = await cli('dlq', 'purge', '--yes', '--archive', archive);
      expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(`Purged ${dead} dead letters`) });
      expect(await count('REQUESTS_dlq')).toBe(0);
      expect(readFileSync(archive, 'utf8').trim().split('\n')).toHaveLength(dead);
      return result;
    }

    describe('a full account', () => {
      test('is purged by who never ran anything there, without the lock that finds no room, and says so', async () => {
        await makeDead(nats, 20);
        await fillAccount();
        const { stderr } = await purges(20);
        expect(stderr).toContain('the lock finds no room');
        expect(await count('REQUESTS')).toBe(0);
        expect((await readHistory(nats)).map(({ verb }) => verb)).toEqual(['purge']);
      });

      test('takes some of an archive, and import counts what it took', async () => {
        await makeDead(nats, 50);
        const archive = join(dir, `some-${server.port}.ndjson`);
        expect(await cli('dlq', 'export', '--out', archive)).toMatchObject({ code: 0 });
        await nats.api('STREAM.PURGE.REQUESTS_dlq');
        await nats.api('STREAM.PURGE.REQUESTS');
        await fillAccount();
        await nats.api('STREAM.PURGE.FILL', { seq: 16 });
        const first = await cli('dlq', 'import', archive, '--json');
        expect(first.code).toBe(1);
        const { error, imported } = JSON.parse(first.stdout);
        expect(error).toMatchObject({
          code: 'NO_ROOM',
          message: expect.stringMatching(`; ${imported} imported so far$`),
        });
        expect(imported).toBeGreaterThan(0);
        await nats.api('STREAM.PURGE.FILL');
        const second = JSON.parse((await cli('dlq', 'import', archive, '--json')).stdout);
        expect(second).toMatchObject({ imported: 50 - imported, skipped: imported });
      });

      test('is purged under the lock where the ledger has older values to give up', async () => {
        await makeDead(nats, 20);
        await cli('dlq', 'replay', '--limit', '1');
        for (let index = 0; index < 4; index++) await tell(`one ${index}`);
        await fillAccount();
        const { stderr } = await purges(19);
        expect(stderr).not.toContain('no room');
        expect(await count('REQUESTS')).toBe(1);
      });

      test('an apply that it keeps from being written down says that it was carried out', async () => {
        const spec = (most: number) =>
          writeFileSync(
            join(dir, 'full.yaml'),
            `version: 1\nname: full\nstreams: { PLAIN: { subjects: [plain], storage: file, max_msgs: ${most} } }\n`,
          );
        spec(5);
        expect(await cli('apply', 'full.yaml')).toMatchObject({ code: 0 });
        await fillAccount();
        spec(6);
        const { code, stdout } = await cli('apply', 'full.yaml', '--json');
        expect((await info('PLAIN')).config).toMatchObject({ max_msgs: 6 });
        expect({ code, ...JSON.parse(stdout) }).toMatchObject({
          code: 1,
          applied: true,
          error: {
            code: 'NO_ROOM',
            message: expect.stringMatching(
              /^the plan was carried out \(0 created, 1 updated, .*, but not written down: /,
            ),
          },
        });
        await nats.api('STREAM.DELETE.FILL');
        expect((await cli('apply', 'full.yaml')).code).toBe(0);
        expect((await readHistory(nats))[0]).toMatchObject({
          system: 'full',
          summary: expect.stringContaining('was written down'),
        });
      });

      test('waits for who holds the lock, instead of taking a refusal for a free one', async () => {
        await makeDead(nats, 2);
        const lock = { actor, waitMs: 0, io: recordingIo(), verb: 'dlq replay' };
        await withLock(nats, 'the dead letters of REQUESTS', lock, async () => {
          await fillAccount();
          const refused = await cli('dlq', 'purge', '--yes', '--lock-wait', '1s');
          expect(refused).toMatchObject({ code: 75, stderr: expect.stringContaining('ada on build-7') });
        });
        expect(await count('REQUESTS')).toBe(2);
      });

      test('keeps a lock that is held: what was there before makes room for its renewals', async () => {
        for (let index = 0; index < 8; index++) await tell(`one ${index}`);
        const lease = { lengthMs: 1500, renewMs: 300, giveUpMs: 1200 };
        const lock = { actor, waitMs: 0, io: recordingIo(), verb: 'apply', lease };
        await withLock(nats, 'x', lock, async (signal, held) => {
          await fillAccount();
          await new Promise((resolve) => setTimeout(resolve, 3000));
          signal.throwIfAborted();
          await held.api('STREAM.DELETE.FILL');
        });
      });

      const dead = async () => JSON.parse((await cli('dlq', 'ls', '--json')).stdout) as { state: string }[];
      const replays = (dead: number) =>
        expect.objectContaining({ code: 0, stdout: `Replayed ${dead} dead letters.\n` });

      test('is replayed whole by who never ran anything there, with not one byte free', async () => {
        await makeDead(nats, 60);
        await fillAccount();
        expect(await cli('dlq', 'replay')).toEqual(replays(60));
        expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([60, 0]);
        const { num_pending: ready } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
        expect(ready).toBe(60);
      });

      test('with a little room is replayed whole, however many are under way at once', async () => {
        await makeDead(nats, 300);
        await fillAccount();
        await nats.api('STREAM.PURGE.FILL', { seq: 3 });
        expect(await cli('dlq', 'replay')).toEqual(replays(300));
      });

      test('and a full queue are no obstacle together', async () => {
        await makeDead(nats, 60);
        const { config } = await info('REQUESTS');
        await nats.api('STREAM.UPDATE.REQUESTS', { ...config, max_msgs: 60 });
        await fillAccount();
        expect(await cli('dlq', 'replay')).toEqual(replays(60));
      });

      test('that has no room for one copy, whatever is given up, loses nothing, and says what is full and the way round', async () => {
        const payload = JSON.stringify({ id: 'large', query: 'x'.repeat(60_000) });
        for (let index = 0; index < 3; index++) await put(nats, 'requests.dns', payload);
        await letDie(nats);
        // What its record alone carries: nothing of it can go before its copy is in.
        await putReject(nats, 4, 'r');
        await fillAccount();
        const { code, stderr } = await cli('dlq', 'replay');
        expect(code).toBe(1);
        expect(stderr).toContain('0 replayed, 4 remain');
        expect(stderr).toMatch(/account A is used up: it uses \d+B of 300000B/);
        expect(stderr).toContain('Code: NO_ROOM');
        expect([await count('REQUESTS'), (await dead()).length]).toEqual([3, 4]);
        const away = join(dir, `away-${archives++}.ndjson`);
        const purge = ['dlq', 'purge', '--yes', '--state', 'orphan', '--limit', '2', '--archive', away];
        expect(await cli(...purge)).toMatchObject({ code: 0 });
        expect(await cli('dlq', 'replay')).toEqual(replays(2));
        await nats.api('STREAM.DELETE.FILL');
        expect(await cli('dlq', 'import', away)).toMatchObject({ code: 0 });
        expect(await cli('dlq', 'replay')).toEqual(replays(2));
        expect(await count('REQUESTS')).toBe(4);
      });

      test('says of a request what is full, how much of it, and what to type', async () => {
        await fillAccount();
        const { code, stderr } = await cli('request', 'send', 'dns', '{"query":"example.com"}');
        expect(code).toBe(1);
        expect(stderr).toMatch(/there is no room for requests\.dns: resource limits exceeded for account \(10002\)/);
        expect(stderr).toMatch(/The storage of account A is used up: it uses \d+B of 300000B of file storage/);
        expect(stderr).toContain('dlq purge');
        expect(stderr).toContain('max_file');
        expect(stderr).toContain('Code: NO_ROOM');
      });
    });

    describe('a full ledger', () => {
      test('gives up older values first, then the older half of what was done', async () => {
        await makeLedger();
        for (let index = 0; index < 3; index++) await put(nats, '$KV.osapi_ops.applied.a', `version ${index}`);
        for (let index = 0; index < 4; index++) await tell(`one ${index}`);
        await put(nats, '$KV.osapi_ops.journal.REQUESTS.1', 'kept');
        const done = async () => (await readHistory(nats)).map(({ summary }) => summary);
        expect(await makeRoom(nats)).toBe(true);
        expect([await count(LEDGER), await done()]).toEqual([6, ['one 3', 'one 2', 'one 1', 'one 0']]);
        expect(await makeRoom(nats)).toBe(true);
        expect(await done()).toEqual(['one 3', 'one 2']);
        expect([await makeRoom(nats), await makeRoom(nats), await makeRoom(nats)]).toEqual([true, true, false]);
        expect(await nats.kv('osapi_ops').keys('>')).toEqual(['applied.a', 'journal.REQUESTS.1']);
      });

      test('is no obstacle for a replay, nor for the history of it', async () => {
        await makeDead(nats, 20);
        for (let index = 0; index < 40; index++) await tell(`one ${index} ${'x'.repeat(300)}`);
        await fillLedger();
        expect(await cli('dlq', 'replay')).toMatchObject({ code: 0, stdout: 'Replayed 20 dead letters.\n' });
        const [newest] = await readHistory(nats);
        expect(newest?.summary).toContain('20 replayed');
      });

      test('that holds nothing that may go is no obstacle for a purge; a replay says what to type', async () => {
        await makeDead(nats, 3);
        await makeLedger();
        await put(nats, '$KV.osapi_ops.somebody', 'else’s');
        await fillLedger();
        const { code, stderr } = await cli('dlq', 'replay');
        expect(code).toBe(1);
        expect(stderr).toMatch(/Stream KV_osapi_ops is full: it holds 60B of its max_bytes 60B/);
        expect(stderr).toMatch(/raise its limit: nats stream edit --max-bytes=1048576 KV_osapi_ops/);
        expect(await count('REQUESTS_dlq')).toBe(3);
        await purges(3);
        expect(await nats.kv('osapi_ops').keys('somebody')).toEqual(['somebody']);
      });

      test('with room for a lock alone costs no records of dead letters: what goes from the DLQ makes none there', async () => {
        await makeDead(nats, 20);
        await makeLedger();
        await put(nats, '$KV.osapi_ops.somebody', 'else’s');
        const { config, state } = await nats.api(`STREAM.INFO.${LEDGER}`);
        const bytes = Number((state as { bytes: number }).bytes);
        await nats.api(`STREAM.UPDATE.${LEDGER}`, { ...(config as object), max_bytes: bytes + 450 });
        const { code, stderr } = await cli('dlq', 'replay');
        expect(code).toBe(1);
        expect(stderr).toContain('no room for $KV.osapi_ops.intent.REQUESTS');
        expect(await count('REQUESTS_dlq')).toBe(20);
      });
    });
  });
}

for (const version of ['2.10', '2.15']) {
  needing(`nats-server ${version}`).test(
    `what the limits of an account would refuse half-way is refused before anything is touched, on ${version}`,
    async () => {
      const user = (name: string, limits: string) =>
        `${name} { jetstream { ${limits} }, users: [{ user: ${name}, password: p }] }`;
      const accounts = [user('bytes', 'max_file: 3M'), user('streams', 'max_file: 10G, max_streams: 3')];
      const server = await startServer({ version, config: `accounts { ${accounts.join(', ')} }\n` });
      const cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-limits-'));
      const write = (resources: string) =>
        writeFileSync(join(cwd, 'spec.yaml'), `version: 1\nname: osapi\n${resources}`);
      const [one, two] = ['  A: {subjects: [a], max_bytes: 2MiB}', '  B: {subjects: [b], max_bytes: 2MiB}'];
      try {
        for (const [name, first, told] of [
          [
            'bytes',
            `streams:\n${one}\n`,
            `its streams reserve ${version === '2.10' ? '2097151B' : '2MiB'} of it with max_bytes, and this plan reserves 2MiB more (10047)`,
          ],
          ['streams', undefined, 'it has 0, and this plan makes 4 more, one of them the bucket osapi_ops (10027)'],
        ] as const) {
          const run = (...args: string[]) =>
            runCli(args, { server: { url: server.url.replace('://', `://${name}:p@`) }, cwd });
          if (first) {
            write(first);
            expect(await run('apply', 'spec.yaml')).toMatchObject({ code: 0 });
          }
          write(`streams:\n${one}\n${two}\nbuckets: {c: {}}\n`);
          const before = (await run('doctor')).stdout;
          expect(before).toMatch(
            / (2 streams, 0 consumers, \d+ of 3000000|0 of 3 streams, 0 consumers, 0 of 10000000000) bytes used/,
          );
          expect((await run('plan', 'spec.yaml')).stdout.replaceAll(/\s+/g, ' ')).toContain(told);
          expect(await run('apply', 'spec.yaml', '--yes')).toMatchObject({ code: 1 });
          expect((await run('export')).stdout).not.toContain('c:');
        }
      } finally {
        await server.stop();
        rmSync(cwd, { recursive: true, force: true });
      }
    },
  );
}
