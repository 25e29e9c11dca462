import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  advisorySubject,
  bucketStream,
  LEDGER_BUCKET,
  REJECT_HEADER,
  rejectedSubject,
} from '../../src/lib/facts/names.ts';
import { forgetNothing, readJournal } from '../../src/lib/ledger/journal.ts';
import { isObject } from '../../src/lib/model/json.ts';
import { orThrow } from '../../src/lib/nats/answer.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { headerValue, parseHeaders } from '../../src/lib/nats/raw-headers.ts';
import { removeNothing } from '../../src/lib/nats/removal.ts';
import { readSubjects } from '../../src/lib/nats/streams.ts';
import { type Away, startAway } from '../support/away.ts';
import { bundled } from '../support/bundled.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { publishRequests, reject, type Stage, work } from './actors.ts';
import { check, type Findings, type Life } from './checker.ts';
import type { ProtocolName } from './child.ts';
import { randomFrom } from './random.ts';
import { openWiretap, RECORDS_TAP, TAP, type Wiretap } from './wiretap.ts';

export interface Scenario {
  /** A server line, as `2.12`. */
  readonly version: string;
  /** Requests are published until the last kill; so many at most are without an answer. */
  readonly outstanding?: number;
  /** How often a replay is killed. */
  readonly kills: number;
  /** How often a replay is stopped, goes on beside the one that took its lock meanwhile, and is waited for. */
  readonly stops?: number;
  /** How often the queue, its DLQ or the ledger is deleted and made again in the middle of a replay. */
  readonly remakes?: number;
  /** The queue's duplicate_window in milliseconds: ten minutes where left out. */
  readonly windowMs?: number;
  /** After so many steps of its messages a replay kills itself; at a random moment where left out. */
  readonly killAfterSteps?: number;
  /** Messages under way at once in a replay that is killed; 1, 4 or 32 by chance where left out. */
  readonly inFlight?: number;
  /** The queue holds no more than so many: publishers fight for every slot. */
  readonly maxMessages?: number;
  /** The account has so many bytes, and something else fills it to the last one before each replay. */
  readonly maxFile?: number;
  /** But for some kilobytes: what keeps its messages needs them to begin, and comes to the end of them half-way. */
  readonly spare?: boolean;
  /** How often the server is killed and started again. */
  readonly serverKills?: number;
  readonly nodes?: number;
  /** Another than a work queue's: then a second consumer is there, which takes nothing. */
  readonly retention?: 'limits' | 'interest';
  /** Each request has so many bytes more. */
  readonly padding?: number;
  /** The replays are a round trip of so many milliseconds away from the server. */
  readonly awayMs?: number;
  /** Starts a second replay beside each. */
  readonly racing?: boolean;
  readonly protocol?: ProtocolName;
  readonly seed: number;
  /** How long everything may take to come to rest, in milliseconds. */
  readonly patienceMs?: number;
}

export interface ChaosReport extends Findings {
  readonly scenario: Scenario;
  /** The server's version. */
  readonly server: string;
  readonly accepted: number;
  readonly answered: number;
  readonly replayedLives: number;
  readonly kills: number;
  readonly serverKills: number;
  /** The exit codes of the replays that were stopped. */
  readonly stopped: readonly (number | null)[];
  /** The exit codes of the replays in whose middle a stream was made anew. */
  readonly remade: readonly (number | null)[];
  readonly seconds: number;
  /** What the replays said, and what was seen of the lost: for whoever has to find out. */
  readonly log: readonly string[];
}

/** Who names no user is one of an account that may keep so many bytes. */
const accountOf = (maxFile: number): string =>
  [
    `accounts { A { jetstream { max_mem: 10M, max_file: ${maxFile} }, users: [{ user: a, password: a }] }`,
    'SYS { users: [{ user: s, password: s }] } }',
    'system_account: SYS',
    'no_auth_user: a',
    '',
  ].join('\n');

/** Of the parts that the account is filled with, the one that makes spare room when it goes. */
const PART = 4000;

