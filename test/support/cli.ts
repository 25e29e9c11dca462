import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../../src/lib/devserver/cache.ts';
import type { TestServer } from './server.ts';
import { HANG_MS } from './until.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const BIN = join(ROOT, 'bin', 'run.js');

export interface CliOptions {
  /** Added to a clean environment; `undefined` removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Sets NATS_URL. */
  readonly server?: Pick<TestServer, 'url'>;
  /** Another program than `node bin/run.js`. */
  readonly command?: readonly string[];
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home that nobody has; it comes to be only where a program writes into it. */
const home = join(tmpdir(), `osapi-ops-home-${randomUUID()}`);

/** An environment with no settings of the person who runs the tests, except for where fetched servers are kept. */
export function cleanEnv(options: CliOptions = {}): NodeJS.ProcessEnv {
  const env = {
    PATH: [dirname(process.execPath), process.env.PATH].join(':'),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: dirname(cacheDir(process.env)),
    TMPDIR: tmpdir(),
    USER: 'tester',
    LANG: 'C.UTF-8',
    ...(options.server ? { NATS_URL: options.server.url } : {}),
    ...options.env,
  };
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

/** A CLI process that is under way. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves to the match, or rejects with all output when `timeout` ms are over or the process ended without it. */
  until(stream: 'stdout' | 'stderr', pattern: RegExp, timeout?: number): Promise<RegExpMatchArray>;
  readonly done: Promise<CliResult>;
}

/** Starts `bin/run.js` as a process of its own, without a terminal. */
export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const [command = process.execPath, ...first] = options.command ?? [process.execPath, BIN];
  const child = spawn(command, [...first, ...args], {
    cwd: options.cwd ?? ROOT,
    env: cleanEnv(options),
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
      for (const watch of watchers) watch();
    });
  }
  child.stdin?.on('error', () => {}).end(options.stdin);
  let ended = false;
  const done = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      ended = true;
      resolve({ code, signal, ...text });
      for (const watch of watchers) watch();
    });
  });
  return {
    child,
    pid: child.pid!,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    until: (stream, pattern, timeout = HANG_MS) =>
      new Promise((resolve, reject) => {
        const end = (act: () => void) => {
          clearTimeout(timer);
          watchers.delete(look);
          act();
        };
        const fail = (why: string) =>
          end(() =>
            reject(new Error(`${why} ${pattern} on ${stream}\n--- stdout\n${text.stdout}\n--- stderr\n${text.stderr}`)),
          );
        const look = () => {
          const match = text[stream].match(pattern);
          if (match) end(() => resolve(match));
          else if (ended) fail('the process ended without');
        };
        const timer = setTimeout(() => fail(`${timeout} ms went by without`), timeout);
        watchers.add(look);
        look();
      }),
    done,
  };
}

/** Runs the CLI to its end: argv in; exit code, stdout and stderr out. */
export const runCli = (args: readonly string[], options: CliOptions = {}): Promise<CliResult> =>
  startCli(args, options).done;
