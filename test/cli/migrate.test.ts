import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { type CliResult, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, pull, put, wipe } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats, cwd } = lab);
});
beforeEach(() => wipe(nats));

interface Written {
  readonly name?: string;
  readonly queue?: string;
  readonly worker?: string;
  readonly responses?: string;
}

/** Writes the spec of a queue whose requests die when they are not answered at once, and gives its path. */
function spec({
  name = 'REQUESTS',
  queue = 'storage: memory',
  worker = '',
  responses = 'responses',
}: Written = {}): string {
  const path = join(cwd, 'spec.yaml');
  writeFileSync(
    path,
    `version: 1
name: osapi
queues:
  ${name}:
    subjects: ["requests.*"]
    discard: new
    ${queue.includes('duplicate_window') ? '' : 'duplicate_window: 1s'}
    ${queue}
    consumers:
      request-worker: {max_deliver: 1, ack_wait: 1s${worker}}
    dlq: {stream: requests_dlq}
    responses: {bucket: ${responses}}
`,
  );
  return path;
}

const run = (...args: string[]) => runCli(args, { server, cwd });
const told = ({ code, stdout, stderr }: CliResult) => ({ code, stderr, value: JSON.parse(stdout) });
const json = async (...args: string[]) => told(await run(...args, '--json'));
const configOf = async (stream: string) => (await nats.api(`STREAM.INFO.${stream}`)).config as Record<string, unknown>;
const names = async () => ((await nats.api('STREAM.NAMES')).streams as string[]).sort();
const request = (id: string) => put(nats, 'requests.dns', JSON.stringify({ id, query: 'example.com' }));

/** Who was killed held the locks: without this, whoever comes next waits for 15 s. */
const unlock = (from = nats) => from.api('STREAM.PURGE.KV_osapi_ops', { filter: '$KV.osapi_ops.lock.>' });

/** Dead: a and b. Waiting: c. */
async function fill(): Promise<void> {
  await request('a');
  await request('b');
  await letDie(nats);
  await request('c');
}
const deadOf = async (): Promise<string[][]> =>
  (await json('dlq', 'ls')).value
    .filter(({ state }: { state: string }) => state !== 'gone')
    .map(({ id, state, request_id }: Record<string, string>) => [id, state, request_id])
    .sort();

test('what cannot be changed in place is planned as a move, refused without its flag, and carried out with it', async () => {
  await run('apply', spec());
  await fill();
  const before = await deadOf();
  const path = spec({ queue: 'storage: file' });

  const plan = await json('plan', path);
  expect(plan.value.changes).toMatchObject([
    { action: 'migrate', kind: 'stream', name: 'REQUESTS', hops: [{ to: 'REQUESTS_moving' }, { to: 'REQUESTS' }] },
  ]);
  expect(plan.value.summary).toEqual({ create: 0, update: 0, replace: 1, delete: 0, unchanged: 3 });

  const refused = await json('apply', path, '--yes');
  expect(refused.code).toBe(1);
  expect(refused.value.error).toMatchObject({ code: 'RISK_REFUSED', hint: expect.stringContaining('--migrate') });
  expect(refused.value.error.problems[0].message).toContain('is moved without loss to change storage');
  expect(await configOf('REQUESTS')).toMatchObject({ storage: 'memory' });

  const [hand] = await pull(nats, 'REQUESTS', 'request-worker');
  const applying = json('apply', path, '--migrate');
  await sleep(500);
  hand!.respond('+ACK');
  const published: string[] = [];
  for (let n = 0; n < 40; n++) {
    // As a client that retries: nobody may be there for a moment.
    for (let tries = 0; tries < 50; tries++) {
      const done = await request(`n${n}`).then(
        () => true,
        () => false,
      );
      if (done) break;
      await sleep(10);
    }
    published.push(`n${n}`);
    await sleep(20);
  }
  const applied = await applying;
  expect([applied.code, applied.stderr]).toEqual([0, expect.any(String)]);
  expect(applied.value.changes).toMatchObject([{ action: 'migrate', name: 'REQUESTS', status: 'applied' }]);
  expect(await configOf('REQUESTS')).toMatchObject({
    storage: 'file',
    retention: 'workqueue',
    subjects: ['requests.*'],
  });
  expect(await names()).toEqual(['KV_osapi_ops', 'KV_responses', 'REQUESTS', 'requests_dlq']);
  expect(await deadOf()).toEqual(before);

  const taken: string[] = [];
  for (let round = 0; round < 20 && taken.length < published.length + 1; round++) {
    for (const message of await pull(nats, 'REQUESTS', 'request-worker', 100)) {
      taken.push((message.json() as { id: string }).id);
      message.respond('+ACK');
    }
  }
  expect(taken.filter((id) => id !== 'c').sort()).toEqual(published.sort());
  expect((await json('plan', path)).value.changes).toEqual([]);
  const again = await json('apply', path, '--migrate');
  expect([again.code, again.value.changes]).toEqual([0, []]);
  expect((await json('dlq', 'replay')).value).toMatchObject({ replayed: 2, failed: 0 });
  const [replayed, moved] = (await json('history')).value;
  expect(replayed.summary).toContain('replayed');
  expect(moved.summary).toContain(', 1 moved, ');
  expect(moved.summary).toMatch(/: stream REQUESTS \(storage memory → file\)$/);
});