/** Fills the account to the last byte that a message can take; then so many parts of 4 kB are taken out again. */
async function fillAccount(server: TestServer, spare = 0): Promise<void> {
  const nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
  await nats.api('STREAM.CREATE.FILL', { name: 'FILL', subjects: ['fill'], storage: 'file', allow_direct: true });
  for (const size of [400_000, PART, 300, 30, 0]) {
    while (!(await nats.request('fill', 'x'.repeat(size))).string().includes('10002'));
  }
  let left = spare;
  for await (const { seq, payload } of getRange(nats, 'FILL', 1)) {
    if (left === 0) break;
    if (payload.byteLength !== PART) continue;
    await nats.api('STREAM.MSG.DELETE.FILL', { seq });
    left -= 1;
  }
  await nats.close();
}

async function emptyFill(server: TestServer): Promise<void> {
  const nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
  await nats.api('STREAM.DELETE.FILL');
  await nats.close();
}

async function build(nats: Nats, { maxMessages, nodes = 1, windowMs = 600_000, retention }: Scenario): Promise<void> {
  const replicas = { num_replicas: nodes, storage: 'file', allow_direct: true };
  await nats.api('STREAM.CREATE.REQUESTS', {
    name: 'REQUESTS',
    subjects: ['requests.*'],
    retention: retention ?? 'workqueue',
    discard: 'new',
    duplicate_window: windowMs * 1e6,
    republish: { src: '>', dest: `${TAP}.>` },
    ...(maxMessages !== undefined && { max_msgs: maxMessages }),
    ...replicas,
  });
  const subjects = [advisorySubject('max_deliveries', 'REQUESTS'), rejectedSubject('REQUESTS')];
  await nats.api('STREAM.CREATE.requests_dlq', {
    name: 'requests_dlq',
    subjects,
    republish: { src: '>', dest: `${RECORDS_TAP}.>` },
    ...replicas,
  });
  const bucket = bucketStream('responses');
  await nats.api(`STREAM.CREATE.${bucket}`, {
    name: bucket,
    subjects: ['$KV.responses.>'],
    max_msgs_per_subject: 1,
    discard: 'new',
    ...replicas,
  });
  await addWorker(nats);
  if (retention)
    await nats.api('CONSUMER.DURABLE.CREATE.REQUESTS.audit', {
      stream_name: 'REQUESTS',
      config: { durable_name: 'audit', ack_policy: 'explicit' },
    });
}

const addWorker = (nats: Nats) =>
  nats.api('CONSUMER.DURABLE.CREATE.REQUESTS.request-worker', {
    stream_name: 'REQUESTS',
    config: {
      durable_name: 'request-worker',
      ack_policy: 'explicit',
      max_deliver: 2,
      backoff: [1_000_000_000, 1_000_000_000],
      max_ack_pending: 5000,
      filter_subject: 'requests.*',
    },
  });

/** A server, where replays find it when that is not where it is, and the program that replays. */
type Seen = TestServer & { readonly away?: Away | undefined; readonly child: string };

/** A replay in a process of its own; `began` resolves when it moves the first message, or has ended without. */
function startReplay(server: Seen, protocol: ProtocolName, inFlight: number, { steps = 0, lockMs = 0, rate = 0 } = {}) {
  const args = [
    server.child,
    server.away?.url ?? server.urls.join(','),
    protocol,
    `${inFlight}`,
    'REQUESTS',
    `${steps}`,
    `${lockMs}`,
    `${rate}`,
  ];
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let said = '';
  const done = new Promise<string>((resolve) => child.on('close', () => resolve(said)));
  const began = new Promise<void>((resolve) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('moving')) resolve();
    });
    child.on('close', () => resolve());
  });
  return { child, began, done };
}

/** Lets go of a dead process's lock at once: the lease would, 15 seconds later. */
async function breakLock(server: TestServer): Promise<void> {
  const nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
  await nats
    .api(`STREAM.PURGE.${bucketStream(LEDGER_BUCKET)}`, { filter: `$KV.${LEDGER_BUCKET}.lock.>` })
    .catch(() => {});
  await nats.close();
}

