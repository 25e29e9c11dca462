// What must hold in every world. Each law is a function of what commands said and what is on the server.
import { readFileSync } from 'node:fs';
import Ajv, { type ValidateFunction } from 'ajv/dist/2020.js';
import { errorSchema, resultSchema } from '../../scripts/generate/result-files.ts';
import type { Wire } from '../support/waves.ts';
import { type Said, SLOW_MS } from './person.ts';
import { isMixed, isUntold, leftOf, type Truth } from './truth.ts';
import type { Queue } from './world.ts';

export type Law =
  | 'agree'
  | 'dead'
  | 'empty'
  | 'drained'
  | 'request'
  | 'touches'
  | 'answered'
  | 'lost'
  | 'doubled'
  | 'codes'
  | 'clean'
  | 'schema'
  | 'time'
  | 'again'
  | 'planted';

export interface Fault {
  readonly law: Law;
  readonly text: string;
}

/** One command that only looks, and what it said. */
export interface Reading {
  /** What it is of, as `status`, `ls`, `drain Q`. */
  readonly name: string;
  /** The command, as its schema is called: `dlq ls`. Absent where it prints no JSON. */
  readonly command?: string;
  /** The exit codes it may have. */
  readonly codes: readonly number[];
  readonly said: Said;
}

const ajv = new Ajv.default({ allErrors: true, strict: false });
const compiled = new Map<string, ValidateFunction>();
function validatorOf(command: string): ValidateFunction {
  const known =
    compiled.get(command) ?? ajv.compile(command === 'error' ? errorSchema(false) : resultSchema(command, true));
  compiled.set(command, known);
  return known;
}

const { errors: EXITS } = JSON.parse(readFileSync(new URL('../../schemas/codes.json', import.meta.url), 'utf8')) as {
  errors: Readonly<Record<string, number>>;
};

/** What moves a cursor; a line's end is none of it. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const shown = (text: string): string => JSON.stringify(text.length > 600 ? `${text.slice(0, 600)}…` : text);

/** Laws of one command by itself. `codes`: the exit codes that are no fault; those of a bug never are. */
export function judgeAlone({ said, command, codes }: Omit<Reading, 'name'>): Fault[] {
  const faults: Fault[] = [];
  const fault = (law: Law, text: string) => void faults.push({ law, text: `${said.line}: ${text}` });
  const { code, signal, stdout, stderr, ms } = said;
  if (signal === 'SIGKILL') return [];
  if (code === null || !codes.includes(code)) {
    fault('codes', `ended with ${code ?? signal}, and may with ${codes}: ${shown(stderr)} ${shown(stdout)}`);
  }
  if (ms > SLOW_MS) fault('time', `took ${Math.round(ms)} ms`);
  if (CONTROL.test(stderr)) fault('clean', `control characters on stderr: ${shown(stderr)}`);
  if (CONTROL.test(stdout)) fault('clean', `control characters on stdout: ${shown(stdout)}`);
  if (command === undefined) return faults;
  const json = jsonOf(said);
  if (json === undefined) {
    fault('schema', `printed no JSON: ${shown(stdout)}`);
    return faults;
  }
  const error = (json as { error?: { code: string } } | null)?.error;
  const judge = validatorOf(error ? 'error' : command);
  if (!judge(json)) fault('schema', `${JSON.stringify(judge.errors?.slice(0, 3))} in ${shown(stdout)}`);
  if (error && EXITS[error.code] !== code) fault('codes', `${error.code} is not ${code}`);
  if (!error && code !== 0 && code !== 2 && code !== 1) fault('codes', `ended with ${code} without an error`);
  return faults;
}

export function jsonOf({ stdout }: Said): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

interface EntryJson {
  readonly id: string;
  readonly queue: string;
  readonly state: string;
  readonly request_id: string | null;
}
interface StatusJson {
  readonly health: string;
  readonly checks: readonly { readonly id: string; readonly status: string; readonly summary: string }[];
  readonly queues: readonly {
    readonly name: string;
    readonly ready: number | null;
    readonly in_flight: number | null;
    readonly dead: number | null;
  }[];
  readonly drift: readonly unknown[];
}

const isBad = (status: string): boolean => status === 'warn' || status === 'critical';
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Whatever a world is like, it is small: a page holds it. Round trips of a command that only looks, the greeting and the login among them. */
const MOST_WAVES = 18;
/** `status` looks a second time, a second later, where a queue fills up. */
const IDLE_MS = 1500;

/** A command takes no longer than its round trips explain: they are few, and between them it waits for nothing. */
export function judgeWire(said: Said, { waves, idleMs }: Pick<Wire, 'waves' | 'idleMs'>): Fault[] {
  const why = [
    ...(waves > MOST_WAVES ? [`waited for the server ${waves} times, and may ${MOST_WAVES} times`] : []),
    ...(idleMs > IDLE_MS ? [`waited ${idleMs} ms for nothing`] : []),
  ];
  return why.map((text) => ({ law: 'time', text: `${said.line}: ${text}` }));
}