test('killed half-way, everybody who looks is told, nobody else touches it, and it goes on or back', async () => {
  await run('apply', spec());
  await fill();
  const before = await deadOf();
  const path = spec({ queue: 'storage: file' });
  const killHalfWay = async () => {
    const applying = startCli(['apply', path, '--migrate'], { server, cwd });
    await applying.until('stderr', /copying REQUESTS to REQUESTS_moving/, 60_000);
    applying.child.kill('SIGKILL');
    await applying.done;
  };

  await killHalfWay();
  const replaying = startCli(['dlq', 'replay', '--lock-wait', '40s', '--json'], { server, cwd });
  const [resume, pause, plan, status, doctor, apply] = await Promise.all([
    json('queue', 'resume', 'REQUESTS'),
    json('queue', 'pause', 'REQUESTS'),
    json('plan', path),
    json('status', path),
    json('doctor', path),
    json('apply', path, '--yes'),
  ]);
  const replay = told(await replaying.done);
  for (const { code, value } of [resume, pause]) expect([code, value.error.code]).toEqual([75, 'LOCK_HELD']);
  expect(JSON.stringify(status.value.checks)).not.toContain('queue resume');
  expect(plan.value.changes).toMatchObject([
    { action: 'migrate', name: 'REQUESTS', reason: expect.stringMatching(/began to move it on .* and it is not done/) },
  ]);
  expect(status.code).toBe(2);
  const checks: { id: string; status: string }[] = status.value.checks;
  expect(checks.find(({ id }) => id === 'REQUESTS.migration')).toMatchObject({
    id: 'REQUESTS.migration',
    status: checks.some(({ id, status }) => id.endsWith('.paused') && status !== 'ok') ? 'critical' : 'warn',
    summary: expect.stringMatching(
      /^stream REQUESTS is being moved by .* since .*: copying REQUESTS to REQUESTS_moving/,
    ),
  });
  expect(doctor.value.symptoms.map(({ id }: { id: string }) => id)).toContain('migration');
  expect(apply.value.error).toMatchObject({
    code: 'RISK_REFUSED',
    message: expect.stringContaining('is half moved'),
    hint: expect.stringContaining('apply --undo-migrate'),
  });
  expect(replay.code).toBe(75);
  expect(replay.value.error).toMatchObject({ code: 'LOCK_HELD', message: expect.stringContaining('is half moved') });

  const back = await json('apply', path, '--undo-migrate');
  expect(back.value).toMatchObject({ applied: false, undone: [{ kind: 'stream', name: 'REQUESTS' }] });
  expect(back.code).toBe(0);
  expect(await names()).toEqual(['KV_osapi_ops', 'KV_responses', 'REQUESTS', 'requests_dlq']);
  expect(await configOf('REQUESTS')).toMatchObject({ storage: 'memory' });
  expect(await deadOf()).toEqual(before);
  const twice = await json('apply', path, '--undo-migrate');
  expect([twice.code, twice.value.undone]).toEqual([0, []]);

  await killHalfWay();
  // The spec has changed meanwhile: what was begun is ended first, and then the rest is done.
  const other = spec({ queue: 'storage: file\n    description: moved' });
  const on = await json('apply', other, '--migrate', '--yes');
  expect([on.code, on.value.changes]).toMatchObject([
    0,
    [
      { action: 'migrate', name: 'REQUESTS', status: 'applied' },
      { action: 'update', name: 'REQUESTS', status: 'applied' },
    ],
  ]);
  expect(await configOf('REQUESTS')).toMatchObject({ storage: 'file', description: 'moved' });
  expect(await deadOf()).toEqual(before);
});

