// Plays a scene: a server and a directory of its own, what comes before unseen, then each command in a terminal.
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { runCli } from '../../test/support/cli.ts';
import { connectTo } from '../../test/support/connected.ts';
import { startInTerminal } from '../../test/support/pty.ts';
import { startServer } from '../../test/support/server.ts';
import { screenOf } from './screen.ts';
import { svgOf } from './svg.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Stage {
  readonly nats: Nats;
  write(name: string, text: string): void;
  /** Runs osapi-ops unseen. @throws Error where it ends with another code than 0 */
  run(...args: string[]): Promise<void>;
  /** The same, and goes on without waiting; what it runs has to end by itself. */
  begin(...args: string[]): void;
}

export interface Act {
  /** As typed after `osapi-ops`. */
  readonly args: readonly string[];
  /** Waits for a text, then types. */
  readonly answer?: readonly [RegExp, string];
  before?(stage: Stage): Promise<void> | void;
}

export interface Scene {
  /** Of the file, and of nothing else. */
  readonly name: string;
  /** For those who do not see it. */
  readonly title: string;
  readonly columns: number;
  before(stage: Stage): Promise<void>;
  readonly acts: readonly Act[];
}

/** What differs from run to run, drawn the same; each keeps its width where a table is drawn. */
const VARYING: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/\b127\.0\.0\.1:\d+\b/g, '127.0.0.1:4222'],
  [/\b2\.15\.\d+\b/g, '2.15.2'],
  [/(?<=died |died again |oldest for )\d+m?s\b/g, '4s'],
  [/(?<=(?:max_deliveries|terminated|replayable) {2,})\d+m?s +/g, (found) => '4s'.padEnd(found.length)],
];
const settled = (text: string): string =>
  VARYING.reduce((rest, [from, to]) => rest.replace(from, to as (found: string) => string), text);

/** The picture of a scene, the same in every run. */
export async function playScene(scene: Scene): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-picture-'));
  cpSync(join(ROOT, 'config'), join(dir, 'config'), { recursive: true });
  const server = await startServer({ version: '2.15' });
  const nats = await connectTo(server);
  const under: Promise<unknown>[] = [];
  const options = { cwd: dir, server };
  const stage: Stage = {
    nats,
    write(name, text) {
      writeFileSync(join(dir, name), text);
      chmodSync(join(dir, name), 0o755);
    },
    async run(...args) {
      const { code, stderr } = await runCli(args, options);
      if (code !== 0) throw new Error(`osapi-ops ${args.join(' ')} ended with ${code}\n${stderr}`);
    },
    begin: (...args) => void under.push(stage.run(...args)),
  };
  try {
    await scene.before(stage);
    let written = '';
    for (const { args, answer, before } of scene.acts) {
      await before?.(stage);
      const terminal = startInTerminal(args, { ...options, columns: scene.columns, rows: 100 });
      if (answer) {
        await terminal.expect(answer[0]);
        terminal.send(answer[1]);
      }
      await terminal.done;
      written += `${written ? '\r\n' : ''}\x1b[2m$\x1b[0m \x1b[1mosapi-ops ${args.join(' ')}\x1b[0m\r\n${terminal.raw()}`;
    }
    await Promise.all(under);
    return svgOf(await screenOf(settled(written), scene.columns), scene);
  } finally {
    await nats.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