/** A probe looks at each of the dead where that takes ten requests, at the worst one for each message, and 600 kB. */
function isWithinProbe(truth: Truth, queues: readonly Queue[]): boolean {
  const looked = queues.flatMap(({ name, dlqs }) => [name, ...dlqs].flatMap((one) => truth.get(one)?.messages ?? []));
  return looked.length <= 10 && sum(looked.map(({ headers, payload }) => headers.length + payload.length)) <= 500_000;
}

/** Laws of several readings of one moment, and of the server at that moment. */
export function judgeTogether(
  readings: readonly Reading[],
  truth: Truth,
  queues: readonly Queue[],
  /** By queue, where it is known from outside. */
  expected: ReadonlyMap<string, number>,
): Fault[] {
  const faults: Fault[] = [];
  const fault = (law: Law, text: string) => void faults.push({ law, text });
  const of = (name: string) => readings.find((one) => one.name === name)?.said;
  const json = <T>(name: string): T | undefined => {
    const said = of(name);
    const value = said && said.code !== null ? jsonOf(said) : undefined;
    return value !== null && typeof value === 'object' && !('error' in value) ? (value as T) : undefined;
  };
  const entries = json<readonly EntryJson[]>('ls');
  const dead = entries?.filter(({ state }) => state !== 'gone');
  const deadOf = (queue: string) => dead?.filter((one) => one.queue === queue).length;
  const same = (what: string, queue: string, figure: number | null | undefined) => {
    const listed = deadOf(queue);
    const isLeast = queues.some((one) => one.name === queue && isMixed(truth, one));
    if (isLeast && (figure ?? 0) > (listed ?? 0)) return;
    if (listed !== undefined && figure !== undefined && figure !== null && figure !== listed)
      fault('agree', `dlq ls lists ${listed} of ${queue} that are not gone, ${what} says ${figure}`);
  };
  const isUnknown = (queue: string) => isUntold(truth, queue, queues.find(({ name }) => name === queue)?.dlqs ?? []);
  /** Not known is what nothing tells, and no other figure. */
  const known = (what: string, queue: string, figure: number | null, mayBeMuch: boolean) => {
    if (figure !== null && isUnknown(queue))
      fault('agree', `nothing tells how many of ${queue} are dead, and ${what} says ${figure}`);
    if (figure === null && truth.has(queue) && !isUnknown(queue) && !mayBeMuch)
      fault('agree', `how many of ${queue} are dead can be known, and ${what} says that it is not`);
  };
  for (const [queue, want] of expected) {
    const listed = deadOf(queue);
    if (listed !== undefined && listed !== want)
      fault('dead', `${want} of ${queue} are dead, and dlq ls lists ${listed}: ${dead?.map(({ id }) => id).join(' ')}`);
  }
  const stats = json<{ total: number; groups: { by: Record<string, string>; count: number }[]; others?: number }>(
    'stats',
  );
  if (stats && entries) {
    if (stats.total !== dead?.length)
      fault('agree', `dlq ls lists ${dead?.length} that are not gone, dlq stats counts ${stats.total}`);
    const inGroups = sum(stats.groups.map(({ count }) => count)) + (stats.others ?? 0);
    if (inGroups !== stats.total) fault('agree', `dlq stats says ${stats.total}, and ${inGroups} in its groups`);
    for (const { name } of queues) {
      const own = stats.groups.filter(({ by }) => by.queue === name);
      same('dlq stats', name, sum(own.map(({ count }) => count)));
    }
  }
  for (const { name, said } of readings.filter((one) => /^status( |$)/.test(one.name))) {
    const status = json<StatusJson>(name);
    if (!status) continue;
    for (const queue of status.queues) {
      same(said.line, queue.name, queue.dead);
      known(said.line, queue.name, queue.dead, !isWithinProbe(truth, queues));
      const { ready, inFlight } = leftOf(truth, queue.name);
      if (queue.ready !== null && (queue.ready !== ready || queue.in_flight !== inFlight))
        fault(
          'agree',
          `${ready} wait and ${inFlight} are in flight in ${queue.name}, ${said.line} says ${queue.ready} and ${queue.in_flight}`,
        );
      if (queue.dead === null && status.health === 'ok')
        fault('agree', `how many of ${queue.name} are dead is not known, and ${said.line} says that all is well`);
    }
    const worst = status.checks.some((one) => isBad(one.status)) || status.drift.length > 0;
    const isNothing = status.queues.length === 0 && status.checks.every(({ id }) => !id.includes('.'));
    if (!isNothing && worst !== (said.code === 2))
      fault('codes', `${said.line}: ended with ${said.code}, health ${status.health}, drift ${status.drift.length}`);
    judgeGoals(name.slice('status'.length), status);
  }
  function judgeGoals(suffix: string, { queues: told }: StatusJson): void {
    const empty = of(`empty${suffix}`);
    const names = told.map(({ name }) => name);
    if (empty && dead && names.length > 0) {
      const listed = dead.filter(({ queue }) => names.includes(queue)).length;
      // A queue that is not there is not well, and of one that nobody can know of nobody says that it is.
      const isEmpty = listed === 0 && names.every((name) => truth.has(name) && !isUnknown(name));
      if ((empty.code === 0) !== isEmpty)
        fault('empty', `${empty.line} ends with ${empty.code}, dlq ls lists ${listed} that are not gone`);
    }
    const drained = of(`drained${suffix}`);
    if (drained && names.length > 0) {
      const left = names.filter((name) => !isDrained(name));
      if ((drained.code === 0) !== (left.length === 0))
        fault(
          'drained',
          `${drained.line} ends with ${drained.code}, left: ${JSON.stringify(names.map((name) => [name, leftOf(truth, name)]))}`,
        );
    }
    const text = of(`text${suffix}`);
    if (text && told.length === 1) {
      const [, figure] = /(\d+|nothing) dead/.exec(text.stdout.replace(/\s+/g, ' ')) ?? [];
      if (figure !== undefined) same(text.line, told[0]!.name, figure === 'nothing' ? 0 : Number(figure));
    }
    const metrics = of(`prometheus${suffix}`);
    for (const name of metrics ? names : []) {
      const lines = metrics!.stdout.matchAll(/^osapi_ops_dead_messages\{([^}]*)\} (\d+)/gm);
      const counts = [...lines]
        .filter(([, labels]) => labels!.includes(`"${name}"`))
        .map(([, , count]) => Number(count));
      if (counts.length > 0) same(metrics!.line, name, sum(counts));
    }
  }
  function isDrained(queue: string): boolean {
    const { ready, inFlight, journalled } = leftOf(truth, queue);
    return truth.has(queue) && ready + inFlight + journalled === 0;
  }
  for (const { name: queue } of queues) {
    const drain = json<{ drained: boolean; ready: number; in_flight: number; dead: number | null }>(`drain ${queue}`);
    const said = of(`drain ${queue}`);
    if (drain && said) {
      same(said.line, queue, drain.dead);
      known(said.line, queue, drain.dead, false);
      if (drain.drained !== isDrained(queue) || drain.drained !== (said.code === 0))
        fault(
          'drained',
          `${said.line} ends with ${said.code}: ${said.stdout}, left: ${JSON.stringify(leftOf(truth, queue))}`,
        );
    }
    const replay = json<{ entries: { outcome: string }[]; skipped: number }>(`dry replay ${queue}`);
    if (replay) same(of(`dry replay ${queue}`)!.line, queue, replay.entries.length);
  }
  for (const of of ['', ...queues.map(({ name }) => ` ${name}`)]) {
    const those = entries?.filter(({ queue }) => of === '' || of === ` ${queue}`);
    const purge = json<{ purged: number; skipped?: number }>(`dry purge${of}`);
    if (purge && those && purge.purged + (purge.skipped ?? 0) < those.length)
      fault('agree', `dlq ls lists ${those.length}, a dry run of dlq purge${of} would purge ${purge.purged}`);
    const rebuild = json<{ rebuilt: number }>(`dry rebuild${of}`);
    const orphans = those?.filter(({ state }) => state === 'orphan').length;
    if (rebuild && orphans !== undefined && rebuild.rebuilt > orphans)
      fault('agree', `dlq ls lists ${orphans} orphans, a dry run of dlq rebuild${of} would write ${rebuild.rebuilt}`);
  }
  return faults;
}

