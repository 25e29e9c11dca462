import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import fc from 'fast-check';
import { startServer } from '../support/server.ts';
import type { Law } from './laws.ts';
import { Refused } from './person.ts';
import { Broken, Play } from './play.ts';
import { openings, sequences } from './steps.ts';
import { worlds } from './world.ts';

export interface Find {
  readonly law: Law;
  /** What broke it. */
  readonly text: string;
  /** The smallest world found in which it does, as somebody would type it. */
  readonly lines: readonly string[];
  readonly seed: number;
}

export interface Lived {
  readonly server: string;
  readonly worlds: number;
  readonly steps: number;
  readonly looks: number;
  readonly finds: readonly Find[];
  /** How often something was there to be judged. */
  readonly seen: Readonly<Record<string, number>>;
}

export interface Wish {
  readonly version: string;
  readonly replicas?: 1 | 3;
  readonly seed: number;
  readonly worlds: number;
  /** Begins no world after so long, in milliseconds. */
  readonly ms: number;
  /** Steps of a world at most. */
  readonly steps?: number;
  /** How long a world that broke a law is made smaller, in milliseconds. */
  readonly shrinkMs?: number;
  readonly tell?: (text: string) => void;
}

/** Makes one world after the other on one server, each from a seed of its own. */
export async function liveInWorlds(wish: Wish): Promise<Lived> {
  const { version, replicas = 1, seed, steps: most = 14, shrinkMs = 180_000, tell = () => {} } = wish;
  const server = await startServer({ version, ...(replicas > 1 && { cluster: replicas }) });
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-worlds-'));
  const nc = await connect({ servers: [...server.urls], ignoreAuthErrorAbort: true });
  const finds: Find[] = [];
  const seen: Record<string, number> = {};
  const see = (what: string, count = 1) => {
    seen[what] = (seen[what] ?? 0) + count;
  };
  const began = performance.now();
  let [count, steps, looks] = [0, 0, 0];
  try {
    while (count < wish.worlds && performance.now() - began < wish.ms) {
      const own = seed + count;
      count += 1;
      let find: Find | undefined;
      let foundAt = 0;
      const property = fc.asyncProperty(
        worlds(replicas),
        openings(6),
        sequences(most),
        async (world, before, commands) => {
          if (find && performance.now() - foundAt > shrinkMs) return;
          let play: Play;
          try {
            play = await Play.open(nc, server.url, server.version, join(dir, 'home'), world);
          } catch (error) {
            if (error instanceof Refused) {
              see('worlds that cannot be');
              return;
            }
            throw error;
          }
          try {
            const setup = () => ({ model: { world, version: server.version }, real: play });
            await fc.asyncModelRun(setup, before);
            await play.look(own);
            await fc.asyncModelRun(setup, commands);
            await play.look(0, true);
          } catch (error) {
            const law = error instanceof Broken ? error.law : 'touches';
            // While it shrinks, only the same law counts: another one is another find.
            if (find && find.law !== law) return;
            const text = error instanceof Broken ? error.message : String((error as Error).stack ?? error);
            foundAt ||= performance.now();
            find = { law, text, lines: [...play.person.lines], seed: own };
            throw error;
          } finally {
            steps += play.steps;
            looks += play.looks;
            for (const [what, often] of play.seen) see(what, often);
            play.close();
          }
        },
      );
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
    await nc.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  return { server: server.version, worlds: count, steps, looks, finds, seen };
}

export const tellFind = ({ text, lines, seed }: Find, version: string): string =>
  [`nats-server ${version}, seed ${seed}: ${text}`, ...lines.map((line) => `  ${line}`)].join('\n');
