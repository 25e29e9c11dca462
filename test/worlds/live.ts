import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import fc from 'fast-check';
import { startServer, type TestServer } from '../support/server.ts';
import { startWaves } from '../support/waves.ts';
import type { Law } from './laws.ts';
import { type Place, Refused } from './person.ts';
import { Broken, Play } from './play.ts';
import { openings, type Plays, sequences, stepKinds } from './steps.ts';
import { stateOf } from './truth.ts';
import { KINDS, type World, worlds } from './world.ts';

export interface Find {
  readonly law: Law;
  /** What broke it. */
  readonly text: string;
  /** The smallest world found in which it does, as somebody would type it. */
  readonly lines: readonly string[];
  readonly seed: number;
  /** What its first server held then. */
  readonly state: string;
}

export interface Lived {
  readonly server: string;
  readonly worlds: number;
  readonly steps: number;
  readonly looks: number;
  /** How often a command was asked once more, as the machine was too busy to answer in time. */
  readonly askedAgain: number;
  readonly finds: readonly Find[];
  /** On what a law was checked, and how often; 0 where this run never came to it. */
  readonly seen: Readonly<Record<string, number>>;
  /** The most round trips of each command that was asked from far away. */
  readonly slowest: Readonly<Record<string, number>>;
}

const STATES = ['replayable', 'parked', 'gone', 'orphan'].map((state) => `entries: ${state}`);
const EVENTS = [
  'a journal',
  'no queue',
  'replays of something',
  'replays killed',
  'purges of something',
  'purges killed',
  'both servers at once',
  'from far away',
];

export interface Wish {
  readonly version: string;
  readonly seed: number;
  readonly worlds: number;
  /** Begins no world after so long, in milliseconds. */
  readonly ms: number;
  /** Steps of a world at most. */
  readonly steps?: number;
  /** How long a world that broke a law is made smaller, in milliseconds. */
  readonly shrinkMs?: number;
  readonly tell?: (text: string) => void;
  /** Ends with so many finds. */
  readonly finds?: number;
  /** Breaks a law where this is seen, as `replays killed`: to see how a find is told. */
  readonly plant?: string;
}

/** Makes one world after the other on one server, each from a seed of its own. */
export async function liveInWorlds(wish: Wish): Promise<Lived> {
  const { version, seed, steps: most = 14, shrinkMs = 180_000, tell = () => {} } = wish;
  const stage = new Stage(version);
  const { server } = await stage.at('FIRST_URL');
  const finds: Find[] = [];
  const seen: Record<string, number> = Object.fromEntries(
    [...KINDS, ...stepKinds(server.version), ...STATES, ...EVENTS].map((kind) => [kind, 0]),
  );
  const slowest: Record<string, number> = {};
  const see = (what: string, count = 1) => {
    seen[what] = (seen[what] ?? 0) + count;
  };
  const began = performance.now();
  let [count, steps, looks, askedAgain] = [0, 0, 0, 0];
  try {
    while (
      count < wish.worlds &&
      finds.length < (wish.finds ?? Number.POSITIVE_INFINITY) &&
      performance.now() - began < wish.ms
    ) {
      const own = seed + count;
      count += 1;
      let find: Find | undefined;
      let foundAt = 0;
      const property = fc.asyncProperty(worlds, openings(6), sequences(most), async (world, before, commands) => {
        if (find && performance.now() - foundAt > shrinkMs) return;
        let plays: Plays;
        try {
          plays = await stage.open(world);
        } catch (error) {
          if (error instanceof Refused) {
            see('worlds that cannot be');
            return;
          }
          throw error;
        }
        try {
          const setup = () => ({ model: { world, version: server.version, plant: wish.plant }, real: plays });
          await fc.asyncModelRun(setup, before);
          for (const play of plays) await play.look(own);
          await fc.asyncModelRun(setup, commands);
          for (const play of plays) {
            await play.look(0, true);
            await play.lookFromFar(own);
          }
        } catch (error) {
          const law = error instanceof Broken ? error.law : 'touches';
          // While it shrinks, only the same law counts: another one is another find.
          if (find && find.law !== law) return;
          const text = error instanceof Broken ? error.message : String((error as Error).stack ?? error);
          foundAt ||= performance.now();
          await plays[0].quiet();
          find = { law, text, lines: [...plays[0].person.lines], seed: own, state: stateOf(await plays[0].read()) };
          throw error;
        } finally {
          for (const play of plays) {
            steps += play.steps;
            askedAgain += play.person.askedAgain;
            looks += play.looks;
            for (const [what, often] of play.seen) see(what, often);
            for (const [what, waves] of play.slowest) slowest[what] = Math.max(waves, slowest[what] ?? 0);
            play.close();
          }
        }
      });
      const from = performance.now();
      await fc.check(property, { seed: own, numRuns: 1, unbiased: true });
      if (find) {
        finds.push(find);
        tell(tellFind(find, server.version));
      }
      tell(
        `world ${own}: ${find ? `BROKEN ${find.law}` : 'well'} in ${((performance.now() - from) / 1000).toFixed(1)} s`,
      );
    }
  } finally {
    await stage.close();
  }
  return { server: server.version, worlds: count, steps, looks, askedAgain, finds, seen, slowest };
}

interface Standing extends Place {
  readonly server: TestServer;
  readonly dir: string;
}

/** The servers that worlds are on, each started when the first world needs it. */
class Stage {
  readonly #version: string;
  readonly #standing = new Map<string, Promise<Standing>>();

  constructor(version: string) {
    this.#version = version;
  }

  at(variable: Place['variable'], cluster?: 3): Promise<Standing> {
    const key = `${variable} ${cluster ?? 1}`;
    const standing = this.#standing.get(key) ?? this.#start(variable, cluster);
    this.#standing.set(key, standing);
    return standing;
  }

  async #start(variable: Place['variable'], cluster?: 3): Promise<Standing> {
    const server = await startServer({ version: this.#version, ...(cluster && { cluster }) });
    const nc = await connect({ servers: [...server.urls], ignoreAuthErrorAbort: true });
    const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-worlds-'));
    // What the other nodes of a cluster do cannot be seen: an answer may be under way for longer.
    return { server, nc, url: server.url, variable, dir, ...(!cluster && { far: await startWaves(server) }) };
  }

  /** @throws Refused for a world that there cannot be */
  async open(world: World): Promise<Plays> {
    const first = await this.at('FIRST_URL', world.replicas === 3 ? 3 : undefined);
    const second = world.servers === 2 ? await this.at('SECOND_URL') : undefined;
    return Play.open(first.server.version, join(first.dir, 'home'), world, first, second);
  }

  async close(): Promise<void> {
    for (const standing of this.#standing.values()) {
      const { nc, far, server, dir } = await standing;
      await nc.close();
      await far?.close();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  }
}

/** What somebody types to have the same world, with the programs that the lines need. */
export const tellFind = ({ text, lines, seed }: Find, version: string): string =>
  [`# nats-server ${version}, seed ${seed}: ${text.replace(/\s*\n\s*/g, ' / ')}`, ...PRELUDE, ...lines].join('\n');

/** In an empty folder, with osapi-ops and nats in the PATH, CHECKOUT and the address of an empty server in FIRST_URL. */
const PRELUDE = ['killed-after', 'settle'].map(
  (name) => `${name}() { node --no-warnings "$CHECKOUT/test/worlds/${name}.ts" "$@"; }`,
);