/** Systems on several servers: what is said of all is what is said of each, and the exit code is the worst. */
export function judgeSystems(all: Said, alone: readonly Said[]): Fault[] {
  const faults: Fault[] = [];
  const told = (jsonOf(all) as { systems?: readonly StatusJson[] } | undefined)?.systems ?? [];
  const figures = (one: unknown) => {
    const { checks = [], queues = [], drift } = (one ?? {}) as Partial<StatusJson>;
    // How long a ping took, or somebody waits, is another thing each time.
    const judged = checks.map(({ id }) => id);
    return JSON.stringify([
      queues.map(({ name, ready, in_flight, dead }) => [name, ready, in_flight, dead]),
      drift,
      judged,
    ]);
  };
  const [together, each] = [told.map(figures), alone.map((said) => figures(jsonOf(said)))];
  if (together.join() !== each.join())
    faults.push({ law: 'agree', text: `${all.line} says ${together.join()}, each by itself ${each.join()}` });
  // By what it says itself: a server that was slow to answer once is not when it is asked again.
  const worst = told.some(({ health, drift }) => isBad(health) || drift.length > 0) ? 2 : 0;
  if (all.code !== worst)
    faults.push({ law: 'codes', text: `${all.line} ends with ${all.code}, the worst is ${worst}` });
  return faults;
}
