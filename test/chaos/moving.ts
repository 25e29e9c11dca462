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
import type { Config } from '../../src/lib/model/json.ts';
import { MIGRATION_STEPS, type Migration, type MigrationStep } from '../../src/lib/model/migration.ts';
import { orThrow } from '../../src/lib/nats/answer.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { listConsumers, writeConsumer } from '../../src/lib/nats/consumers.ts';
import { readStream, streamNames, writeStream } from '../../src/lib/nats/streams.ts';
import { bundled } from '../support/bundled.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { randomFrom } from './random.ts';

// A queue that is moved while it works, and killed at every write of that: publishers try again as clients do, and now
// and then publish once more what was accepted; a worker answers, and fails for some for good. In the end each accepted
// request is answered, or dead, once; what died in the old queue is a dead letter of the new one.

export type Way = 'same' | 'rename' | 'consumer';

export interface Moving {
  readonly version: string;
  readonly seed: number;
  /** How often the migration is killed, in all. */
  readonly kills: number;
  readonly nodes?: number;
  /** Of so many kills one is the server's. 0: never. */
  readonly serverEach?: number;
  readonly ways?: readonly Way[];
  /** Kills are aimed at these; at all where left out. */
  readonly steps?: readonly string[];
  /** What anybody would try, to see that it is seen. */
  readonly naive?: boolean;
}

/** The steps of each way, in their order. */
const STEPS_OF: Readonly<Record<Way, readonly MigrationStep[]>> = {
  same: MIGRATION_STEPS.filter((step) => step !== 'removed' && step !== 'made'),
  rename: ['intended', 'copying', 'parked', 'promoted', 'done'],
  consumer: ['intended', 'removed', 'made', 'done'],
};
/** A step, or `undo` on the way back. */
type Hits = Readonly<Record<string, number>>;

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
    await sleep(world.random() * 12);
  }
  await sleep(WINDOW_MS);
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

const queueConfig = (name: string, nodes: number): Config => ({
  name,
  subjects: ['jobs.*'],
  retention: 'workqueue',
  discard: 'new',
  storage: 'file',
  duplicate_window: WINDOW_MS * 1e6,
  num_replicas: nodes,
});

const consumerConfig = (name: string, nodes: number): Config => ({
  durable_name: name,
  name,
  ack_policy: 'explicit',
  max_deliver: 2,
  ack_wait: ackWaitMs(nodes) * 1e6,
  filter_subject: 'jobs.*',
});

async function plan(world: World, nats: Nats, way: Way, nodes: number, index: number): Promise<Migration> {
  const stream = await orThrow(readStream(nats, world.queue));
  const consumers = await orThrow(listConsumers(nats, world.queue));
  const other = `${world.consumer.replace(/\d*$/, '')}${index}`;
  const name = way === 'rename' ? `JOBS${index}` : world.queue;
  const isConsumer = way === 'consumer';
  const planned = planMigration({
    kind: isConsumer ? 'consumer' : 'stream',
    name: isConsumer ? `${world.queue}/${other}` : name,
    from: isConsumer ? `${world.queue}/${world.consumer}` : world.queue,
    fields: [way === 'same' ? 'persist_mode' : 'name'],
    version: world.server.version,
    clustered: nodes > 1,
    stream,
    after: queueConfig(name, nodes),
    consumers: consumers.map((info) => ({
      ...info,
      ...(isConsumer && { to: other, after: consumerConfig(other, nodes) }),
    })),
    dlqs: [{ stream: 'dlq', subjects: dlqSubjects(name, ['max_deliveries', 'terminated']) }],
    others: [],
    streams: await orThrow(streamNames(nats)),
  });
  if (planned.is === 'refused') throw new Error(JSON.stringify(planned.refusals));
  return planned.migration;
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
        if (MIRRORED.has(stepIn(out) ?? from)) forgetLast(world, killedAt);
        await sleep(200);
        await world.server.restart();
        world.deaths += 1;
      })();
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