/** Plays a scenario to its end, and checks what came of every request. */
export async function playChaos(scenario: Scenario): Promise<ChaosReport> {
  const began = performance.now();
  const { protocol = 'real', nodes = 1, patienceMs = 60_000, outstanding = 120 } = scenario;
  const started = await startServer({
    version: scenario.version,
    ...(nodes > 1 && { cluster: nodes }),
    ...(scenario.maxFile !== undefined && { config: accountOf(scenario.maxFile) }),
  });
  const away = scenario.awayMs === undefined ? undefined : await startAway(started.port, scenario.awayMs);
  const server: Seen = Object.assign(started, {
    away,
    child: bundled(new URL('./child.ts', import.meta.url)),
  });
  const stage: Stage = {
    url: server.urls.join(','),
    outstanding,
    padding: 'x'.repeat(scenario.padding ?? 0),
    accepted: new Set(),
    answered: new Set(),
    lives: new Map(),
    failing: 0.7,
    era: 0,
    old: new Set(),
    rejecting: scenario.remakes ? 0.3 : 0,
    rejected: new Map(),
    publishing: true,
    working: true,
    random: randomFrom(scenario.seed),
  };
  const actors: Promise<void>[] = [];
  let tap: Wiretap | undefined;
  try {
    const nats = await connectTo({ url: stage.url }, { timeout: '20s' });
    await build(nats, scenario);
    await nats.close();
    tap = await openWiretap(server.urls, 'REQUESTS');
    actors.push(publishRequests(stage, 'a'), publishRequests(stage, 'b'), work(stage), work(stage));
    const log: string[] = [];
    const killed = await harass(server, scenario, protocol, stage, log);
    const stopped = await stopAndGoOn(server, scenario, protocol, stage, log);
    const { codes: remade, told } = await makeAnew(server, scenario, protocol, stage, tap, log);
    stage.publishing = false;
    stage.failing = 0;
    if (scenario.maxFile !== undefined) await emptyFill(server);
    await settle(server, protocol, stage, patienceMs, log);
    const { held: all, recorded } = await readHeld(server, log);
    const held = new Map([...all].filter(([id]) => !stage.old.has(id)));
    const lives = new Map([...tap.stored, ...stage.lives].filter(([, { id }]) => !stage.old.has(id)));
    for (const id of await readAnswers(server)) stage.answered.add(id);
    const { deletes: removed, advised, told: recordedOnce } = tap;
    const { accepted, answered } = stage;
    const findings = check({ accepted, answered, held, lives, removed, advised, told: recordedOnce, recorded });
    const untold = (ids: readonly string[]) => ids.filter((id) => !told.has(id));
    return {
      ...findings,
      lost: untold(findings.lost),
      dropped: untold(findings.dropped),
      ...killed,
      stopped,
      remade,
      scenario,
      server: server.version,
      accepted: stage.accepted.size,
      answered: stage.answered.size,
      replayedLives: [...lives.values()].filter(({ count }) => count > 0).length,
      log: [
        ...log,
        ...[
          ...findings.lost,
          ...findings.dropped,
          ...findings.leftover,
          ...findings.forgotten,
          ...findings.unheard,
        ].map((id) => `${id}: ${livesOf(id, lives, removed)}`),
        ...[...held].flatMap(([id, seqs]) =>
          accepted.has(id) && !answered.has(id)
            ? `unanswered ${id}: ${livesOf(id, lives, removed)}; called dead ${seqs.filter((seq) => advised.has(seq))}`
            : [],
        ),
      ],
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    stage.publishing = false;
    stage.working = false;
    await Promise.race([Promise.all(actors), sleep(5000, undefined, { ref: false })]);
    await tap?.close();
    away?.close();
    await server.stop();
  }
}

/** Kills replays at work, and the server between them. Gives how many were killed. */
async function harass(
  server: Seen,
  scenario: Scenario,
  protocol: ProtocolName,
  stage: Stage,
  log: string[],
): Promise<{ kills: number; serverKills: number }> {
  const { kills, serverKills = 0, nodes = 1, racing = false, killAfterSteps } = scenario;
  let killed = 0;
  const serverTurns = new Set(
    Array.from({ length: serverKills }, (_, index) => Math.floor(((index + 1) * kills) / (serverKills + 1))),
  );
  for (let turn = 0; turn < kills; turn++) {
    await untilDead(server, Math.min(40, (scenario.maxMessages ?? 80) / 2, (scenario.outstanding ?? 80) / 2));
    const inFlight = scenario.inFlight ?? [1, 4, 32][Math.floor(stage.random() * 3)]!;
    const spare = scenario.spare ? 2 + Math.floor(stage.random() * 5) : 0;
    if (scenario.maxFile !== undefined) await fillAccount(server, spare);
    const replay = startReplay(server, protocol, inFlight, {
      ...(killAfterSteps !== undefined && { steps: killAfterSteps }),
    });
    const rival = racing ? startReplay(server, protocol, 64) : undefined;
    await Promise.race([replay.began, ...(rival ? [rival.began] : [])]);
    if (killAfterSteps === undefined) await sleep(stage.random() * 10);
    else await replay.done;
    let node: number | undefined;
    if (serverTurns.has(turn)) {
      node = nodes > 1 ? Math.floor(stage.random() * nodes) : undefined;
      await server.kill('SIGKILL', node);
      await sleep(200);
    }
    for (const one of [replay, rival]) {
      if (one && one.child.exitCode === null) killed += 1;
      one?.child.kill('SIGKILL');
    }
    log.push(...(await Promise.all([replay.done, rival?.done])).map((said) => `killed: ${said ?? ''}`));
    if (serverTurns.has(turn)) log.push(`server killed: ${node ?? 'all'}`);
    if (serverTurns.has(turn)) await server.restart();
    await breakLock(server);
  }
  return { kills: killed, serverKills: serverTurns.size };
}

/** A lock for tests: nobody can wait for the real one each time. */
const LOCK_MS = 1500;

/**
 * Stops replays at any moment, past the end of their lock and into the work of the next one; then they go on.
 * Gives how they ended.
 */
async function stopAndGoOn(
  server: Seen,
  { stops = 0, inFlight }: Scenario,
  protocol: ProtocolName,
  stage: Stage,
  log: string[],
): Promise<(number | null)[]> {
  const codes: (number | null)[] = [];
  for (let turn = 0; turn < stops; turn++) {
    await untilDead(server, 40);
    const flight = inFlight ?? [4, 32, 256][Math.floor(stage.random() * 3)]!;
    const stopped = startReplay(server, protocol, flight, { lockMs: LOCK_MS });
    await stopped.began;
    await sleep(stage.random() * 10);
    if (!stopped.child.kill('SIGSTOP')) continue;
    const next = startReplay(server, protocol, flight, { lockMs: LOCK_MS });
    await next.began;
    // Long enough for the queue to forget the ids of copies, where its window is short.
    await sleep(1000 + stage.random() * 400);
    stopped.child.kill('SIGCONT');
    log.push(
      ...(await Promise.all([stopped.done, next.done])).map((said, index) => `${index ? 'next' : 'stopped'}: ${said}`),
    );
    codes.push(stopped.child.exitCode);
  }
  return codes;
}

const LEDGER = bucketStream(LEDGER_BUCKET);
/** What is made anew. */
const REMADE = ['REQUESTS', 'requests_dlq', LEDGER] as const;

/** So many requests come into a stream right after it was made anew. */
const FRESH = 60;

/**
 * Deletes the queue, its DLQ or the ledger at any moment of a replay, and makes it again as it was; new requests take the
 * sequences of those that the replay looked at. Gives how the replays ended. From then on only what came since counts: in
 * a queue everything, in a DLQ what it alone had. With a ledger go the lock and the intent: a second replay begins at once.
 * `told` are requests that a replay named as maybe gone: those in whose removal's round trip the stream was made anew.
 */
async function makeAnew(
  server: Seen,
  { remakes = 0, inFlight, seed }: Scenario,
  protocol: ProtocolName,
  stage: Stage,
  tap: Wiretap,
  log: string[],
): Promise<{ codes: (number | null)[]; told: Set<string> }> {
  const codes: (number | null)[] = [];
  const told = new Set<string>();
  if (remakes === 0) return { codes, told };
  const nats = await connectTo({ url: stage.url }, { timeout: '20s' });
  for (let turn = 0; turn < remakes; turn++) {
    await untilDead(server, 40);
    // Each of them comes in as many turns.
    const which = turn < REMADE.length ? turn + seed : Math.floor(stage.random() * REMADE.length);
    const stream = REMADE[which % REMADE.length]!;
    const isQueue = stream === 'REQUESTS';
    const flight = inFlight ?? [1, 4, 32][Math.floor(stage.random() * 3)]!;
    const replay = startReplay(server, protocol, flight, { rate: [50, 100, 200][Math.floor(stage.random() * 3)]! });
    if (stream === LEDGER) {
      await replay.began;
      await sleep(stage.random() * 200);
      await nats.api(`STREAM.DELETE.${stream}`);
      // Either of the two makes it anew.
      const next = startReplay(server, protocol, flight);
      const ends = await Promise.all([replay.done, next.done]);
      log.push(...ends.map((said) => `${stream} made anew: ${said}`));
      codes.push(replay.child.exitCode, next.child.exitCode);
      continue;
    }
    const { config } = await nats.api(`STREAM.INFO.${stream}`);
    stage.era += 1;
    await replay.began;
    await sleep(stage.random() * 200);
    await nats.api(`STREAM.DELETE.${stream}`);
    await nats.api(`STREAM.CREATE.${stream}`, config as object);
    for (const id of isQueue ? stage.accepted : stage.rejected.values()) stage.old.add(id);
    for (const id of stage.old) stage.accepted.delete(id);
    if (isQueue) {
      await addWorker(nats);
      for (const seen of [stage.lives, tap.stored, tap.deletes, tap.advised, tap.told]) seen.clear();
    } else for (const seen of [stage.rejected, tap.told]) seen.clear();
    const fresh = Array.from({ length: FRESH }, (_, index) => `fresh-${turn}-${index}`);
    await Promise.all(
      fresh.map(async (id, index) => {
        if (isQueue) await nats.request('requests.dns', JSON.stringify({ id, query: 'example.com' }), {});
        else await reject(stage, nats.nc, { id, seq: 1_000_000 * (turn + 1) + index });
        stage.accepted.add(id);
      }),
    );
    stage.era += 1;
    const said = await replay.done;
    const [, of, seqs = ''] = /\[stream (\w+), sequences ([^\]]*)\]/.exec(said) ?? [];
    for (const seq of seqs.split(', ').map(Number)) {
      const id = of === 'REQUESTS' ? tap.stored.get(seq)?.id : stage.rejected.get(seq);
      if (id !== undefined) told.add(id);
    }
    log.push(`${stream} made anew: ${said}`);
    codes.push(replay.child.exitCode);
  }
  await nats.close();
  return { codes, told };
}

