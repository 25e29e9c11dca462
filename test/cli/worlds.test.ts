import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { BIN, cleanEnv, ROOT } from '../support/cli.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { availableVersions, startServer, type TestServer } from '../support/server.ts';
import { judgeAlone, judgeSystems, judgeTogether, judgeWire, type Reading } from '../worlds/laws.ts';
import { type Find, liveInWorlds, tellFind } from '../worlds/live.ts';
import { patiently, type Said } from '../worlds/person.ts';
import { Play } from '../worlds/play.ts';
import { doStep } from '../worlds/steps.ts';
import { type RawConsumer, type RawStream, readTruth, settled, stateOf, type Truth } from '../worlds/truth.ts';
import type { Queue, World } from '../worlds/world.ts';

const newest = availableVersions().at(-1)!;

test('a few generated worlds keep the laws; `npm run test:worlds` makes more', async () => {
  const wish = { version: newest, seed: 1, worlds: 2, steps: 5, shrinkMs: 20_000, ms: 60_000 };
  const { finds, steps, looks } = await liveInWorlds(wish);
  expect(finds.map((find) => tellFind(find, newest))).toEqual([]);
  expect({ steps, looks }).toMatchObject({ steps: expect.any(Number), looks: expect.any(Number) });
  expect(looks).toBeGreaterThan(3);
});

