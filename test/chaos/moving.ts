import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, createInbox, headers, type NatsConnection } from '@nats-io/transport-node';
import { scanEntries } from '../../src/lib/dlq/scan.ts';
import { dlqSubjects } from '../../src/lib/facts/names.ts';
import { atLeast } from '../../src/lib/facts/versions.ts';
import { LEAST_SERVER, planMigration } from '../../src/lib/migrate/plan.ts';
import { findUnfinished } from '../../src/lib/migrate/read.ts';
import { clock } from '../../src/lib/migrate/run.ts';
import type { Config } from '../../src/lib/model/json.ts';
import { MIGRATION_STEPS, type Migration, type MigrationStep } from '../../src/lib/model/migration.ts';
import { orThrow } from '../../src/lib/nats/answer.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { listConsumers, writeConsumer } from '../../src/lib/nats/consumers.ts';
import { getMessage } from '../../src/lib/nats/messages.ts';
import { readStream, streamNames, writeStream } from '../../src/lib/nats/streams.ts';
import { bundled } from '../support/bundled.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { randomFrom } from './random.ts';

// A queue that is moved while it works, and killed at every write of that: publishers try again as clients do, and now
// and then publish once more what was accepted; a worker answers, and fails for some for good. In the end each accepted
// request is answered, or dead, once; what died in the old queue is a dead letter of the new one.

export const WAYS = ['storage', 'rename', 'consumer', 'bucket', 'named bucket', 'retention'] as const;
export type Way = (typeof WAYS)[number];
export const KINDS = ['client', 'server'] as const;
type Kind = (typeof KINDS)[number];

export interface Moving {
  readonly version: string;
  readonly seed: number;
  /** How often somebody is killed, in all; where left out, until each kind was at each step of each way. */
  readonly kills?: number;
  readonly nodes?: number;
  /** Who is killed: whoever moves, or a server. */
  readonly kinds?: readonly Kind[];
  readonly ways?: readonly Way[];
  /** How often somebody was killed at each step before, which counts for where to aim. */
  readonly before?: readonly { readonly client: Hits; readonly server: Hits }[];
  /** After so long nobody is killed any more, in milliseconds. */
  readonly ms?: number;
  /** What anybody would try, to see that it is seen. */
  readonly naive?: boolean;
}

/** The steps of each way, in their order. */
const TWO_HOPS = MIGRATION_STEPS.filter((step) => step !== 'removed' && step !== 'made');
const ONE_HOP = ['intended', 'copying', 'parked', 'promoted', 'done'] as const;
export const STEPS_OF: Readonly<Record<Way, readonly MigrationStep[]>> = {
  storage: TWO_HOPS,
  retention: TWO_HOPS,
  rename: ONE_HOP,
  consumer: ['intended', 'removed', 'made', 'done'],
  bucket: TWO_HOPS,
  'named bucket': ONE_HOP,
};
/** By the way, and a step of it, or `undo` on the way back. */
type Hits = Readonly<Record<string, number>>;
export const hitAt = (way: Way, step: string): string => `${way}: ${step}`;

export interface MovingReport {
  readonly moves: number;
  readonly undone: number;
  readonly kills: number;
  readonly serverKills: number;
  readonly accepted: number;
  readonly answered: number;
  readonly dead: number;
  /** Requests that a killed server gave out again, whose ack it had not written. */
  readonly again: number;
  /** Answered, and in the DLQ as `unknown: answered, or dead`: a copy had to be dropped before it confirmed them. */
  readonly unknown: number;
  /** How often whoever moved was killed at each step, and how often the server was. */
  readonly client: Hits;
  readonly server: Hits;
  readonly faults: readonly string[];
}

const WINDOW_MS = 1500;
/** A cluster on one machine may be slow to confirm. */
const ackWaitMs = (nodes: number): number => (nodes > 1 ? 3000 : 700);
/** On coming to a step, near that, or well within it: each dead letter is a write of its own. */
const MOST_WRITES = [1, 1, 3, 16];
/** Of so many chances one is taken to go back. */
const UNDO_EACH = 4;