test('what somebody is moving just now is told with who does, and left to him', async () => {
  await run('apply', spec({ queue: 'storage: memory\n    duplicate_window: 30s' }));
  const path = spec({ queue: 'storage: file\n    duplicate_window: 30s' });
  const applying = startCli(['apply', path, '--migrate'], { server, cwd });
  try {
    await applying.until('stderr', /copying REQUESTS to REQUESTS_moving/, 60_000);
    const second = await json('apply', path, '--yes');
    expect([second.code, second.value.error]).toMatchObject([
      75,
      { code: 'LOCK_HELD', message: expect.stringMatching(/^.+ is at work on osapi \(apply\)$/) },
    ]);
    expect((await run('apply', path, '--yes')).stderr).toMatch(/It holds the lock since \d{4}-\d\d-\d\dT/);
    const [pause] = [await json('queue', 'pause', 'REQUESTS')];
    expect([pause.code, pause.value.error.hint]).toEqual([75, expect.stringContaining('osapi-ops status')]);
  } finally {
    applying.child.kill('SIGINT');
    await applying.done;
  }
  expect((await json('apply', path, '--undo-migrate')).code).toBe(0);
  expect(await configOf('REQUESTS')).toMatchObject({ storage: 'memory' });
});

describe('a server that has no room for a copy', () => {
  let small: TestServer;
  let its: Nats;
  beforeAll(async () => {
    small = await startServer({ version: '2.15', config: 'jetstream {max_file_store: 200KB, max_memory_store: 10MB}' });
    its = await connectTo(small);
  });
  afterAll(async () => {
    await its.close();
    await small.stop();
  });
  const there = (...args: string[]) => runCli([...args, '--json'], { server: small, cwd });
  const memory = 'storage: memory\n    duplicate_window: 2s';
  const onDisk = 'storage: file\n    duplicate_window: 2s';
  const fill = async () => {
    await wipe(its);
    await there('apply', spec({ queue: memory }));
    for (let index = 0; index < 5; index++)
      await put(its, 'requests.dns', JSON.stringify({ id: `${index}`, query: 'x'.repeat(60_000) }));
  };
  const isAsBefore = async () => {
    expect(((await its.api('STREAM.NAMES')).streams as string[]).sort()).toEqual([
      'KV_osapi_ops',
      'KV_responses',
      'REQUESTS',
      'requests_dlq',
    ]);
    expect(await its.api('STREAM.INFO.REQUESTS')).toMatchObject({
      config: { storage: 'memory', subjects: ['requests.*'] },
      state: { messages: 5 },
    });
    const worker = await its.api('CONSUMER.INFO.REQUESTS.request-worker');
    expect(worker).toMatchObject({ num_pending: 5 });
    expect(worker.paused ?? false).toBe(false);
  };

  test('is told so before anything is closed, and has what it had', async () => {
    await fill();
    const { code, stdout } = await there('apply', spec({ queue: onDisk }), '--migrate');
    expect([code, JSON.parse(stdout).error]).toMatchObject([
      1,
      {
        code: 'MIGRATE_REFUSED',
        message: expect.stringContaining('(10023)'),
        hint: expect.stringContaining('max_file_store'),
      },
    ]);
    await isAsBefore();
    expect(JSON.parse((await there('apply', spec({ queue: memory }), '--undo-migrate')).stdout).undone).toEqual([]);
  });

  test.each([
    ['--undo-migrate', 0],
    ['--migrate', 1],
  ])('that is left full and closed is open again after %s', async (way, code) => {
    await fill();
    const applying = startCli(['apply', spec({ queue: onDisk }), '--migrate'], { server: small, cwd });
    await applying.until('stderr', /copying REQUESTS to REQUESTS_moving/, 60_000);
    applying.child.kill('SIGKILL');
    await applying.done;
    await until(
      async () => ((await its.api('STREAM.INFO.REQUESTS_moving')).state as { messages: number }).messages === 4,
      'the copy is full',
    );
    const { config } = await its.api('STREAM.INFO.REQUESTS');
    await its.api('STREAM.UPDATE.REQUESTS', { ...(config as object), subjects: ['osapi-ops.moving.REQUESTS'] });
    await unlock(its);
    const done = await there('apply', spec({ queue: onDisk }), way);
    expect([done.code, done.stderr]).toEqual([code, expect.stringContaining('REQUESTS_moving')]);
    await isAsBefore();
  });
});