/** Types lines into a shell, against a server of its own. Gives what that holds then. */
async function type(lines: readonly string[]): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-worlds-'));
  const server = await startServer({ version: newest });
  const second = lines.some((line) => line.includes('SECOND_URL')) ? await startServer({ version: newest }) : undefined;
  const nc = await connect({ servers: server.url });
  try {
    writeFileSync(join(dir, 'osapi-ops'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`, { mode: 0o755 });
    symlinkSync(findNatsCli()!.path, join(dir, 'nats'));
    const env = cleanEnv({
      env: { CHECKOUT: ROOT, FIRST_URL: server.url, ...(second && { SECOND_URL: second.url }) },
    });
    const typed = spawn('bash', ['-c', lines.join('\n')], {
      cwd: dir,
      env: { ...env, PATH: `${dir}:${env.PATH}` },
      stdio: 'ignore',
    });
    await once(typed, 'exit');
    await settled(nc);
    return stateOf(await readTruth(nc));
  } finally {
    await nc.close();
    await server.stop();
    await second?.stop();
    rmSync(dir, { recursive: true });
  }
}

const WORLD: World = {
  made: 'by hand',
  retention: 'workqueue',
  discard: 'new',
  storage: 'memory',
  workers: [{ name: 'a', filters: [], maxDeliver: 1 }],
  dlq: 'both',
  responses: true,
  limits: 'few',
  copy: 'none',
  transform: false,
  schedules: false,
  beside: 'none',
  replicas: 1,
  servers: 1,
  file: 'one.yaml',
};

/** Lives in a world by these steps. */
async function live(world: World, steps: readonly (readonly [name: string, ...pick: number[]])[]) {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-worlds-'));
  const server = await startServer({ version: newest });
  const nc = await connect({ servers: server.url });
  try {
    const place = { nc, url: server.url, variable: 'FIRST_URL' as const };
    const [play] = await Play.open(server.version, join(dir, 'home'), world, place);
    for (const [name, ...pick] of steps) await doStep(play, name, [0, 0, ...pick]);
    await play.quiet();
    play.close();
    const find: Find = {
      law: 'planted',
      text: 'x\ny',
      lines: play.person.lines,
      seed: 1,
      state: stateOf(await play.read()),
    };
    return { find, seen: play.seen };
  } finally {
    await nc.close();
    await server.stop();
    rmSync(dir, { recursive: true });
  }
}

// What is hard to type among it: a kill between two writes, a word that the nats CLI has no flag for, what grew too old.
needing('the nats CLI').test('what is printed of a find, typed into a shell, is that world again', async () => {
  const { find, seen } = await live(WORLD, [
    ['publish', 0, 3, 3],
    ['terminate', 0, 0, 0],
    ['reject', 0, 0],
    ['die', 0, 1],
    ['giveBack', 0, 0],
    ['publish', 1, 1, 6],
    ['work', 0, 0, 1],
    ['answer', 0, 1],
    ['cut', 0, 0, 4],
    ['removeOne', 0],
    ['forge', 10, 0, 0],
    ['expire', 2],
  ]);
  expect(seen.get('replays killed')).toBe(1);
  expect(await type(tellFind(find, newest).split('\n'))).toBe(find.state);
});

test('a spec and what it makes are typed as well', async () => {
  const world: World = { ...WORLD, made: 'applied', limits: 'none' };
  const { find } = await live(world, [['publish', 0, 1, 0], ['send', 1], ['destroy'], ['apply'], ['publish', 0, 1, 0]]);
  expect(await type(tellFind(find, newest).split('\n'))).toBe(find.state);
});

needing('the nats CLI').test(
  'a law that is broken on purpose is found and printed, and what is printed is typed into a shell and is that world again',
  async () => {
    // Of this seed the first step is one.
    const wish = { version: newest, seed: 28, worlds: 1, ms: 60_000, shrinkMs: 1, plant: 'step: publish', finds: 1 };
    const { finds, seen } = await liveInWorlds(wish);
    expect(finds).toMatchObject([{ law: 'planted' }]);
    const printed = tellFind(finds[0]!, newest);
    expect(printed).toMatch(
      /^# nats-server .*planted: step: publish\n[\s\S]*\nexport NATS_URL=\$FIRST_URL\n[\s\S]*\nnats request /,
    );
    // And a run says to what it never came.
    expect(seen).toMatchObject({ 'step: expire': 0, 'replicas: 3': expect.any(Number) });
    expect(await type(printed.split('\n'))).toBe(finds[0]!.state);
  },
);

const said = (args: string, stdout: unknown, more: Partial<Said> = {}): Said => ({
  line: `osapi-ops ${args}`,
  code: 0,
  signal: null,
  stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout),
  stderr: '',
  ms: 100,
  ...more,
});

describe('a command by itself breaks a law', () => {
  test.each<[string, Partial<Reading>, readonly string[]]>([
    ['not at all', { said: said('dlq ls', []) }, []],
    ['by another exit code', { said: said('dlq ls', [], { code: 1 }) }, ['codes']],
    [
      'by a bug, whatever else it may end with',
      { said: said('dlq ls', [], { code: 70 }), codes: [0, 1] },
      ['codes', 'codes'],
    ],
    ['by a hang', { said: said('dlq ls', [], { ms: 60_000 }) }, ['time']],
    ['by a control character on stdout', { said: said('dlq ls', '\u001b[2J'), command: undefined }, ['clean']],
    ['by one on stderr', { said: said('dlq ls', [], { stderr: 'a\u0007' }) }, ['clean']],
    ['by a document that is none', { said: said('dlq ls', '[') }, ['schema']],
    ['by a key that no schema names', { said: said('dlq ls', [{ strange: 1 }]) }, ['schema']],
    [
      'by an error with the exit code of another',
      { said: said('dlq ls', { error: { code: 'NOT_FOUND', message: 'x' } }, { code: 2 }), codes: [0, 1, 2] },
      ['codes'],
    ],
  ])('%s', (_name, reading, laws) => {
    const faults = judgeAlone({ command: 'dlq ls', codes: [0], said: said('', []), ...reading });
    expect(faults.map(({ law }) => law)).toEqual(laws);
  });
});

describe('what got no answer in time', () => {
  const [well, slow, none] = [
    { ms: 900, code: 0 },
    { ms: 8000, code: 0 },
    { ms: 5200, code: 69 },
  ];
  test.each<[string, readonly (typeof well)[], number, number, typeof well]>([
    ['is a find where the machine is not busy', [none, well], 1, 0, none],
    ['is a find there also where it came late', [slow, well], 1, 0, slow],
    ['is asked again where it is', [none, slow, well], 1.2, 2, { ms: 750, code: 0 }],
    ['is a find where it never comes', [none, none, none, none], 3, 3, { ms: 5200 / 3, code: 69 }],
    ['is measured by how busy the machine is', [slow, slow], 2, 1, { ms: 4000, code: 0 }],
    [
      'is a find where it takes longer than that explains',
      Array(4).fill({ ms: 57_000, code: 0 }),
      4,
      3,
      { ms: 14_250, code: 0 },
    ],
  ])('%s', async (_name, answers, slowness, again, said) => {
    const left = [...answers];
    const asked = await patiently(
      async () => left.shift()!,
      async () => slowness,
    );
    expect(asked).toEqual({ said, again });
  });
});

const consumer = (more: Partial<RawConsumer> = {}): RawConsumer => ({
  name: 'a',
  created: '2026-01-01T00:00:00Z',
  filters: [],
  delivered: 0,
  floor: 0,
  pending: 0,
  inFlight: 0,
  maxDeliver: 1,
  ...more,
});
const truthOf = (stream: Partial<RawStream> = {}): Truth =>
  new Map([
    [
      'Q',
      {
        name: 'Q',
        created: '2026-01-01T00:00:00Z',
        retention: 'workqueue',
        subjects: ['q.*'],
        messages: [],
        consumers: [consumer()],
        config: {},
        ...stream,
      },
    ],
  ]);
const Q: Queue = {
  name: 'Q',
  subjects: ['q.a'],
  workers: [],
  dlqs: ['q_dlq'],
  bucket: 'responses',
  retention: 'workqueue',
};
const entry = (state: string) => ({ id: 'Q/a/1', queue: 'Q', state, request_id: 'm1' });
const reading = (name: string, stdout: unknown, code = 0): Reading => ({
  name,
  codes: [0, 1, 2],
  said: said(name, stdout, { code }),
});
const status = (dead: number | null, ready = 0, health = 'ok') => ({
  health,
  checks: [{ id: 'Q.dead', status: health, summary: '' }],
  queues: [{ name: 'Q', ready, in_flight: 0, dead }],
  drift: [],
});

test.each([
  [18, 0, 0],
  [19, 0, 1],
  [3, 1500, 0],
  [3, 1550, 1],
])(
  'a command that waits %i times for its server, and %i ms for nothing, breaks the law of time %i times',
  (waves, idleMs, faults) => {
    expect(judgeWire(said('dlq ls', []), { waves, idleMs })).toHaveLength(faults);
  },
);

describe('systems on two servers break a law', () => {
  const [well, bad] = [said('status', status(0)), said('status', status(1, 0, 'warn'), { code: 2 })];
  const all = (systems: readonly unknown[], code: number) => said('status a b', { systems }, { code });
  test.each<[string, Said, readonly string[]]>([
    ['not where all say what each says', all([status(0), status(1, 0, 'warn')], 2), []],
    ['by another figure', all([status(0), status(2, 0, 'warn')], 2), ['agree']],
    ['by an exit code that is not the worst', all([status(0), status(1, 0, 'warn')], 0), ['codes']],
  ])('%s', (_name, together, laws) => {
    expect(judgeSystems(together, [well, bad]).map(({ law }) => law)).toEqual(laws);
  });
});

/** A queue that keeps what was acked, and its DLQ. */
const keeping = (dlqCreated: string, stored = true): Truth =>
  new Map([
    ...truthOf({
      retention: 'limits',
      consumers: [consumer({ delivered: 1 })],
      messages: stored ? [{ seq: 1, subject: 'q.a', time: '2026-01-02T00:00:00Z', headers: '', payload: '' }] : [],
    }),
    ...[...truthOf({ name: 'q_dlq', created: dlqCreated }).values()].map((one) => [one.name, one] as const),
  ]);

describe('commands together break a law', () => {
  const waiting = truthOf({ consumers: [consumer({ pending: 1 })] });
  const unknown = [reading('ls', []), reading('status', status(null, 0, 'unknown'))];
  test.each<[string, readonly Reading[], readonly string[], Truth?, number?]>([
    ['not where they agree', [reading('ls', [entry('gone')]), reading('status', status(0))], []],
    ['by two counts of the dead', [reading('ls', [entry('replayable')]), reading('status', status(0))], ['agree']],
    ['by a count that is not the truth', [reading('ls', [])], ['dead'], truthOf(), 1],
    ['by a count of what waits', [reading('status', status(0, 0))], ['agree'], waiting],
    [
      'by statistics of another total',
      [reading('ls', [entry('gone')]), reading('stats', { total: 1, groups: [{ by: { queue: 'R' }, count: 1 }] })],
      ['agree'],
    ],
    [
      'by a dry run of fewer',
      [reading('ls', [entry('orphan')]), reading('dry replay Q', { entries: [], skipped: 0 })],
      ['agree'],
    ],
    [
      'by an empty DLQ with something in it',
      [reading('ls', [entry('replayable')]), reading('status', status(1, 0, 'warn'), 2), reading('empty', '')],
      ['empty'],
    ],
    [
      'by one that is not empty and should be',
      [reading('ls', [entry('gone')]), reading('status', status(0)), reading('empty', '', 2)],
      ['empty'],
    ],
    ['not where nothing tells', [...unknown, reading('empty', '', 2)], [], truthOf({ retention: 'limits' })],
    ['nor where a DLQ came too late to tell', unknown, [], keeping('2026-01-03T00:00:00Z')],
    ['by not knowing where a DLQ tells', unknown, ['agree'], keeping('2026-01-01T00:00:00Z')],
    ['by not knowing where nothing died before it', unknown, ['agree'], keeping('2026-01-03T00:00:00Z', false)],
    ['by not knowing of a work queue', unknown, ['agree']],
    ['by a drain that does not know', [reading('drain Q', { drained: true, dead: null })], ['agree']],
    ['by a figure of what nothing tells', [reading('status', status(0))], ['agree'], truthOf({ retention: 'limits' })],
    [
      'by an empty DLQ of what nothing tells',
      [...unknown, reading('empty', '')],
      ['empty'],
      truthOf({ retention: 'limits' }),
    ],
    ['by drained with something left', [reading('status', status(0, 1)), reading('drained', '')], ['drained'], waiting],
    ['by a drain that says so', [reading('drain Q', { drained: true, dead: 0 })], ['drained'], waiting],
    ['by a warning that fails nothing', [reading('status', status(0, 0, 'warn'))], ['codes']],
    [
      'by metrics of their own',
      [
        reading('ls', [entry('replayable')]),
        reading('status', status(1, 0, 'warn'), 2),
        reading(
          'prometheus',
          'osapi_ops_dead_messages{resource="Q",state="dead"} 1\nosapi_ops_dead_messages{resource="Q",state="rejected"} 1',
        ),
      ],
      ['agree'],
    ],
  ])('%s', (_name, readings, laws, truth = truthOf(), want) => {
    const faults = judgeTogether(readings, truth, [Q], new Map(want === undefined ? [] : [['Q', want]]));
    expect(faults.map(({ law }) => law)).toEqual(laws);
  });
});

describe('what is on the server breaks a law', () => {
  let server: TestServer;
  let nc: NatsConnection;
  let play: Play;
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-worlds-'));
  beforeAll(async () => {
    server = await startServer();
    nc = await connect({ servers: server.url });
  });
  afterAll(async () => {
    await nc.close();
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ['a message that is gone', 'lost', () => nc.request('$JS.API.STREAM.PURGE.Q', '{}')],
    ['a message that is there twice', 'doubled', () => nc.request('q.a', '{"id":"m1"}')],
  ])('by %s', async (_name, law, act) => {
    [play] = await Play.open(
      server.version,
      join(dir, 'home'),
      { ...WORLD, limits: 'none' },
      { nc, url: server.url, variable: 'FIRST_URL' },
    );
    await play.person.publish('q.a', '{"id":"m1"}');
    play.accept('m1', 'Q');
    await play.excuse('');
    await act();
    await expect(play.account(said('dlq replay', ''))).rejects.toMatchObject({ law });
    play.close();
  });
});