interface World {
  readonly server: TestServer;
  /** The program that moves. */
  readonly child: string;
  readonly random: () => number;
  readonly accepted: Map<string, number>;
  /** How often the answer to a request was acknowledged, and the server said so. */
  readonly answers: Map<string, number>;
  /** When it said so last. */
  readonly answeredAt: Map<string, number>;
  /** Of these nobody knows: the server died under them. */
  readonly unsure: Set<string>;
  /** So often a server that was killed may have forgotten their ack, and give them out once more. */
  readonly forgotten: Map<string, number>;
  /** Fails for good. */
  readonly failing: (id: string) => boolean;
  queue: string;
  consumer: string;
  bucket: string;
  /** As the queue is, and the bucket, but for their names. */
  config: Config;
  keys: Config;
  /** Whether it keeps what was answered, or is about to. */
  keepsAll: boolean;
  /** What of each key was written, and the server said so: its value by its revision. */
  readonly values: Map<string, Map<number, string>>;
  /** Counts the server's deaths. */
  deaths: number;
  publishing: boolean;
  working: boolean;
}

const dial = ({ server }: World): Promise<NatsConnection> =>
  connect({ servers: [...server.urls], maxReconnectAttempts: -1, reconnectTimeWait: 100, waitOnFirstConnect: true });

async function publishAll(world: World, name: string): Promise<void> {
  const nc = await dial(world);
  const put = async (id: string): Promise<boolean> => {
    const hdrs = headers();
    hdrs.set('Nats-Msg-Id', id);
    const answer = (await nc.request('jobs.a', JSON.stringify({ id }), { headers: hdrs, timeout: 1000 })).json<{
      seq?: number;
      error?: unknown;
    }>();
    return !answer.error && Boolean(answer.seq);
  };
  for (let index = 0; world.publishing; index++) {
    const id = `${name}-${index}`;
    const first = performance.now();
    for (let tries = 0; ; tries++) {
      if (!world.working) return nc.close();
      const { deaths } = world;
      try {
        if (await put(id)) break;
      } catch {
        // As any client: nobody knows whether it is stored. What the server knew of it dies with it.
        if (deaths !== world.deaths || tries > 0) world.unsure.add(id);
      }
      // An id is remembered so long; whoever tries longer may be stored twice without a move as well.
      if (performance.now() - first > WINDOW_MS / 2) world.unsure.add(id);
      await sleep(5 + world.random() * 20);
    }
    world.accepted.set(id, performance.now());
    // Some retry though it was accepted: their answer was lost.
    const { deaths } = world;
    if (deaths === 0 && world.random() < 0.15) {
      const until = performance.now() + WINDOW_MS / 3;
      void (async () => {
        await sleep(world.random() * (WINDOW_MS / 4));
        while (performance.now() < until && world.deaths === 0) {
          if (await put(id).catch(() => false)) break;
          await sleep(10);
        }
        // What the server forgot when it died is stored once more, moved or not.
        if (world.deaths > 0) world.unsure.add(id);
      })();
    }
    await sleep(world.random() * 30);
  }
  await sleep(WINDOW_MS);
  await nc.close();
}

/** Whoever writes into a bucket that gets another name is told the new one: it tries both. */
async function writeKeys(world: World, names: () => readonly string[]): Promise<void> {
  const nc = await dial(world);
  const lasting = headers();
  lasting.set('Nats-TTL', '1h');
  for (let index = 0; world.publishing; index++) {
    const key = `k${index % 7}`;
    const value = JSON.stringify({ index });
    for (let tries = 0; ; tries++) {
      if (!world.working) return nc.close();
      const all = names();
      const answer = await nc
        .request(`$KV.${all[tries % all.length]}.${key}`, value, { timeout: 1000, headers: lasting })
        .then((message) => message.json<{ seq?: number; error?: unknown }>())
        .catch(() => undefined);
      const revisions = world.values.get(key) ?? new Map<number, string>();
      if (answer?.seq !== undefined && !answer.error) {
        world.values.set(key, revisions.set(answer.seq, value));
        break;
      }
      await sleep(5 + world.random() * 20);
    }
    await sleep(world.random() * 40);
  }
  await nc.close();
}

