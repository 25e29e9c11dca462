// A world at play: what was done, what may be missing since, and the laws after each step.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { countDead, listen } from './dead.ts';
import {
  type Fault,
  jsonOf,
  judgeAlone,
  judgeSystems,
  judgeTogether,
  judgeWire,
  type Law,
  type Reading,
} from './laws.ts';
import { Person, type Place, type Said } from './person.ts';
import { fingerprint, isMixed, journalOf, readTruth, requestIdOf, type Stored, settled, type Truth } from './truth.ts';
import { kindsOf, make, type Queue, twinOf, type World } from './world.ts';

export class Broken extends Error {
  readonly law: Law;

  constructor({ law, text }: Fault) {
    super(`${law}: ${text}`);
    this.law = law;
  }
}

/** What became of one message, known by its word. */
interface Known {
  readonly token: string;
  readonly queue: string;
  /** How often a stream took it as something new. */
  accepted: number;
  /** Why it may be nowhere any more. */
  settled?: string;
  /** By consumers that acked it. */
  readonly acked: Set<string>;
}

/** A command to be asked. */
type Wish = Omit<Reading, 'said'> & { readonly args: readonly string[] };

export class Play {
  readonly nc: NatsConnection;
  readonly url: string;
  readonly world: World;
  readonly person: Person;
  readonly queues: readonly Queue[];
  readonly version: string;
  readonly known = new Map<string, Known>();
  /** Where records were forged, what is dead cannot be told from outside. */
  isForged = false;
  /** A replay was killed and none has ended since: a copy may lie beside its original. */
  isHalfWay = false;
  readonly #ears: ReturnType<typeof listen>;
  #count = 0;
  steps = 0;
  looks = 0;
  /** How often something was there to be judged: what never is, nobody tests. */
  readonly seen = new Map<string, number>();
  /** The most round trips, by command. */
  readonly slowest = new Map<string, number>();
  truth: Truth = new Map();

  private constructor(place: Place, world: World, person: Person, queues: readonly Queue[], version: string) {
    this.nc = place.nc;
    this.url = place.url;
    this.world = world;
    this.person = person;
    this.queues = queues;
    this.version = version;
    this.#ears = listen(place.nc);
  }

  /** The world on this server, and where it has two, its twin on the other. @throws Refused for a world that there cannot be */
  static async open(
    version: string,
    dir: string,
    world: World,
    first: Place,
    second?: Place,
  ): Promise<[Play] | [Play, Play]> {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const env = { FIRST_URL: first.url, ...(second && { SECOND_URL: second.url }) };
    const person = new Person(first, dir, env);
    const one = await Play.#make(version, world, first, person);
    if (!second) return [one];
    try {
      return [one, await Play.#make(version, twinOf(world), second, new Person(second, dir, env, person.typed))];
    } catch (error) {
      one.close();
      throw error;
    }
  }

  static async #make(version: string, world: World, place: Place, person: Person): Promise<Play> {
    await wipe(place.nc);
    const queues = await make(person, world).catch((error: unknown) => {
      person.close();
      throw error;
    });
    const play = new Play(place, world, person, queues, version);
    play.truth = await readTruth(place.nc);
    return play;
  }

  close(): void {
    this.#ears.close();
    this.person.close();
  }

  token(): string {
    return `m${++this.#count}`;
  }

  accept(token: string, queue: string): void {
    const one = this.known.get(token) ?? { token, queue, accepted: 0, acked: new Set<string>() };
    one.accepted += 1;
    delete one.settled;
    this.known.set(token, one);
  }

  queue(pick: number): Queue {
    return this.queues[pick % this.queues.length]!;
  }

  /** All that is stored of messages that a test can tell apart. */
  placesOf(truth: Truth, token: string): readonly Stored[] {
    const dlqs = new Set(this.queues.flatMap(({ dlqs }) => dlqs));
    const names = [...this.queues.map(({ name }) => name), ...dlqs];
    // An advisory may quote a message that it is about.
    const stored = names
      .flatMap((name) => truth.get(name)?.messages ?? [])
      .filter((one) => one.token === token && !one.subject.startsWith('$JS.EVENT.'));
    return [...stored, ...journalOf(truth).filter((one) => one.token === token)];
  }