/** Waits until there is something for a replay to do. */
async function untilDead(server: TestServer, least: number): Promise<void> {
  const nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
  try {
    for (let round = 0; round < 50; round++) {
      const { state } = await nats.api('STREAM.INFO.requests_dlq');
      if (isObject(state) && Number(state.messages) >= least) return;
      await sleep(100);
    }
  } finally {
    await nats.close();
  }
}

/** Replays until all is answered, or nothing moves any more. */
async function settle(
  server: Seen,
  protocol: ProtocolName,
  stage: Stage,
  patienceMs: number,
  log: string[],
): Promise<void> {
  const until = performance.now() + patienceMs;
  let still = 0;
  while (performance.now() < until && still < 6) {
    const before = stage.answered.size;
    log.push(`ended: ${await startReplay(server, protocol, 256).done}`);
    await sleep(700);
    if (stage.answered.size >= stage.accepted.size && still > 0) return;
    still = stage.answered.size === before ? still + 1 : 0;
  }
}

const livesOf = (id: string, lives: ReadonlyMap<number, Life>, removed: ReadonlySet<number>): string =>
  [...lives.values()]
    .filter((life) => life.id === id)
    .map(({ seq, count }) => `${seq} (replay ${count}${removed.has(seq) ? ', deleted' : ''})`)
    .join(', ');