async function workAll(world: World): Promise<void> {
  const nc = await dial(world);
  while (world.working) {
    const inbox = createInbox();
    const sub = nc.subscribe(inbox);
    const timer = setTimeout(() => sub.unsubscribe(), 700);
    try {
      const { queue, consumer, deaths } = world;
      const wanted = JSON.stringify({ batch: 10, expires: 300e6 });
      nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${queue}.${consumer}`, wanted, { reply: inbox });
      const pulled = performance.now();
      let left = 10;
      for await (const message of sub) {
        if (message.headers?.code || message.data.length === 0) break;
        left -= 1;
        const { id } = message.json<{ id: string }>();
        if (world.failing(id)) message.respond('-NAK');
        else {
          try {
            await nc.request(message.reply!, '+ACK', { timeout: 1000 });
            world.answers.set(id, (world.answers.get(id) ?? 0) + 1);
            world.answeredAt.set(id, performance.now());
            // Another got it meanwhile, as it should.
            const isLate = performance.now() - pulled > ackWaitMs(world.server.pids.length) * 0.8;
            if (deaths !== world.deaths || isLate) world.unsure.add(id);
          } catch {
            world.answers.set(id, (world.answers.get(id) ?? 0) + 1);
            world.unsure.add(id);
          }
        }
        if (left === 0) break;
      }
    } catch {
      await sleep(30);
    } finally {
      clearTimeout(timer);
      sub.unsubscribe();
    }
    await sleep(10);
  }
  await nc.close();
}

const queueConfig = (nodes: number): Config => ({
  subjects: ['jobs.*'],
  retention: 'workqueue',
  discard: 'new',
  storage: 'file',
  duplicate_window: WINDOW_MS * 1e6,
  num_replicas: nodes,
});

const HISTORY = 5;
const keysConfig = (nodes: number): Config => ({
  max_msgs_per_subject: HISTORY,
  discard: 'new',
  deny_delete: true,
  allow_rollup_hdrs: true,
  allow_direct: true,
  allow_msg_ttl: true,
  storage: 'file',
  num_replicas: nodes,
});
const bucketConfig = (bucket: string, keys: Config): Config => ({
  ...keys,
  name: `KV_${bucket}`,
  subjects: [`$KV.${bucket}.>`],
});

const consumerConfig = (name: string, nodes: number): Config => ({
  durable_name: name,
  name,
  ack_policy: 'explicit',
  max_deliver: 2,
  ack_wait: ackWaitMs(nodes) * 1e6,
  filter_subject: 'jobs.*',
});

/** What is asked of each: what is in memory dies with a server that is alone. */
function changeOf({ config, keys }: World, way: Way, mayForget: boolean): { fields: string[]; change: Config } {
  const other = ({ storage }: Config) => (storage === 'memory' ? 'file' : 'memory');
  switch (way) {
    case 'storage':
    case 'bucket':
      return mayForget
        ? { fields: ['persist_mode'], change: {} }
        : { fields: ['storage'], change: { storage: other(way === 'bucket' ? keys : config) } };
    case 'retention':
      return { fields: ['retention'], change: { retention: config.retention === 'limits' ? 'workqueue' : 'limits' } };
    default:
      return { fields: ['name'], change: {} };
  }
}

async function plan(world: World, nats: Nats, way: Way, { nodes = 1, kinds = KINDS }: Moving, index: number) {
  const isBucket = way === 'bucket' || way === 'named bucket';
  const isConsumer = way === 'consumer';
  const name = isBucket ? `KV_${world.bucket}` : world.queue;
  const { fields, change } = changeOf(world, way, nodes === 1 && kinds.includes('server'));
  const [stream, consumers] = await Promise.all([orThrow(readStream(nats, name)), orThrow(listConsumers(nats, name))]);
  const other = `${world.consumer.replace(/\d*$/, '')}${index}`;
  const to = way === 'rename' ? `JOBS${index}` : way === 'named bucket' ? `b${index}` : undefined;
  const planned = planMigration({
    ...(isBucket
      ? {
          kind: 'bucket',
          name: to ?? world.bucket,
          from: world.bucket,
          after: bucketConfig(to ?? world.bucket, { ...world.keys, ...change }),
        }
      : isConsumer
        ? { kind: 'consumer', name: `${name}/${other}`, from: `${name}/${world.consumer}`, after: {} }
        : { kind: 'stream', name: to ?? name, from: name, after: { ...world.config, ...change, name: to ?? name } }),
    fields,
    version: world.server.version,
    clustered: nodes > 1,
    stream,
    consumers: consumers.map((info) => ({
      ...info,
      ...(isConsumer && { to: other, after: consumerConfig(other, nodes) }),
    })),
    dlqs: isBucket ? [] : [{ stream: 'dlq', subjects: DLQ(to ?? name) }],
    others: [],
    streams: await orThrow(streamNames(nats)),
  });
  if (planned.is === 'refused') throw new Error(JSON.stringify(planned.refusals));
  return { migration: planned.migration, change };
}

/** What the world is called, and is, once that is moved. */
function moved(world: World, way: Way, { name, consumers }: Migration, change: Config): void {
  if (way === 'bucket') world.keys = { ...world.keys, ...change };
  else world.config = { ...world.config, ...change };
  if (way === 'rename') world.queue = name;
  if (way === 'named bucket') world.bucket = name;
  if (way === 'consumer') world.consumer = consumers[0]!.to;
}

/**
 * A server writes the state of a consumer ten times a second. While a mirror of a work queue has not confirmed a message,
 * that is all there is of its ack: killed with -9 it gives those of its last 100 ms again, moved or not (2.14, 2.15).
 * Nothing else excuses a move: not where no mirror reads the queue, not older acks, and not more than once for each kill.
 */
const UNWRITTEN_MS = 250;
const MIRRORED: ReadonlySet<string> = new Set(['copying', 'parked', 'undo']);
function forgetLast({ answeredAt, forgotten }: World, killedAt: number): void {
  for (const [id, at] of answeredAt) if (at >= killedAt - UNWRITTEN_MS) forgotten.set(id, (forgotten.get(id) ?? 0) + 1);
}

/** Runs the child to its end; it dies where it is told to, or the server does. */
async function run(
  world: World,
  mode: string,
  file: string,
  kill: { at: number; aim: string; how: string; delayMs: number },
  from = 'intended',
) {
  const argv = [world.child, world.server.url, mode, file, `${kill.at}`, kill.aim, kill.how, `${kill.delayMs}`];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  let restarted: Promise<void> | undefined;
  let serverKills = 0;
  child.stdout.on('data', (data) => {
    out += String(data);
    if (!restarted && out.includes('server\n')) {
      serverKills += 1;
      world.deaths += 1;
      restarted = (async () => {
        const { pids } = world.server;
        const node = pids.length > 1 ? Math.floor(world.random() * pids.length) : undefined;
        const killedAt = performance.now();
        await world.server.kill('SIGKILL', node);
        // What keeps all keeps nothing else of an ack, mirrored or not.
        if (MIRRORED.has(stepIn(out) ?? from) || world.keepsAll) forgetLast(world, killedAt);
        // Now and then it is power that fails: whoever moves goes with it.
        if (world.random() < 0.7) child.kill('SIGKILL');
        await sleep(200);
        await world.server.restart();
        world.deaths += 1;
      })();
      // It is waited for below.
      restarted.catch(() => {});
    }
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on('exit', resolve);
  });
  await restarted;
  // What it said before it died, or the server did, which it may survive.
  const [before = ''] = out.split('server\n');
  return { out, isDone: out.includes('done '), serverKills, isKilled: code === null, at: stepIn(before) ?? from };
}

/** The last step that it said it had come to. */
const stepIn = (out: string): string | undefined => [...out.matchAll(/^at (\w+)$/gm)].at(-1)?.[1];

const DLQ = (queue: string): string[] => dlqSubjects(queue, ['max_deliveries', 'terminated']);

/** The ends of a world that was asked for no number of kills. */
const MOST_MOVES = 60;

export async function playMoving(options: Moving): Promise<MovingReport> {
  const { version, seed, nodes = 1, kinds = KINDS, ways = WAYS, naive = false } = options;
  const hits = {
    client: Object.create(null) as Record<string, number>,
    server: Object.create(null) as Record<string, number>,
  };
  const none = {
    moves: 0,
    undone: 0,
    kills: 0,
    serverKills: 0,
    accepted: 0,
    answered: 0,
    dead: 0,
    again: 0,
    unknown: 0,
  };
  if (!atLeast(version, LEAST_SERVER)) return { ...none, ...hits, faults: [] };
  const random = randomFrom(seed);
  const server = await startServer({ version, ...(nodes > 1 && { cluster: nodes }) });
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-moving-'));
  const world: World = {
    server,
    child: bundled(new URL('./moving-child.ts', import.meta.url)),
    random,
    accepted: new Map(),
    answers: new Map(),
    answeredAt: new Map(),
    unsure: new Set(),
    forgotten: new Map(),
    failing: (id) => Number(id.split('-')[1]) % 23 === 7,
    queue: 'JOBS',
    consumer: 'w',
    bucket: 'b',
    config: queueConfig(nodes),
    keys: keysConfig(nodes),
    keepsAll: false,
    values: new Map(),
    deaths: 0,
    publishing: true,
    working: true,
  };
  const faults: string[] = [];
  let [moves, undone, killed, serverKills] = [0, 0, 0, 0];
  const timesAt = (kind: Kind, way: Way, step: string) =>
    [hits, ...(options.before ?? [])].reduce((sum, each) => sum + (each[kind][hitAt(way, step)] ?? 0), 0);
  /** Where nobody was killed yet. */
  const missed = (way: Way) =>
    kinds.flatMap((kind) =>
      [...STEPS_OF[way], 'undo']
        .filter((step) => timesAt(kind, way, step) === 0)
        .map((step) => `${kind} at ${way} ${step}`),
    );
  const isLate = clock(options.ms ?? Number.POSITIVE_INFINITY);
  const isOver = () =>
    isLate() || (options.kills === undefined ? ways.every((way) => missed(way).length === 0) : killed >= options.kills);
  // From where all is kept only one way leads on; in a cluster none.
  const nextWay = (): Way => {
    if (world.config.retention === 'limits') return 'retention';
    const left = isOver() || options.kills !== undefined ? ways : ways.filter((way) => missed(way).length > 0);
    return left[moves % left.length]!;
  };
  const nats = await connectTo(server, { timeout: '20s' });
  try {
    await writeStream(nats, 'create', 'dlq', { name: 'dlq', subjects: DLQ('JOBS'), num_replicas: nodes });
    await writeStream(nats, 'create', 'JOBS', { ...world.config, name: 'JOBS' });
    await writeConsumer(nats, 'create', { stream: 'JOBS', consumer: 'w' }, consumerConfig('w', nodes));
    await writeStream(nats, 'create', 'KV_b', bucketConfig('b', world.keys));
    let called = ['b'];
    const actors = [
      ...[publishAll(world, 'a'), publishAll(world, 'b'), workAll(world), workAll(world)],
      writeKeys(world, () => called),
    ];
    await sleep(1000);
    while (moves === 0 || (!isOver() && moves < MOST_MOVES)) {
      if (nodes > 1 && world.config.retention === 'limits') break;
      const way = nextWay();
      const { migration, change } = await plan(world, nats, way, options, moves + 1);
      world.keepsAll = [world.config, change].some(({ retention }) => retention === 'limits');
      if (migration.kind === 'bucket') called = [...new Set([migration.from, migration.name])];
      const file = join(dir, 'migration.json');
      writeFileSync(file, JSON.stringify(migration));
      const end = async (): Promise<'moved' | 'undone'> => {
        for (let round = 0; round < 60; round++) {
          const [unfinished] = await findUnfinished(nats);
          const step = unfinished?.step;
          const isLeft = missed(way).every((each) => each.endsWith(' undo'));
          const mayGoBack = options.kills !== undefined || kinds.some((kind) => timesAt(kind, way, 'undo') === 0);
          const isBack =
            !naive && unfinished?.canUndo && mayGoBack && (random() * UNDO_EACH < 1 || (!isOver() && isLeft));
          const mode = naive ? 'naive' : isBack ? 'undo' : 'go';
          // Where the fewest were killed, of what is to come.
          const ahead = STEPS_OF[way].slice(Math.max(0, STEPS_OF[way].indexOf(step as MigrationStep)));
          const [aimed, kind] = (isBack ? ['undo'] : ahead)
            .flatMap((each) => kinds.map((kind) => [each, kind] as const))
            .reduce((least, each) =>
              timesAt(each[1], way, each[0]) < timesAt(least[1], way, least[0]) ? each : least,
            );
          const isKnown = options.kills === undefined && timesAt(kind, way, aimed) > 0;
          const most = MOST_WRITES[Math.floor(random() * MOST_WRITES.length)]!;
          const kill = {
            at: isOver() || isKnown || naive ? 0 : 1 + Math.floor(random() * most),
            aim: isBack ? '' : aimed,
            how: `${kind === 'server' ? 'server-' : ''}${random() < 0.5 ? 'before' : 'after'}`,
            delayMs: 3 + random() * 30,
          };
          const told = await run(world, mode, file, kill, step);
          const { isDone, out, isKilled, at } = told;
          serverKills += told.serverKills;
          if ((isKilled && !isDone) || told.serverKills > 0) {
            killed += 1;
            hits[kind][hitAt(way, at)] = (hits[kind][hitAt(way, at)] ?? 0) + 1;
          }
          if (isDone) return mode === 'undo' ? 'undone' : 'moved';
          const [now] = await findUnfinished(nats);
          if (now?.step === 'unknown') faults.push(`a step nobody knows, after ${mode}: ${out}`);
          if (!now && mode === 'undo') return 'undone';
          if (!now && mode === 'go' && unfinished) return 'moved';
          // A machine that is too busy to answer in time breaks no law: it goes on from there.
          if (/failed (?!no answer)/.test(out) && told.serverKills === 0) faults.push(`${way} ${mode}: ${out}`);
        }
        throw new Error('it does not come to an end');
      };
      const how = await end();
      moves += 1;
      if (how === 'undone') undone += 1;
      else moved(world, way, migration, change);
      await sleep(300);
    }
    world.publishing = false;
    await sleep(WINDOW_MS);
    const { dead, left, unknown } = await settled(world, nats);
    world.working = false;
    await Promise.all(actors);
    faults.push(...left, ...check(world, dead), ...(await checkKeys(world, nats)));
    const again = [...world.forgotten.keys()].filter(
      (id) => timesOf(world, dead, id) > 1 && !world.unsure.has(id),
    ).length;
    const { accepted, answers } = world;
    return {
      ...{ moves, undone, kills: killed, serverKills, faults },
      ...hits,
      accepted: accepted.size,
      answered: answers.size,
      dead: dead.length,
      again,
      unknown,
    };
  } finally {
    world.publishing = false;
    world.working = false;
    await nats.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Waits until nothing is left to do; gives the ids of the dead, as `dlq ls` has them, and what is left all the same. */
async function settled(world: World, nats: Nats): Promise<{ dead: string[]; left: string[]; unknown: number }> {
  const left: string[] = [];
  // As long as it gets less: a busy machine is slow.
  for (let [until, least] = [performance.now() + 60_000, Number.POSITIVE_INFINITY]; ; await sleep(200)) {
    const info = (await orThrow(listConsumers(nats, world.queue))).find(({ name }) => name === world.consumer);
    const { num_pending = 1, num_ack_pending = 1 } = info?.figures ?? {};
    if (num_pending + num_ack_pending === 0) break;
    if (num_pending < least) [until, least] = [performance.now() + 60_000, num_pending];
    if (performance.now() < until) continue;
    left.push(
      `not drained: ${JSON.stringify([world.queue, info, (await orThrow(readStream(nats, world.queue))).figures])}`,
    );
    break;
  }
  const ref = { queue: world.queue, dlq: 'dlq', dlqs: ['dlq'], consumers: [world.consumer] };
  const dead: string[] = [];
  let unknown = 0;
  for await (const entry of scanEntries(
    nats,
    [ref],
    { states: ['replayable', 'parked', 'orphan'] },
    { details: true },
  )) {
    const id = entry.request_id ?? entry.id;
    // Said to be so: nobody replays it unawares.
    if (entry.detail?.startsWith('unknown: ') && world.answers.has(id)) unknown += 1;
    else dead.push(id);
  }
  return { dead, left, unknown };
}

/** How often a request came to an end. */
const timesOf = ({ answers }: World, dead: readonly string[], id: string): number =>
  (answers.get(id) ?? 0) + dead.filter((one) => one === id).length;

/** Each accepted request is answered, or dead, and that once. */
function check(world: World, dead: readonly string[]): string[] {
  const faults: string[] = [];
  const deaths = Map.groupBy(dead, (id) => id);
  for (const id of world.accepted.keys()) {
    const [answered, died] = [world.answers.get(id) ?? 0, deaths.get(id)?.length ?? 0];
    const most = 1 + (world.forgotten.get(id) ?? 0);
    if (answered + died === 0) faults.push(`lost: ${id}${world.failing(id) ? ', which fails' : ''}`);
    else if (answered + died > most && !world.unsure.has(id))
      faults.push(`doubled: ${id} was answered ${answered} times and died ${died} times`);
  }
  for (const id of dead) if (!world.accepted.has(id)) faults.push(`dead and never accepted: ${id}`);
  return faults;
}

/** What was written last of each key is its newest, and all that the history keeps has its revision and its TTL. */
async function checkKeys({ values, bucket }: World, nats: Nats): Promise<string[]> {
  const faults: string[] = [];
  for (const [key, revisions] of values) {
    const written = [...revisions].sort(([a], [b]) => b - a);
    const latest = await nats.kv(bucket).latest(key);
    if (latest?.revision !== written[0]?.[0])
      faults.push(`lost: key ${key} is at ${latest?.revision}, not ${written[0]?.[0]}`);
    // A write that was tried again without an answer may be there twice: so many are there in any case.
    for (const [seq, value] of written.slice(0, HISTORY - 2)) {
      const message = await getMessage(nats, `KV_${bucket}`, seq, { fromLeader: true });
      const isThere = message !== undefined && new TextDecoder().decode(message.payload) === value;
      const lasts = message !== undefined && new TextDecoder().decode(message.headers).includes('Nats-TTL');
      if (!isThere || !lasts) faults.push(`lost: key ${key}, revision ${seq}${isThere ? ', has no TTL' : ''}`);
    }
  }
  return faults;
}