  /** A worker was given these. */
  given(consumer: string, queue: Queue, messages: readonly Msg[]): void {
    for (const { data, headers } of messages) {
      const text = Buffer.from(data).toString('latin1');
      const token = /\bm\d+\b/.exec(text)?.[0];
      const one = token === undefined ? undefined : this.known.get(token);
      if (!one) continue;
      if (one.acked.has(consumer) && one.accepted === 1) {
        const what = headers?.get('Osapi-Replay-Of') ? 'a replayed copy' : 'it';
        throw new Broken({
          law: 'doubled',
          text: `${queue.name}/${consumer} acked ${token}, and is given ${what} again`,
        });
      }
    }
  }

  /** Late, a message was dead before: it may be given again. */
  acked(consumer: string, queue: Queue, messages: readonly Msg[], inTime: boolean): void {
    for (const { data } of messages) {
      const token = /\bm\d+\b/.exec(Buffer.from(data).toString('latin1'))?.[0];
      const one = token === undefined ? undefined : this.known.get(token);
      if (inTime) one?.acked.add(consumer);
      if (one && queue.retention === 'workqueue') one.settled = `acked by ${consumer}`;
    }
  }

  /** After a step of a person's own: what went went by their hand, or by the server's. */
  async excuse(why: string): Promise<void> {
    await this.quiet();
    const before = this.truth;
    this.truth = await readTruth(this.nc);
    for (const one of this.known.values()) {
      const [had, has] = [this.placesOf(before, one.token), this.placesOf(this.truth, one.token)];
      if (has.length < had.length || has.length === 0) one.settled ??= why;
    }
  }

  /** After a command of ours: nothing that was there is missing, or there more often. */
  async account(said: Said, { may = () => false }: { may?: (token: string) => boolean } = {}): Promise<void> {
    await this.quiet();
    const before = this.truth;
    this.truth = await readTruth(this.nc);
    for (const one of this.known.values()) {
      const [had, has] = [this.placesOf(before, one.token), this.placesOf(this.truth, one.token)];
      if (may(one.token)) {
        if (has.length < had.length) one.settled ??= said.line;
        continue;
      }
      // What no worker takes goes from a work queue as soon as a copy has it.
      const isElsewhere = () => this.truth.get('COPY')?.messages.some(({ token }) => token === one.token);
      if (has.length === 0 && !one.settled && !isElsewhere())
        throw new Broken({
          law: 'lost',
          text: `${said.line}: ${one.token} is nowhere; it ended with ${said.code}: ${said.stderr}`,
        });
      if (has.length > Math.max(had.length, one.accepted) && !this.isHalfWay)
        throw new Broken({
          law: 'doubled',
          text: `${said.line}: ${one.token} is ${has.length} times there: ${has.map(({ subject, seq }) => `${subject} ${seq}`).join(', ')}`,
        });
    }
  }

  /** What was answered when a command began was given to no worker anew. */
  async refuseAnswered(said: Said, before: Truth, answered: ReadonlySet<string>): Promise<void> {
    for (const { name } of this.queues) {
      const last = Math.max(0, ...(before.get(name)?.messages ?? []).map(({ seq }) => seq));
      const fresh = (this.truth.get(name)?.messages ?? []).filter(
        ({ seq, headers }) => seq > last && headers.includes('Osapi-Replay-Of'),
      );
      const again = fresh.find((one) => answered.has(requestIdOf(one) ?? ''));
      if (again)
        throw new Broken({
          law: 'answered',
          text: `${said.line}: replayed ${requestIdOf(again)}, which has its answer`,
        });
    }
  }

  /** Waits until nothing moves. */
  quiet(): Promise<void> {
    return settled(this.nc);
  }

