import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/lib/model/json.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { startLossy } from '../support/lossy.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-apply-'));
let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  const { streams } = await nats.api('STREAM.NAMES');
  for (const name of (streams ?? []) as string[]) await nats.api(`STREAM.DELETE.${name}`);
});

/** Writes a spec of a small system and gives its path. */
function spec(
  changes: { queue?: string; consumer?: string; more?: string; name?: string; file?: string } = {},
): string {
  const path = join(dir, changes.file ?? 'spec.yaml');
  writeFileSync(
    path,
    `version: 1
name: ${changes.name ?? 'osapi'}
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    max_msgs: 1000
    max_age: 0
    ${changes.queue ?? ''}
    consumers:
      request-worker:
        max_deliver: 10
        backoff: [5s, 10s, 15s]
        ${changes.consumer ?? ''}
    dlq: {stream: requests_dlq, max_age: 30d}
    responses: {bucket: responses, ttl: 7d}
${changes.more ?? ''}
`,
  );
  return path;
}

const run = (args: string[], env: Record<string, string> = {}) => runCli(args, { server, cwd: dir, env });
const json = async (args: string[], env: Record<string, string> = {}) => {
  const result = await run([...args, '--json'], env);
  return { code: result.code, stderr: result.stderr, value: JSON.parse(result.stdout) };
};
const configOf = async (stream: string): Promise<Config> => (await nats.api(`STREAM.INFO.${stream}`)).config as Config;
const alter = async (stream: string, changes: Config) =>
  nats.api(`STREAM.UPDATE.${stream}`, { ...(await configOf(stream)), ...changes });
const actionsOf = (value: { changes: { action: string; kind: string; name: string }[] }) =>
  value.changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