export async function playMoving(options: Moving): Promise<MovingReport> {
  const { version, seed, kills, nodes = 1, serverEach = 0, naive = false } = options;
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
    client: {},
    server: {},
  };
  if (!atLeast(version, LEAST_SERVER)) return { ...none, faults: [] };
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
    deaths: 0,
    publishing: true,
    working: true,
  };
  const hits = { client: new Map<string, number>(), server: new Map<string, number>() };
  const faults: string[] = [];
  let [moves, undone, killed, serverKills] = [0, 0, 0, 0];
  const nats = await connectTo(server, { timeout: '20s' });
  try {
    await writeStream(nats, 'create', 'dlq', { name: 'dlq', subjects: DLQ('JOBS'), num_replicas: nodes });
    await writeStream(nats, 'create', 'JOBS', queueConfig('JOBS', nodes));
    await writeConsumer(nats, 'create', { stream: 'JOBS', consumer: 'w' }, consumerConfig('w', nodes));
    const actors = [publishAll(world, 'a'), publishAll(world, 'b'), workAll(world), workAll(world)];
    await sleep(1000);
    const ways: readonly Way[] = options.ways ?? ['same', 'rename', 'consumer'];
    while (killed < kills || moves === 0) {
      const way = ways[moves % ways.length]!;
      const migration = await plan(world, nats, way, nodes, moves + 1);
      const file = join(dir, 'migration.json');
      writeFileSync(file, JSON.stringify(migration));
      const end = async (): Promise<'moved' | 'undone'> => {
        for (let round = 0; round < 40; round++) {
          const [unfinished] = await findUnfinished(nats);
          const step = unfinished?.step;
          const mode = naive ? 'naive' : unfinished?.canUndo && random() * UNDO_EACH < 1 ? 'undo' : 'go';
          const isOver = killed >= kills || naive;
          const isServer = serverEach > 0 && random() * serverEach < 1;
          const tally = isServer ? hits.server : hits.client;
          const hitsOf = (step: string) => tally.get(step) ?? 0;
          // Where nothing was killed yet, of the steps that are to come.
          const ahead = STEPS_OF[way].slice(Math.max(0, STEPS_OF[way].indexOf(step as MigrationStep)));
          const aims = ahead.filter((each) => options.steps?.includes(each) ?? true);
          const rarest = (aims.length > 0 ? aims : ahead).reduce((least, each) =>
            hitsOf(each) < hitsOf(least) ? each : least,
          );
          const most = MOST_WRITES[Math.floor(random() * MOST_WRITES.length)]!;
          const kill = {
            at: isOver ? 0 : 1 + Math.floor(random() * most),
            aim: mode === 'undo' ? '' : rarest,
            how: isServer ? 'server' : random() < 0.5 ? 'before' : 'after',
            delayMs: random() * 30,
          };
          const told = await run(world, mode, file, kill, step);
          const { isDone, out, isKilled, at } = told;
          serverKills += told.serverKills;
          const isHit = (isKilled && !isDone) || told.serverKills > 0;
          if (isHit) {
            killed += 1;
            tally.set(at, hitsOf(at) + 1);
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
      else if (way === 'rename') world.queue = migration.name;
      else if (way === 'consumer') world.consumer = migration.consumers[0]!.to;
      await sleep(300);
    }
    world.publishing = false;
    await sleep(WINDOW_MS);
    const { dead, left, unknown } = await settled(world, nats);
    world.working = false;
    await Promise.all(actors);
    faults.push(...left, ...check(world, dead));
    const again = [...world.forgotten.keys()].filter(
      (id) => timesOf(world, dead, id) > 1 && !world.unsure.has(id),
    ).length;
    const { accepted, answers } = world;
    return {
      ...{ moves, undone, kills: killed, serverKills, faults },
      client: Object.fromEntries(hits.client),
      server: Object.fromEntries(hits.server),
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
