import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateServer } from '../devserver/locate.ts';
import { run } from '../devserver/run.ts';
import { startServers } from '../devserver/supervise.ts';
import { forgetFile, watchFile } from '../devserver/watchdog.ts';
import type { Context } from '../model/context.ts';
import type { DemoReport, DemoStep } from '../model/demo.ts';
import { shellLine } from '../model/shell.ts';
import type { Nats } from '../nats/connect.ts';
import { openNats } from '../nats/open.ts';
import { broken, type Stage, story } from './demo/story.ts';
import type { Launcher } from './dev/guests.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The guided tour, on a server of its own that is removed at the end. `onStep` hears of each step when it is done.
 * @throws OpsError DEV_FAILED where a step is not as told; DEV_NO_SERVER
 */
export async function runDemo(
  context: Context,
  place: { readonly root: string; readonly launcher: Launcher; readonly console?: boolean },
  tell: { onServer(server: DemoReport['server']): void; onStep(step: DemoStep): void },
): Promise<DemoReport> {
  const { io } = context;
  const located = await locateServer(context);
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-demo-'));
  watchFile(dir);
  let nats: Nats | undefined;
  const servers = await startServers({ binary: located.path, dir, signal: io.signal }).catch((error) => {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  const env = quietEnv(context.env, servers.url, dir);
  const background = openBackground(place.launcher, { env, cwd: dir, signal: io.signal });
  try {
    const server = { version: located.version, url: servers.url };
    tell.onServer(server);
    const stage: Stage = {
      dir,
      nats: async () => (nats ??= await openNats({ ...context, env, connection: {} })),
      async command(want, ...args) {
        const [program, ...script] = place.launcher;
        const done = await run(program, [...script, ...args], { env, cwd: dir, signal: io.signal });
        if (done.code === want) return done.stdout || done.stderr;
        const said = `${done.stdout}${done.stderr}`;
        throw broken(args.join(' '), `it ended with ${done.code}, not ${want}`, said);
      },
      worker: background.start,
    };
    const steps: DemoStep[] = [];
    for (const scene of story(join(place.root, 'config/dev.yaml'))) {
      io.signal.throwIfAborted();
      const output = (await scene.play(stage)).trimEnd();
      const command = scene.command && shellLine(['osapi-ops', ...scene.command]);
      const step: DemoStep = { title: scene.title, command, output, shows: scene.shows };
      steps.push(step);
      tell.onStep(step);
    }
    if (place.console) await lookOn(place.launcher, { env, cwd: dir, signal: io.signal });
    return { server, steps };
  } catch (error) {
    // A process that Ctrl-C ended is an interruption, not a step that went wrong.
    io.signal.throwIfAborted();
    throw error;
  } finally {
    await background.stop();
    await nats?.close();
    await servers.stop();
    rmSync(dir, { recursive: true, force: true });
    forgetFile(dir);
  }
}

interface Run {
  readonly env: Env;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** The console on what the tour made, until it is ended. Its address is talk here, for the report has stdout. */
function lookOn([program, ...script]: Launcher, { env, cwd, signal }: Run): Promise<void> {
  const child = spawn(program, [...script, 'console'], { env: env as NodeJS.ProcessEnv, cwd, stdio: ['ignore', 2, 2] });
  const end = () => child.kill('SIGTERM');
  signal.addEventListener('abort', end);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      // What was wrong it said itself.
      if (code === 0 || signal.aborted) resolve();
      else reject(broken('console', `the console ended with ${code}`, ''));
    });
  });
}

/** The environment without what would lead to another server: contexts, credentials, our own defaults. */
function quietEnv(env: Context['env'], url: string, dir: string): Env {
  const kept = Object.entries(env).filter(([name]) => !/^(NATS_|OSAPI_OPS_)/.test(name));
  return { ...Object.fromEntries(kept), NATS_URL: url, XDG_CONFIG_HOME: dir };
}

/** A worker says this on stderr when it has begun. */
const READY = /works on/;
/** Should we be killed, the worker ends when it has been idle for so long. */
const IDLE_EXIT = ['--idle-exit', '60s'];

/** One worker at a time behind the scenes; the one before ends first, with what it has in hand done. */
function openBackground(
  [program, ...script]: Launcher,
  { env, cwd, signal }: Run,
): { start(...args: string[]): Promise<void>; stop(): Promise<void> } {
  let current: ChildProcess | undefined;
  async function stop(): Promise<void> {
    const child = current;
    current = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await gone;
  }
  async function start(...args: string[]): Promise<void> {
    await stop();
    signal.throwIfAborted();
    const child = spawn(program, [...script, ...args, ...IDLE_EXIT], {
      env: env as NodeJS.ProcessEnv,
      cwd,
      windowsHide: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    current = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => reject(broken(args.join(' '), `the worker ended with ${code}`, said)));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (READY.test(said)) resolve();
      });
    });
  }
  return { start, stop };
}