describe('apply', () => {
  test('builds the system on an empty server, and the second run changes nothing and says so', async () => {
    const first = await json(['apply', spec()]);
    expect(first.code).toBe(0);
    expect(first.value).toMatchObject({ system: 'osapi', applied: true, summary: { create: 4, unchanged: 0 } });
    expect(first.value.changes.every((change: { status: string }) => change.status === 'applied')).toBe(true);
    const second = await run(['apply', spec()]);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do') });
    expect((await run(['plan', spec(), '--detailed-exitcode'])).code).toBe(0);
  });

  test('tells a changed spec from a changed server', async () => {
    await run(['apply', spec()]);
    await alter('REQUESTS', { max_msgs: 77 });
    const { code, value } = await json(['plan', spec({ consumer: 'max_ack_pending: 5' }), '--detailed-exitcode']);
    expect(code).toBe(2);
    const origins = value.changes.flatMap((change: { fields: { path: string; origin: string }[] }) =>
      change.fields.map(({ path, origin }) => `${path} ${origin}`),
    );
    expect(origins.sort()).toEqual(['max_ack_pending spec', 'max_msgs server']);
    expect((await run(['apply', spec({ consumer: 'max_ack_pending: 5' })])).code).toBe(0);
    expect((await configOf('REQUESTS')).max_msgs).toBe(1000);
  });

  test('of a dry run touches nothing, not even the ledger', async () => {
    expect((await json(['apply', spec(), '--dry-run'])).value).toMatchObject({
      applied: false,
      summary: { create: 4 },
    });
    expect((await nats.api('STREAM.NAMES')).total).toBe(0);
  });

  test('needs no file once it was applied: the ledger knows the spec', async () => {
    await run(['apply', spec({ file: 'named.yaml' })]);
    await alter('REQUESTS', { max_msgs: 77 });
    expect((await json(['plan'])).value).toMatchObject({ system: 'osapi', summary: { update: 1 } });
    expect((await run(['apply'])).code).toBe(0);
    expect((await configOf('REQUESTS')).max_msgs).toBe(1000);
  });

  test('without any spec, or with two systems and none named, guesses nothing', async () => {
    expect(await json(['apply'])).toMatchObject({ code: 64, value: { error: { code: 'USAGE_NO_SPEC' } } });
    await run(['apply', spec({ file: 'named.yaml' })]);
    writeFileSync(join(dir, 'other.yaml'), 'version: 1\nname: other\nbuckets: {b: {}}\n');
    await run(['apply', 'other.yaml']);
    const several = await json(['plan']);
    expect(several).toMatchObject({ code: 64, value: { error: { code: 'USAGE_AMBIGUOUS_SPEC' } } });
    expect(several.stderr).toContain('osapi, other');
  });

  test('never alters what it does not own, unless it is to adopt it', async () => {
    await nats.api('STREAM.CREATE.REQUESTS', {
      name: 'REQUESTS',
      subjects: ['requests.*'],
      retention: 'workqueue',
      discard: 'new',
    });
    const refused = await json(['apply', spec()]);
    expect(refused).toMatchObject({
      code: 1,
      value: { error: { code: 'RISK_REFUSED', hint: expect.stringContaining('--adopt') } },
    });
    expect((await nats.api('STREAM.NAMES')).streams).toEqual(['REQUESTS']);
    expect((await run(['apply', spec(), '--yes'])).code).toBe(1);
    expect((await run(['apply', spec(), '--adopt'])).code).toBe(0);
    expect((await configOf('REQUESTS')).metadata).toMatchObject({ 'osapi-ops.owner': 'osapi' });
  });

  test('leaves what is no longer in the spec, unless it is to prune it', async () => {
    await run(['apply', spec({ more: 'streams: {OLD: {subjects: [old]}}' })]);
    const kept = await json(['apply', spec()]);
    expect(kept.value.left_alone).toEqual([{ resource: 'stream OLD', what: expect.stringContaining('--prune') }]);
    expect((await json(['apply', spec(), '--prune'])).value).toMatchObject({ summary: { delete: 1 } });
    await expect(configOf('OLD')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('deletes no message without --allow-data-loss, and with it exactly those it announced', async () => {
    const lossy = (limit: number) => spec({ more: `streams: {LOG: {subjects: [log], max_msgs: ${limit}}}` });
    await run(['apply', lossy(100)]);
    await Promise.all(Array.from({ length: 50 }, () => nats.request('log', 'x')));
    const refused = await json(['apply', lossy(10)]);
    expect(refused).toMatchObject({ code: 1, value: { findings: [{ needs: 'allow-data-loss', count: 40 }] } });
    expect((await run(['apply', lossy(10), '--allow-data-loss'])).code).toBe(0);
    expect((await nats.api('STREAM.INFO.LOG')).state).toMatchObject({ messages: 10 });
  });

  test('warns when an older copy goes over a newer one', async () => {
    await run(['apply', spec()]);
    await run(['apply', spec({ consumer: 'max_ack_pending: 5' })]);
    expect((await run(['plan', spec()])).stderr).toMatch(/older copy: \S+ applied it on .*newer one/);
  });

  test('of several specs touches nothing while one is refused', async () => {
    await nats.api('STREAM.CREATE.X', { name: 'X', subjects: ['x'] });
    writeFileSync(join(dir, 'x.yaml'), 'version: 1\nname: x\nstreams: {X: {subjects: [x]}}\n');
    expect((await run(['apply', spec(), 'x.yaml'])).code).toBe(1);
    expect((await nats.api('STREAM.NAMES')).streams).toEqual(['X']);
    const both = await json(['apply', spec(), 'x.yaml', '--adopt']);
    expect(both.value.map((each: { system: string }) => each.system)).toEqual(['osapi', 'x']);
  });

  test('of specs that claim the same resource refuses before it connects', async () => {
    writeFileSync(join(dir, 'same.yaml'), 'version: 1\nname: same\nstreams: {REQUESTS: {subjects: [x]}}\n');
    const { code, value } = await json(['apply', spec(), 'same.yaml'], { NATS_URL: 'nats://127.0.0.1:1' });
    expect(code).toBe(65);
    expect(value.error.problems).toEqual([
      expect.objectContaining({ code: 'SPEC_OVERLAP', message: expect.stringContaining('stream REQUESTS'), line: 3 }),
    ]);
  });
});

describe('a saved plan', () => {
  test('is carried out as it was shown', async () => {
    expect((await run(['plan', spec(), '--out', 'a.plan'])).code).toBe(0);
    rmSync(join(dir, 'spec.yaml'));
    const applied = await json(['apply', 'a.plan']);
    expect(applied).toMatchObject({ code: 0, value: { applied: true, summary: { create: 4 } } });
    expect((await json(['plan', spec()])).value.changes).toEqual([]);
    // The ledger has it as well: the same spec is no news.
    const before = (await nats.api('STREAM.INFO.KV_osapi_ops')).state;
    await run(['apply', spec()]);
    expect((await nats.api('STREAM.INFO.KV_osapi_ops')).state).toEqual(before);
  });

  test('is refused when the server has moved, naming what moved', async () => {
    await run(['apply', spec()]);
    await run(['plan', spec({ queue: 'description: new' }), '--out', 'b.plan']);
    await alter('REQUESTS', { max_msgs: 77 });
    const stale = await json(['apply', 'b.plan']);
    expect(stale).toMatchObject({ code: 75, value: { error: { code: 'PLAN_STALE' } } });
    expect(stale.value.error.message).toContain('stream REQUESTS was changed');
    expect((await configOf('REQUESTS')).max_msgs).toBe(77);
  });

  test('that is applied once more, as a pipeline does that runs again, is told as carried out, and by whom', async () => {
    await run(['plan', spec(), '--out', 'e.plan']);
    await run(['plan', spec({ queue: 'description: new' }), '--out', 'other.plan']);
    expect((await run(['apply', 'e.plan'])).code).toBe(0);
    const again = await json(['apply', 'e.plan']);
    expect(again).toMatchObject({ code: 75, value: { error: { code: 'PLAN_STALE' } } });
    const [{ at, who, host }] = (await json(['history'])).value;
    expect(again.value.error.message).toContain(`this very plan was carried out before, by ${who} on ${host}, ${at}:`);
    // Another plan of the same system was not.
    expect((await json(['apply', 'other.plan'])).value.error.message).toMatch(/^the saved plan no longer fits: /);
  });

  test('that is not there is missed as a plan', async () => {
    const { code, value } = await json(['apply', 'nothere.plan']);
    expect({ code, value }).toMatchObject({ code: 65, value: { error: { code: 'PLAN_UNREADABLE' } } });
    expect((await run(['apply', 'nothere.plan'])).stderr).toContain('nothere.plan cannot be read');
    expect(await json(['apply', 'nothere.yaml'])).toMatchObject({ value: { error: { code: 'SPEC_UNREADABLE' } } });
  });

  test('made without a spec is made again by the line that its refusal names', async () => {
    await run(['apply', spec()]);
    rmSync(join(dir, 'spec.yaml'));
    await run(['plan', '--prune', '--out', 'd.plan']);
    await alter('REQUESTS', { max_msgs: 77 });
    const { error } = (await json(['apply', 'd.plan'])).value;
    expect(error.code).toBe('PLAN_STALE');
    const line = /osapi-ops (plan [^"`]*)/.exec(JSON.stringify(error))![1]!;
    expect(line).toBe('plan --prune --out d.plan');
    expect((await run(line.split(' '))).code).toBe(0);
    expect((await run(['apply', 'd.plan', '--yes'])).code).toBe(0);
  });

  test('that was altered by hand is refused', async () => {
    await run(['plan', spec(), '--out', 'c.plan']);
    const text = readFileSync(join(dir, 'c.plan'), 'utf8');
    writeFileSync(join(dir, 'c.plan'), text.replaceAll('requests_dlq', 'something_else'));
    expect((await run(['apply', 'c.plan'])).code).toBe(65);
  });
});

describe('trouble half-way', () => {
  test('two applies at once: one waits, and both end well', async () => {
    const runs = await Promise.all(
      [1, 2, 3].map(() => startCli(['apply', spec(), '--quiet'], { server, cwd: dir }).done),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect((await json(['plan', spec()])).value.changes).toEqual([]);
  });

  test('a lock that somebody holds is named', async () => {
    await run(['apply', spec()]);
    const holder = { id: 'x', verb: 'apply', since: '2026-01-01T00:00:00Z', who: 'ada', host: 'build-7', pid: 1 };
    await nats.kv('osapi_ops').put('lock.osapi', JSON.stringify(holder));
    const changed = spec({ queue: 'description: new' });
    const held = await json(['apply', changed, '--lock-wait', '300ms']);
    expect(held).toMatchObject({ code: 75, value: { error: { code: 'LOCK_HELD' } } });
    expect(held.stderr).toContain('ada on build-7 (pid 1)');
    // With nothing to do no lock is needed.
    expect((await run(['apply', spec(), '--lock-wait', '0s'])).code).toBe(0);
  });

  test('a step that the server refuses is told with what was done and what was not, and the next run goes on', async () => {
    // More than the server has room for: 10047.
    const failed = await json(['apply', spec({ queue: 'max_bytes: 4000000GB' })]);
    expect(failed).toMatchObject({ code: 1, value: { error: { code: 'NO_ROOM' }, applied: false } });
    const status = Object.fromEntries(
      failed.value.changes.map((change: { name: string; status: string }) => [change.name, change.status]),
    );
    expect(status).toEqual({
      requests_dlq: 'applied',
      responses: 'applied',
      REQUESTS: 'failed',
      'REQUESTS/request-worker': 'skipped',
    });
    const next = await json(['apply', spec()]);
    expect(actionsOf(next.value)).toEqual(['create stream REQUESTS', 'create consumer REQUESTS/request-worker']);
  });

  test('a step that the server refuses for what no plan can see is APPLY_FAILED, with the server’s own words', async () => {
    // A limit of the account's configuration that its figures do not name.
    const strict = await startServer({
      config: 'accounts { A { jetstream: {max_ack_pending: 100}, users: [{user: a, password: a}] } }',
    });
    try {
      const as = (args: string[]) =>
        runCli([...args, '--json'], { server: strict, cwd: dir, env: { NATS_USER: 'a', NATS_PASSWORD: 'a' } });
      const { code, stdout } = await as(['apply', spec({ consumer: 'max_ack_pending: 500' })]);
      const failed = JSON.parse(stdout);
      expect(failed).toMatchObject({
        applied: false,
        error: {
          code: 'APPLY_FAILED',
          message: expect.stringMatching(/max ack pending.*; 3 applied, 1 failed, 0 not reached$/),
        },
      });
      expect(code).toBe(1);
      const next = await as(['apply', spec({ consumer: 'max_ack_pending: 100' })]);
      expect(actionsOf(JSON.parse(next.stdout))).toEqual(['create consumer REQUESTS/request-worker']);
    } finally {
      await strict.stop();
    }
  });

  test.each(
    [
      ...['CREATE.KV_osapi_ops', 'KV.osapi_ops.lock', 'CREATE.requests_dlq', 'CREATE.KV_responses', 'CREATE.REQUESTS$'],
      ...[
        'CREATE.REQUESTS.request-worker',
        'KV.osapi_ops.history',
        'KV.osapi_ops.applied',
        'STREAM.PURGE.KV_osapi_ops',
      ],
    ].flatMap((write) => [[write, 'request'] as const, [write, 'answer'] as const]),
  )(
    'kill -9 at the write %s, of which the %s is lost, loses nothing, and the next run completes it',
    async (write, what) => {
      const lossy = await startLossy(server.port);
      const killed = startCli(['apply', spec()], { server: lossy, cwd: dir });
      lossy.lose(what, new RegExp(write), async () => killed.child.kill('SIGKILL'));
      expect(await killed.done).toMatchObject({ signal: 'SIGKILL' });
      lossy.close();
      // A dead holder's lock runs out by itself; here there is no time to wait for it.
      await nats
        .kv('osapi_ops')
        .delete('lock.osapi')
        .catch(() => {});
      expect(await run(['apply', spec()])).toMatchObject({ code: 0 });
      expect((await json(['plan', spec()])).value.changes).toEqual([]);
    },
  );

  test('Ctrl-C stops between steps, says what remains, and exits 130', async () => {
    const many = Array.from({ length: 100 }, (_, n) => `  S${n}: {subjects: [s${n}]}`).join('\n');
    const path = spec({ more: `streams:\n${many}` });
    const lossy = await startLossy(server.port);
    const process = startCli(['apply', path, '--json'], { server: lossy, cwd: dir });
    // Before it hears that one of the first is made.
    lossy.lose('nothing', /STREAM\.CREATE\.S\d$/, async () => process.child.kill('SIGINT'));
    const { code, stdout } = await process.done;
    lossy.close();
    expect(code).toBe(130);
    const value = JSON.parse(stdout);
    expect(value.error.code).toBe('INTERRUPTED');
    const states = new Set(value.changes.map((change: { status: string }) => change.status));
    expect(states).toEqual(new Set(['applied', 'skipped']));
    expect((await run(['apply', path, '--quiet'])).code).toBe(0);
  });
});

describe('a subject that a stream outside of the spec holds', () => {
  test.each([
    ['a request', 'requests.>', 'requests.*', 'stream REQUESTS', 5],
    [
      'an advisory',
      '$JS.EVENT.ADVISORY.>',
      '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.*',
      'stream requests_dlq',
      15,
    ],
    ['a key', '$KV.responses.*', '$KV.responses.>', 'bucket responses', 16],
  ])('is a problem before anything is touched: of %s', async (_, held, subject, resource, line) => {
    await nats.api('STREAM.CREATE.AUDIT', { name: 'AUDIT', subjects: [held], storage: 'memory' });
    const file = spec();
    const message = `${resource}: subject ${subject} overlaps ${held} of stream AUDIT (10065)`;
    for (const args of [
      ['plan', file],
      ['apply', file, '--dry-run'],
    ]) {
      const { value } = await json(args);
      expect(value.findings).toEqual([
        expect.objectContaining({ code: 'RISK_SERVER_REFUSES', severity: 'refuse', message }),
      ]);
    }
    const { code, value } = await json(['apply', file]);
    expect(code).toBe(1);
    expect(value.error).toMatchObject({ code: 'PLAN_REFUSED', message, problems: [{ message, file, line }] });
    expect((await nats.api('STREAM.NAMES')).streams).toEqual(['AUDIT']);
    await nats.api('STREAM.DELETE.AUDIT');
    expect((await run(['apply', file])).code).toBe(0);
  });

  test('is found where only a subject is added, and among very many', async () => {
    await nats.api('STREAM.CREATE.AUDIT', { name: 'AUDIT', subjects: ['mail.*'], storage: 'memory' });
    expect((await run(['apply', spec()])).code).toBe(0);
    const list = (count: number) => Array.from({ length: count }, (_, index) => `x${index}.*`);
    for (const more of [1, 100]) {
      const file = spec({ queue: '', more: '' });
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace('["requests.*"]', JSON.stringify(['requests.*', ...list(more), 'mail.a'])),
      );
      const { code, value } = await json(['apply', file]);
      expect({ code, message: value.error.message }).toEqual({
        code: 1,
        message: 'stream REQUESTS: subject mail.a overlaps mail.* of stream AUDIT (10065)',
      });
    }
  });
});
