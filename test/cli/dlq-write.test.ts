import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { getRange } from '../../src/lib/nats/messages.ts';
import { BIN, type CliOptions, startCli } from '../support/cli.ts';
import { letDie, makeDead, makeQueue, pull, put, wipe } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats } = lab);
});
beforeEach(async () => {
  await wipe(nats);
  await makeQueue(nats);
  cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-dlq-write-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const dlq = (args: readonly string[], options: CliOptions = {}) =>
  runCli(['dlq', ...args], { server, cwd, ...options });
const count = async (stream: string): Promise<number> => {
  const info = (await nats.api(`STREAM.INFO.${stream}`)) as unknown as { state: { messages: number } };
  return info.state.messages;
};
const payloads = async (): Promise<string[]> => {
  const found: string[] = [];
  for await (const { payload } of getRange(nats, 'REQUESTS', 1)) found.push(Buffer.from(payload).toString());
  return found;
};

describe('a queue whose sequences are beyond what JSON holds', () => {
  test.each(['replay', 'replay --dry-run', 'purge --yes --archive big.jsonl', 'ls', 'stats --queue BIG'])(
    'is refused by dlq %s before anything is published or removed',
    async (line) => {
      const config = { first_seq: 2 ** 53 + 2 };
      await makeQueue(nats, { stream: 'BIG', subjects: ['big.*'], consumer: 'worker', config });
      for (const id of ['a', 'b', 'c']) await put(nats, 'big.x', id);
      await letDie(nats, 'BIG', 'worker');
      const before = await count('BIG_dlq');
      const { code, stdout, stderr } = await dlq(line.split(' '));
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('stream BIG has sequences beyond 9007199254740991');
      expect(stderr).toContain('SEQ_TOO_LARGE');
      expect([await count('BIG'), await count('BIG_dlq'), before]).toEqual([3, 3, 3]);
      // Another queue is worked on as ever.
      expect(await dlq(['ls', '--queue', 'REQUESTS'])).toMatchObject({ code: 0 });
    },
  );
});

describe('dlq replay', () => {
  test('as a pipeline runs it, bare and without a terminal, moves everything back', async () => {
    await makeDead(nats, 5);
    const { code, stdout } = await dlq(['replay']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Replayed 5 dead letters.\n' });
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([5, 0]);
    expect((await dlq(['replay'])).stdout).toBe('Nothing was replayed.\n');
  });

  test('tells under --json what became of each, in the keys that were promised', async () => {
    await makeDead(nats, 2);
    const result = JSON.parse((await dlq(['replay', '--json'])).stdout);
    expect(result).toMatchObject({ replayed: 2, skipped: 0, failed: 0, remaining: 0 });
    expect(result.entries[0]).toEqual({
      id: expect.stringMatching(/^REQUESTS\/request-worker\/\d$/),
      outcome: 'replayed',
      new_seq: 3,
    });
  });

  test('tells with --wait how many lived and how many died again, and of what', async () => {
    await makeDead(nats, 3);
    let isOver = false;
    const working = (async () => {
      while (!isOver) {
        for (const message of await pull(nats, 'REQUESTS', 'request-worker', 10, 50)) {
          if (message.json<{ id: string }>().id !== 'r2') message.respond('+ACK');
        }
      }
    })();
    const { code, stdout } = await dlq(['replay', '--wait']);
    isOver = true;
    await working;
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'Replayed 3 dead letters.\n2 acked without a response, 1 died again (same reason: 1 × max_deliveries).\n',
    });
    const [run] = JSON.parse((await dlq(['replays', 'ls', '--json'])).stdout);
    const [dead] = JSON.parse((await dlq(['ls', '--json'])).stdout);
    expect(run.failures).toEqual([{ id: 'REQUESTS/request-worker/3', error: expect.any(String), new_seq: dead.seq }]);
    const shown = await dlq(['replays', 'show', run.id]);
    expect(shown.stdout).toContain(`\n  REQUESTS/request-worker/3, now ${dead.seq}  died again: max_deliveries\n`);
  });

  test('replays only what is named', async () => {
    await makeDead(nats, 3);
    expect((await dlq(['replay', 'REQUESTS/request-worker/2', '--json'])).code).toBe(0);
    expect(await count('REQUESTS_dlq')).toBe(2);
    expect(JSON.parse((await dlq(['replay', '--limit', '1', '--json'])).stdout).replayed).toBe(1);
    expect(await count('REQUESTS_dlq')).toBe(1);
  });

  test('shows in a dry run what would move, and touches nothing', async () => {
    await makeDead(nats, 3);
    const { code, stdout } = await dlq(['replay', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Would replay 3 dead letters:\n {2}3 {2}REQUESTS\/request-worker {2}requests\.dns {2}max_deliveries {2}died \d+s ago\n$/,
    );
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([3, 3]);
  });

  test.each([
    ['--rate', 'fast'],
    ['--wait-timeout', 'soon'],
    ['--to', 'requests.*'],
    ['--max-replays', '0'],
  ])('refuses %s %s as a wrong command line', async (...args) => {
    await makeDead(nats, 1);
    expect((await dlq(['replay', ...args])).code).toBe(64);
    expect(await count('REQUESTS_dlq')).toBe(1);
  });

  test('opens each in the editor, publishes what comes back, and writes digests into the history', async () => {
    await makeDead(nats, 1);
    const editor = join(cwd, 'my editor');
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/example.com/$(echo mended)/" "$1"\n');
    chmodSync(editor, 0o755);
    expect((await dlq(['replay', '--edit'], { env: { EDITOR: `"${editor}"` } })).code).toBe(0);
    expect(await payloads()).toEqual(['{"id":"r0","query":"mended"}']);
    const history = await getHistory();
    expect(history).toMatch(
      /"edits":\[\{"id":"REQUESTS\/request-worker\/1","before":"sha256:[0-9a-f]{64}","after":"sha256:/,
    );
  });

  test('lets others replay while a person is in the editor, and moves of what was edited only what is still there', async () => {
    await makeDead(nats, 3);
    const editor = join(cwd, 'editor');
    const other = `"${process.execPath}" "${BIN}" dlq replay REQUESTS/request-worker/2 --lock-wait 0s`;
    writeFileSync(
      editor,
      `#!/bin/sh\ngrep -q '"r0"' "$1" && { ${other} || exit 1; }\nsed -i "s/example.com/mended/" "$1"\n`,
    );
    chmodSync(editor, 0o755);
    expect(await dlq(['replay', '--edit'], { env: { EDITOR: `"${editor}"` } })).toMatchObject({ code: 0 });
    const queries = (await payloads()).map((text) => JSON.parse(text) as { id: string; query: string });
    expect(queries.sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ query }) => query)).toEqual([
      'mended',
      'example.com',
      'mended',
    ]);
    expect(await count('REQUESTS_dlq')).toBe(0);
  });

  test('leaves one whose payload was JSON and is none as edited, where nobody can be asked', async () => {
    await makeDead(nats, 1);
    const editor = join(cwd, 'breaker');
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/^{/[[/" "$1"\n');
    chmodSync(editor, 0o755);
    const { stdout } = await dlq(['replay', '--edit'], { env: { EDITOR: `"${editor}"` } });
    expect(stdout).toContain('Nothing was replayed.');
    expect(await count('REQUESTS_dlq')).toBe(1);
    expect(await getHistory()).not.toContain('"edits"');
  });

  test('needs an editor for --edit', async () => {
    await makeDead(nats, 1);
    const { code, stderr } = await dlq(['replay', '--edit'], { env: { EDITOR: undefined, VISUAL: undefined } });
    expect(code).toBe(64);
    expect(stderr).toContain('needs an editor');
  });

  test('that was stopped past its lock and goes on writes nothing beside its successor, and exits 75', async () => {
    await makeDead(nats, 60);
    const first = startCli(['dlq', 'replay', '--rate', '1/s', '--json'], { server, cwd });
    await until(async () => (await count('REQUESTS_dlq')) <= 58, 'some are moved');
    first.child.kill('SIGSTOP');
    const second = await dlq(['replay', '--lock-wait', '1m', '--json']);
    const before = await nats.api('STREAM.INFO.REQUESTS');
    first.child.kill('SIGCONT');
    const { code, stdout } = await first.done;
    expect(code).toBe(75);
    const told = JSON.parse(stdout) as { error: { code: string; message: string }; replayed: number };
    expect(told.error.code).toBe('LOCK_HELD');
    expect(told.error.message).toMatch(/was lost while at work: \d+ replayed, \d+ remain$/);
    expect(second.code).toBe(0);
    expect(told.replayed + JSON.parse(second.stdout).replayed).toBeLessThanOrEqual(60);
    expect((await nats.api('STREAM.INFO.REQUESTS')).state).toEqual(before.state);
    expect(new Set(await payloads()).size).toBe(60);
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([60, 0]);
    // The first may write nothing more: what is not in its record of itself stands in that of its successor.
    const [later, earlier] = JSON.parse((await dlq(['replays', 'ls', '--json'])).stdout);
    expect(earlier.replayed + later.replayed).toBe(60);
    expect(earlier.replayed).toBeGreaterThanOrEqual(told.replayed);
    expect(later).toMatchObject({ finished_for: [{ id: earlier.id, replayed: earlier.replayed }] });
    expect(JSON.parse((await dlq(['replays', 'show', earlier.id, '--json'])).stdout)).toEqual(earlier);
  });

  test('stops at Ctrl-C after what has begun, says what is done, and goes on when it is run again', async () => {
    await makeDead(nats, 60);
    const running = startCli(['dlq', 'replay', '--rate', '2/s', '--json'], { server, cwd });
    await until(async () => (await count('REQUESTS_dlq')) <= 58, 'some are moved');
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.done;
    expect(code).toBe(130);
    // What it wrote down of itself is taken back, however long ago it was.
    expect(stderr).not.toContain('Warning');
    const { error, replayed } = JSON.parse(stdout);
    expect(error.message).toBe(`interrupted by Ctrl-C: ${replayed} replayed, ${60 - replayed} remain`);
    expect(await count('REQUESTS_dlq')).toBe(60 - replayed);
    expect(JSON.parse((await dlq(['replay', '--json'])).stdout).replayed).toBe(60 - replayed);
    expect(new Set(await payloads()).size).toBe(60);
    expect(await count('REQUESTS')).toBe(60);
  });

  test('killed in the middle, is finished by the next run, which takes the dead one’s lock over', async () => {
    await makeDead(nats, 60);
    const running = startCli(['dlq', 'replay', '--rate', '2/s'], { server, cwd });
    await until(async () => (await count('REQUESTS_dlq')) <= 58, 'some are moved');
    running.child.kill('SIGKILL');
    await running.done;
    const held = await dlq(['replay', '--lock-wait', '100ms']);
    expect(held.code).toBe(75);
    const { code, stderr } = await dlq(['replay', '--lock-wait', '40s']);
    expect(code).toBe(0);
    expect(stderr).toContain('left the lock behind');
    expect(new Set(await payloads()).size).toBe(60);
    expect(await count('REQUESTS')).toBe(60);
    expect(await count('REQUESTS_dlq')).toBe(0);
  });
});

describe('dlq purge and import', () => {
  test('show in a dry run what would go, grouped, and delete nothing', async () => {
    await makeDead(nats, 3);
    const { code, stdout } = await dlq(['purge', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Would purge 3 dead letters:\n {2}3 {2}REQUESTS\/request-worker {2}requests\.dns {2}max_deliveries {2}died \d+s ago\n$/,
    );
    expect(JSON.parse((await dlq(['purge', '--dry-run', '--json'])).stdout)).toMatchObject({
      purged: 3,
      groups: [{ queue: 'REQUESTS', consumer: 'request-worker', subject: 'requests.dns', count: 3 }],
    });
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([3, 3]);
  });

  test('refuse without a person and without --yes, and delete nothing', async () => {
    await makeDead(nats, 2);
    const { code, stderr } = await dlq(['purge']);
    expect(code).toBe(1);
    expect(stderr).toContain('--yes');
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([2, 2]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('delete what they archived, and bring it back twice as once', async () => {
    await makeDead(nats, 4);
    const before = JSON.parse((await dlq(['ls', '--json'])).stdout);
    const purged = JSON.parse((await dlq(['purge', '--yes', '--archive', 'dead.ndjson', '--json'])).stdout);
    expect(purged).toMatchObject({ purged: 4, originals: 4 });
    expect([await count('REQUESTS'), await count('REQUESTS_dlq')]).toEqual([0, 0]);
    expect(readFileSync(join(cwd, 'dead.ndjson'), 'utf8').trim().split('\n')).toHaveLength(4);
    expect((await dlq(['import', 'dead.ndjson', '--dry-run'])).code).toBe(0);
    expect(JSON.parse((await dlq(['import', 'dead.ndjson', '--json'])).stdout)).toMatchObject({
      imported: 4,
      skipped: 0,
    });
    expect(JSON.parse((await dlq(['import', 'dead.ndjson', '--json'])).stdout)).toMatchObject({
      imported: 0,
      skipped: 4,
    });
    const after = JSON.parse((await dlq(['ls', '--json'])).stdout);
    const byId = (entries: { id: string }[]) => [...entries].sort((a, b) => a.id.localeCompare(b.id));
    expect(byId(after)).toEqual(byId(before));
    // Dead letters, not work: nothing is in the queue until somebody replays.
    expect(await count('REQUESTS')).toBe(0);
    expect(JSON.parse((await dlq(['replay', '--json'])).stdout).replayed).toBe(4);
    expect((await payloads()).sort()).toEqual([0, 1, 2, 3].map((n) => `{"id":"r${n}","query":"example.com"}`));
    // Each that changed something left one record; a dry run and an import of what is there left none.
    expect(await deeds()).toEqual([
      ['purge', expect.stringMatching(/^REQUESTS: 4 purged, archived in .*dead\.ndjson$/)],
      ['import', 'REQUESTS: 4 imported'],
      ['replay', 'REQUESTS: 4 replayed, 0 skipped, 0 failed, 0 remaining'],
    ]);
  });

  test('say of a line that stands in an archive twice that an earlier one is the same', async () => {
    await makeDead(nats, 2);
    await dlq(['purge', '--yes', '--archive', 'once.ndjson']);
    const lines = readFileSync(join(cwd, 'once.ndjson'), 'utf8');
    writeFileSync(join(cwd, 'twice.ndjson'), lines + lines);
    const again = { outcome: 'skipped', error: 'an earlier line of the archive is the same' };
    for (const flags of [['--dry-run'], []])
      expect(JSON.parse((await dlq(['import', 'twice.ndjson', '--json', ...flags])).stdout)).toMatchObject({
        imported: 2,
        skipped: 2,
        entries: [{ outcome: 'imported' }, { outcome: 'imported' }, again, again],
      });
    expect(JSON.parse((await dlq(['import', 'once.ndjson', '--json'])).stdout).entries[0]).toMatchObject({
      error: 'there already',
    });
  });

  test('bring a message back as it was: no header that it had not, every line that it had, and one death', async () => {
    const block = 'NATS/1.0\r\nTrace: a\r\nno colon\r\nTight:b\r\n\r\n';
    const payload = '{"id":"odd"}';
    const size = Buffer.byteLength(block);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(
      `CONNECT {"verbose":false,"headers":true,"echo":false}\r\nHPUB requests.\u001b[2Jx ${size} ${size + payload.length}\r\n${block}${payload}\r\nPING\r\n`,
    );
    await until(async () => (await count('REQUESTS')) === 1, 'it is stored');
    socket.destroy();
    await letDie(nats);
    const shown = async () => JSON.parse((await dlq(['show', 'REQUESTS/request-worker/1', '--json'])).stdout);
    const before = await shown();
    const archived = () => JSON.parse(readFileSync(join(cwd, 'odd.ndjson'), 'utf8')).original;
    await dlq(['purge', '--yes', '--archive', 'odd.ndjson']);
    expect(Buffer.from(archived().headers, 'base64').toString()).toBe(block);
    await dlq(['import', 'odd.ndjson']);
    const after = await shown();
    expect(after.headers).toEqual({ Trace: ['a'], Tight: ['b'] });
    expect(after.headers).toEqual(before.headers);
    expect(after.timeline.filter(({ event }: { event: string }) => event === 'died')).toHaveLength(1);
    expect(after.records).toHaveLength(2);
    rmSync(join(cwd, 'odd.ndjson'));
    await dlq(['export', '--out', 'odd.ndjson']);
    expect(Buffer.from(archived().headers, 'base64').toString()).toBe(block);
    // Its subject is typed as it is shown, and so it stands in the line of its group.
    const { stdout } = await dlq(['ls', '--columns', 'subject']);
    const subject = stdout.split('\n')[1]!;
    expect(subject).toBe('requests.\\x1b[2Jx');
    expect((await dlq(['ls', '--subject', subject, '--columns', 'id'])).stdout).toContain('REQUESTS/request-worker/1');
    expect((await dlq(['stats', '--subject', subject])).stdout).toContain(`--subject '${subject}'`);
    // Nothing is published on such a subject: elsewhere it is as it was, too.
    expect((await dlq(['replay', '--to', 'requests.dns'])).code).toBe(0);
    const { message } = (await nats.api('STREAM.MSG.GET.REQUESTS', { last_by_subj: 'requests.dns' })) as unknown as {
      message: { hdrs: string };
    };
    expect(Buffer.from(message.hdrs, 'base64').toString()).toContain('Trace: a\r\nno colon\r\nTight:b\r\n');
  });

  test('write over no archive, and import nothing of a damaged one', async () => {
    await makeDead(nats, 2);
    writeFileSync(join(cwd, 'taken.ndjson'), 'precious');
    expect((await dlq(['purge', '--yes', '--archive', 'taken.ndjson'])).code).toBe(64);
    expect(readFileSync(join(cwd, 'taken.ndjson'), 'utf8')).toBe('precious');
    await dlq(['purge', '--yes', '--archive', 'dead.ndjson']);
    const lines = readFileSync(join(cwd, 'dead.ndjson'), 'utf8').trim().split('\n');
    writeFileSync(join(cwd, 'dead.ndjson'), `${lines[0]}\n${lines[1]!.replace('max_deliveries', 'terminated')}\n`);
    const { code, stderr } = await dlq(['import', 'dead.ndjson']);
    expect(code).toBe(64);
    expect(stderr).toContain('dead.ndjson:2');
    expect(await count('REQUESTS_dlq')).toBe(0);
  });
});

describe('dlq rebuild', () => {
  test('writes the entry that an orphan lacks, once, and says who wrote it', async () => {
    await makeDead(nats, 3);
    await nats.api('STREAM.PURGE.REQUESTS_dlq');
    expect(JSON.parse((await dlq(['rebuild', '--dry-run', '--json'])).stdout).entries).toHaveLength(3);
    expect(await count('REQUESTS_dlq')).toBe(0);
    expect(JSON.parse((await dlq(['rebuild', '--json'])).stdout).rebuilt).toBe(3);
    expect((await dlq(['rebuild'])).stdout).toBe('No orphans to write an entry for.\n');
    for await (const { payload } of getRange(nats, 'REQUESTS_dlq', 1)) {
      expect(JSON.parse(Buffer.from(payload).toString()).id).toMatch(/^osapi-ops-rebuilt\./);
    }
    const states = JSON.parse((await dlq(['ls', '--json'])).stdout).map(({ state }: { state: string }) => state);
    expect(states).toEqual(['replayable', 'replayable', 'replayable']);
    expect(await deeds()).toEqual([['rebuild', 'REQUESTS: 3 entries rebuilt']]);
  });
});

/** The verb and the summary of each history record. */
const deeds = async (): Promise<[string, string][]> =>
  (await getHistory())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { verb: string; summary: string })
    .map(({ verb, summary }) => [verb, summary]);

/** All history records as text. */
async function getHistory(): Promise<string> {
  let text = '';
  for await (const { payload } of getRange(nats, 'KV_osapi_ops', 1, { subject: '$KV.osapi_ops.history.>' })) {
    text += `${Buffer.from(payload).toString()}\n`;
  }
  return text;
}