  see(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  break(law: Law, text: string): never {
    throw new Broken({ law, text });
  }

  read(): Promise<Truth> {
    return readTruth(this.nc);
  }

  /** Judges one command of ours. @throws Broken */
  judge(said: Said, command: string | undefined, codes: readonly number[]): void {
    for (const fault of judgeAlone({ said, command, codes })) throw new Broken(fault);
  }

  /** Asks what commands say of this moment, and holds it to the server and to each other. @throws Broken */
  async look(pick: number, all = false): Promise<void> {
    this.looks += 1;
    for (let tries = 0; ; tries++) {
      await this.quiet();
      const before = await readTruth(this.nc);
      const readings = await this.#read(pick, before, all);
      const after = await readTruth(this.nc);
      const hasMoved = fingerprint(before) !== fingerprint(after);
      if (hasMoved && tries < 3) continue;
      if (hasMoved)
        throw new Broken({
          law: 'touches',
          text: `one of these changed the server: ${readings.map(({ said }) => said.line).join('; ')}`,
        });
      this.truth = after;
      this.#note(readings);
      const alone = readings.flatMap((one) => judgeAlone(one));
      const together = judgeTogether(readings, after, this.queues, this.#expected(after));
      for (const fault of [...alone, ...together]) {
        for (const { said } of readings) if (fault.text.includes(said.line)) this.person.note(said.line);
        throw new Broken(fault);
      }
      return;
    }
  }

  /** One of the commands that look, from far away: how often it waits for the server. @throws Broken */
  async lookFromFar(pick: number): Promise<void> {
    const wishes = this.#wishes(pick, this.truth, true);
    const { args, command, name } = wishes[pick % wishes.length]!;
    const seen = await this.person.lookFromFar(args);
    if (!seen) return;
    this.see('from far away');
    const what = command ?? name.split(' ')[0]!;
    this.slowest.set(what, Math.max(seen.waves, this.slowest.get(what) ?? 0));
    for (const fault of judgeWire(seen.said, seen)) {
      this.person.note(seen.said.line);
      throw new Broken(fault);
    }
  }

  #note(readings: readonly Reading[]): void {
    const entries = jsonOf(readings[0]!.said);
    const states = new Set(Array.isArray(entries) ? entries.map(({ state }: { state: string }) => state) : []);
    for (const state of states) this.see(`entries: ${state}`);
    if (journalOf(this.truth).length > 0) this.see('a journal');
    if (this.queues.every(({ name }) => !this.truth.has(name))) this.see('no queue');
    for (const kind of kindsOf(this.world)) this.see(kind);
  }

  #expected(truth: Truth): ReadonlyMap<string, number> {
    if (this.isForged) return new Map();
    return new Map(
      this.queues
        .filter(({ name, retention, dlqs }) => truth.has(name) && (retention === 'workqueue' || dlqs.length > 0))
        .filter(({ name }) => this.world.copy === 'none' || name !== 'Q')
        .filter((queue) => !isMixed(truth, queue))
        .map((queue) => [
          queue.name,
          countDead(truth, this.#ears.heard, { queue: queue.name, dlqs: queue.dlqs, bucket: queue.bucket }),
        ]),
    );
  }

  async #read(pick: number, truth: Truth, all: boolean): Promise<Reading[]> {
    return Promise.all(
      this.#wishes(pick, truth, all).map(async ({ args, ...wish }) => ({
        ...wish,
        said: await this.person.look(args),
      })),
    );
  }

  /** Where there is no queue at all, that is an error. */
  codesOfNone(truth: Truth): readonly number[] {
    // A DLQ that takes the advisories of all makes a queue of a stream only where somebody died there.
    const isNamed = this.world.dlq !== 'all';
    const isQueue = ({ name, retention, dlqs }: Queue) =>
      truth.has(name) && (retention === 'workqueue' || (isNamed && dlqs.some((dlq) => truth.has(dlq))));
    return this.queues.some(isQueue) ? [] : [1];
  }

  #wishes(pick: number, truth: Truth, all: boolean): readonly Wish[] {
    const live = this.queues.filter(({ name }) => truth.has(name));
    const queue = live[pick % Math.max(1, live.length)];
    const specs = this.queues.flatMap(({ spec }) => spec ?? []);
    const spec = specs[pick % Math.max(1, specs.length)];
    const suffix = spec === undefined ? '' : ` ${spec}`;
    const status = ['status', ...(spec === undefined ? [] : [spec])];
    const ids = [
      ...new Set(
        [...truth.values()].flatMap(({ messages }) => messages.flatMap((one) => (one.token && requestIdOf(one)) || [])),
      ),
    ];
    const id = ids[pick % Math.max(1, ids.length)];
    // What acts is told which of several systems is meant.
    const meant = specs.length > 1 && queue ? [queue] : live;
    const scope = specs.length > 1 && queue ? ['--queue', queue.name] : [];
    const of = specs.length > 1 && queue ? ` ${queue.name}` : '';
    // An entry that would be stored nowhere is an error, and what a full DLQ would refuse or drop for it.
    const isRoomy = this.world.limits !== 'few in the DLQ';
    const isWhole = isRoomy && meant.every(({ dlqs }) => dlqs.some((dlq) => truth.has(dlq)));
    const always: Wish[] = [
      { name: 'ls', command: 'dlq ls', codes: [0], args: ['dlq', 'ls', '--json'] },
      { name: `status${suffix}`, command: 'status', codes: [0, 2], args: [...status, '--json'] },
    ];
    const others: Wish[] = [
      {
        name: 'stats',
        command: 'dlq stats',
        codes: [0],
        args: ['dlq', 'stats', '--by', 'queue,state,reason', '--json'],
      },
      { name: `empty${suffix}`, codes: [0, 2], args: [...status, '--wait', '1ms', '--for', 'dlq-empty'] },
      { name: `drained${suffix}`, codes: [0, 2], args: [...status, '--wait', '1ms', '--for', 'drained'] },
      { name: `prometheus${suffix}`, codes: [0, 2], args: [...status, '--output', 'prometheus'] },
      { name: `text${suffix}`, codes: [0, 2], args: status },
      {
        name: `dry purge${of}`,
        command: 'dlq purge',
        codes: [0],
        args: ['dlq', 'purge', '--dry-run', '--json', ...scope],
      },
      {
        name: `dry rebuild${of}`,
        command: 'dlq rebuild',
        codes: isWhole ? [0] : [0, 1],
        args: ['dlq', 'rebuild', '--dry-run', '--json', ...scope],
      },
      {
        name: 'doctor',
        command: 'doctor',
        codes: [0, 1, 2],
        args: ['doctor', ...(spec === undefined ? [] : [spec]), '--json'],
      },
      { name: 'export', codes: [0], args: ['dlq', 'export'] },
      { name: 'text ls', codes: [0], args: ['dlq', 'ls'] },
      ...(spec === undefined
        ? []
        : [{ name: `plan ${spec}`, command: 'plan', codes: [0], args: ['plan', spec, '--json'] }]),
      ...(queue === undefined
        ? []
        : [
            {
              name: `drain ${queue.name}`,
              command: 'queue drain',
              codes: [0, 1],
              args: ['queue', 'drain', queue.name, '--wait', '0s', '--json'],
            },
            {
              name: `dry replay ${queue.name}`,
              command: 'dlq replay',
              // 1 where one could not be replayed as things are.
              codes: [0, 1],
              args: ['dlq', 'replay', '--queue', queue.name, '--dry-run', '--json'],
            },
            {
              name: 'request ls',
              command: 'request ls',
              codes: [0],
              args: ['request', 'ls', '--queue', queue.name, '--json'],
            },
          ]),
      ...(id === undefined
        ? []
        : [
            { name: 'get', command: 'request get', codes: [0, 1, 2], args: ['request', 'get', '--json', '--', id] },
            { name: 'show', command: 'request show', codes: [0, 1], args: ['request', 'show', '--json', '--', id] },
          ]),
    ];
    const chosen = all ? others : others.filter((_, index) => (pick * 7 + index * 5) % others.length < 3);
    return [...always, ...chosen].map(({ codes, ...wish }) => ({
      ...wish,
      codes: [...codes, ...this.codesOfNone(truth)],
    }));
  }

  /** The tokens of an archive that a command wrote, also one that was killed: then a part of it, of another name, may be all. */
  tokensIn(file: string): ReadonlySet<string> {
    const files = readdirSync(this.person.dir).filter((name) => name.includes(file));
    const lines = files.flatMap((name) => readFileSync(join(this.person.dir, name), 'utf8').split('\n'));
    return new Set(
      lines.flatMap((line) => {
        const { original } = parsed(line) as { original?: { payload?: string } };
        return /\bm\d+\b/.exec(Buffer.from(original?.payload ?? '', 'base64').toString('latin1'))?.[0] ?? [];
      }),
    );
  }
}

/** Asks for both servers at once, and holds it to what each says by itself. @throws Broken */
export async function lookAtBoth(first: Play, twin: Play): Promise<void> {
  const [a, b] = [first.world.file, twin.world.file];
  const all = await first.person.lookAtAll(['status', a, b, '--json']);
  const alone = [await first.person.look(['status', a, '--json']), await twin.person.look(['status', b, '--json'])];
  for (const fault of [...judgeAlone({ said: all, command: 'status', codes: [0, 2] }), ...judgeSystems(all, alone)]) {
    first.person.note(all.line);
    throw new Broken(fault);
  }
  first.see('both servers at once');
}

/** A line of an archive; of one that was being written, the last may be half of one. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

async function wipe(nc: NatsConnection): Promise<void> {
  const ask = async (subject: string) =>
    (await nc.request(`$JS.API.${subject}`, '', { timeout: 10_000 })).json<{ streams?: string[] }>();
  for (const name of (await ask('STREAM.NAMES')).streams ?? []) await ask(`STREAM.DELETE.${name}`);
}