test('once the subjects have moved nobody is offered a way back', async () => {
  await run('apply', spec());
  const path = spec({ queue: 'storage: file' });
  const applying = startCli(['apply', path, '--migrate'], { server, cwd });
  await applying.until('stderr', /REQUESTS_moving is open/, 60_000);
  applying.child.kill('SIGKILL');
  await applying.done;
  const [plan, status, doctor] = await Promise.all([run('plan', path), run('status', path), json('doctor', path)]);
  const symptom = doctor.value.symptoms.find(({ id }: { id: string }) => id === 'migration');
  for (const text of [plan.stdout, status.stdout, symptom.next]) {
    expect(text.replace(/\s+/g, ' ')).toContain('it can no longer go back');
    expect(text).not.toContain('--undo-migrate');
  }
  await unlock();
  expect((await json('apply', path, '--migrate', '--yes')).code).toBe(0);
});

test('a saved plan with a move does it with the flag only, and not when something else came between', async () => {
  await run('apply', spec());
  await fill();
  const file = join(cwd, 'saved.plan');
  await run('plan', spec({ worker: ', max_waiting: 100' }), '--out', file);
  const refused = await json('apply', file, '--allow-replace', '--allow-data-loss');
  expect([refused.code, refused.value.error.code]).toEqual([1, 'RISK_REFUSED']);
  const config = (await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).config as object;
  await nats.api('CONSUMER.CREATE.REQUESTS.request-worker', {
    stream_name: 'REQUESTS',
    config: { ...config, description: 'by hand' },
  });
  expect((await json('apply', file, '--migrate')).value.error.code).toBe('PLAN_STALE');
  await nats.api('CONSUMER.CREATE.REQUESTS.request-worker', { stream_name: 'REQUESTS', config });
  const applied = await json('apply', file, '--migrate');
  expect([applied.code, applied.value.changes]).toMatchObject([
    0,
    [{ action: 'migrate', kind: 'consumer', name: 'REQUESTS/request-worker', status: 'applied' }],
  ]);
  expect((await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).config).toMatchObject({ max_waiting: 100 });
  const [waiting, ...more] = await pull(nats, 'REQUESTS', 'request-worker', 10);
  expect([(waiting!.json() as { id: string }).id, more]).toEqual(['c', []]);
});