interface Left {
  /** What is in the queue or in the journal: request ids, with the sequences of their messages. */
  readonly held: Map<string, number[]>;
  /** What the DLQ speaks of: sequences of the queue. */
  readonly recorded: Set<number>;
}

async function readHeld(server: TestServer, log: string[]): Promise<Left> {
  const nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
  const held = new Map<string, number[]>();
  const recorded = new Set<number>();
  await removeNothing(nats, 'REQUESTS');
  await forgetNothing(nats);
  const note = (payload: Uint8Array, seq: number) => {
    const { id } = JSON.parse(Buffer.from(payload).toString()) as { id: string };
    held.set(id, [...(held.get(id) ?? []), seq]);
  };
  for await (const { payload, seq } of getRange(nats, 'REQUESTS', 1, { fromLeader: true })) note(payload, seq);
  for await (const { payload, headers } of getRange(nats, 'requests_dlq', 1, { fromLeader: true })) {
    const seq = headerValue(parseHeaders(headers), REJECT_HEADER.seq);
    if (seq !== undefined) note(payload, Number(seq));
    recorded.add(Number(seq ?? JSON.parse(Buffer.from(payload).toString()).stream_seq));
  }
  const stored = held.size;
  const journal = await readJournal(nats, 'REQUESTS', { fromLeader: true });
  for (const { payload, original } of journal) note(payload, original.seq);
  const [{ state }, worker] = await Promise.all([
    nats.api('STREAM.INFO.REQUESTS'),
    nats.api('CONSUMER.INFO.REQUESTS.request-worker').catch(() => ({})),
  ]);
  log.push(
    `held: ${stored} requests in queue and DLQ, ${journal.length} in the journal; ${JSON.stringify({ state, worker })}`,
  );
  await nats.close();
  return { held, recorded };
}

