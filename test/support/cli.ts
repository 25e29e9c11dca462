import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { on, once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../../src/lib/devserver/cache.ts';
import type { TestServer } from './server.ts';

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
    until: (stream, pattern, timeout = 20_000) =>
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

export interface WarmCli {
  /** One line at a time: the next waits for the one before. */
  run(args: readonly string[]): Promise<Pick<CliResult, 'code' | 'stdout' | 'stderr'>>;
  end(): Promise<void>;
}

/**
 * One process for many lines, which is most of what a line costs. For tables of what they say and end with; not where
 * the subject is the process (signals, what is on the disk while it runs) or what it remembers, such as a secret.
 */
export function startWarmCli(options: CliOptions = {}): WarmCli {
  const child = fork(join(ROOT, 'test', 'support', 'warm-cli.cjs'), {
    cwd: options.cwd ?? ROOT,
    env: cleanEnv(options),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  const closed = once(child, 'close');
  const read = async (name: 'stdout' | 'stderr', end: string) => {
    let text = '';
    for await (const [part] of on(child[name]!, 'data', { close: ['close'] })) {
      text += part;
      const at = text.indexOf(end);
      if (at >= 0 && text.endsWith('\n')) return { text: text.slice(0, at), code: Number(text.slice(at + end.length)) };
    }
    throw new Error(`the process ended: ${text}`);
  };
  for (const name of ['stdout', 'stderr'] as const) child[name]!.setEncoding('utf8');
  const runOne = async (args: readonly string[]) => {
    const end = `end of ${randomUUID()}: `;
    const said = [read('stdout', end), read('stderr', end)] as const;
    child.send({ args, end });
    const [out, err] = await Promise.all(said);
    return { code: out.code, stdout: out.text, stderr: err.text };
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(args) {
      const done = last.then(() => runOne(args));
      last = done.catch(() => {});
      return done;
    },
    async end() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