test('another name takes along what belongs to it', async () => {
  await run('apply', spec());
  await fill();
  const path = spec({ name: 'LOOKUPS', queue: 'storage: memory\n    moved_from: REQUESTS' });
  const applied = await json('apply', path, '--migrate');
  expect([applied.code, applied.value.changes]).toMatchObject([
    0,
    [
      { action: 'update', name: 'requests_dlq' },
      { action: 'migrate', name: 'LOOKUPS', moved_from: 'REQUESTS', status: 'applied' },
      { action: 'migrate', name: 'LOOKUPS/request-worker', moved_from: 'REQUESTS/request-worker', status: 'applied' },
    ],
  ]);
  expect(await names()).toEqual(['KV_osapi_ops', 'KV_responses', 'LOOKUPS', 'requests_dlq']);
  expect((await deadOf()).map(([, state, id]) => [state, id]).sort()).toEqual([
    ['replayable', 'a'],
    ['replayable', 'b'],
  ]);
  expect((await json('plan', path)).value.changes).toEqual([]);
  expect((await json('history')).value[0].summary).toContain(
    ': stream REQUESTS → LOOKUPS; consumer REQUESTS/request-worker → LOOKUPS/request-worker',
  );
  expect((await json('dlq', 'replay')).value).toMatchObject({ replayed: 2, failed: 0 });
});

test('the bucket that a worker answers into gets no other name while it is at work', async () => {
  await run('apply', spec());
  await request('a');
  const worker = startCli(['worker', 'run', '--builtin=echo', '--queue=REQUESTS', '--bucket=responses'], {
    server,
    cwd,
  });
  const path = spec({ responses: 'answers, moved_from: responses' });
  try {
    await worker.until('stderr', /works on/, 30_000);
    await until(async () => (await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).num_waiting !== 0, 'it asks');
    const refused = await json('apply', path, '--migrate');
    expect([refused.code, refused.value.error]).toMatchObject([
      1,
      { code: 'PLAN_REFUSED', hint: expect.stringContaining('stop the workers first') },
    ]);
    expect(await names()).toContain('KV_responses');
  } finally {
    worker.child.kill('SIGTERM');
    await worker.done;
  }
  const applied = await json('apply', path, '--migrate');
  expect([applied.code, await names()]).toEqual([0, ['KV_answers', 'KV_osapi_ops', 'REQUESTS', 'requests_dlq']]);
});

needing('nats-server 2.12').test('an older server is told of, with the way by hand, and nothing is begun', async () => {
  const old = await startServer({ version: '2.12' });
  try {
    const at = async (...args: string[]) => runCli(args, { server: old, cwd });
    await at('apply', spec());
    const path = spec({ queue: 'storage: file' });
    const { stdout } = await at('plan', path, '--json');
    const { changes, findings } = JSON.parse(stdout);
    expect(changes.map(({ action }: { action: string }) => action)).toEqual(['replace', 'replace']);
    expect(findings[0]).toMatchObject({
      code: 'RISK_MIGRATE',
      severity: 'info',
      hint: expect.stringContaining('docs/how-to/immutable-field.md'),
    });
    const refused = await at('apply', path, '--migrate', '--json');
    // Whoever asked for a move reads why there is none before any flag that deletes.
    expect([refused.code, JSON.parse(refused.stdout).error]).toMatchObject([
      1,
      {
        code: 'RISK_REFUSED',
        message: expect.stringMatching(
          /^stream REQUESTS cannot be moved: on nats-server 2\.12\..* without --allow-replace/,
        ),
        hint: expect.stringMatching(/^update the server/),
      },
    ]);
    const renamed = await at('apply', spec({ name: 'NEW', queue: 'moved_from: REQUESTS' }), '--migrate', '--json');
    expect([renamed.code, JSON.parse(renamed.stdout).error.code]).toEqual([1, 'PLAN_REFUSED']);
  } finally {
    await old.stop();
  }
});