/** Whose responses are stored: a worker that got no answer in time does not know that. */
async function readAnswers(server: TestServer): Promise<string[]> {
  const nats = await connectTo({ url: server.urls.join(',') }, { timeout: '20s' });
  const { subjects } = await orThrow(readSubjects(nats, bucketStream('responses')));
  await nats.close();
  return [...subjects.keys()].map((subject) => subject.slice(subject.lastIndexOf('.') + 1));
}

/** Which form of the test a scenario is. */
export function nameOf({
  version,
  nodes = 1,
  maxMessages,
  maxFile,
  spare = false,
  racing,
  serverKills = 0,
  stops = 0,
  remakes = 0,
  retention,
  padding = 0,
  awayMs,
  protocol = 'real',
}: Scenario): string {
  const what = [
    `nats-server ${version}${nodes > 1 ? ` × ${nodes}` : ''}`,
    maxMessages === undefined ? '' : `full at ${maxMessages}`,
    maxFile === undefined ? '' : `full account${spare ? ' but for 8 to 24 kB' : ''}`,
    (maxMessages ?? maxFile) ? '' : 'room',
    retention ?? '',
    padding > 0 ? `of ${padding} bytes` : '',
    awayMs === undefined ? '' : `${awayMs} ms away`,
    racing ? 'racing' : '',
    serverKills > 0 ? 'server killed' : '',
    stops > 0 ? 'stopped' : '',
    remakes > 0 ? 'made anew' : '',
    protocol === 'real' ? '' : protocol,
  ];
  return what.filter(Boolean).join(', ');
}

/** A report in one line. */
export function tellReport({
  scenario,
  lost,
  dropped,
  doubled,
  leftover,
  forgotten,
  unheard,
  ...figures
}: ChaosReport): string {
  const counts = `${figures.accepted} accepted, ${figures.answered} answered, ${figures.replayedLives} replayed, ${figures.kills} replays killed, ${figures.serverKills} servers killed, ${figures.stopped.filter((code) => code === 75).length} of ${figures.stopped.length} stopped lost their turn, ${figures.remade.length} streams made anew, ${figures.seconds}s`;
  const servers = [
    dropped.length > 0 ? `, dropped by the server ${dropped.length}` : '',
    unheard.length > 0 ? `, dead and not stored by the DLQ ${unheard.length}` : '',
  ].join('');
  return `${nameOf(scenario)}, seed ${scenario.seed}: lost ${lost.length}, doubled ${doubled.length}, left over ${leftover.length}, forgotten ${forgotten.length}${servers} (${counts})`;
}
