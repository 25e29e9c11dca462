import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../src/lib/devserver/cache.ts';
import { cleanEnv } from './cli.ts';
import type { TestServer } from './server.ts';

/** The version the field's habits were measured with. */
const VERSION = 'v0.5.1';

export interface NatsCli {
  readonly path: string;
  /** Runs it against a server and returns its stdout; throws with its stderr where it fails. */
  run(server: Pick<TestServer, 'url'>, ...args: string[]): string;
  /** The verdict of `nats server check …`: `OK`, `WARNING`, `CRITICAL`, `UNKNOWN`. */
  check(server: Pick<TestServer, 'url'>, ...args: string[]): string;
}

let found: NatsCli | null | undefined;

/** The `nats` CLI as a second opinion, or null where it cannot be had; a test then says what it did not check. */
export function findNatsCli(): NatsCli | null {
  if (found === undefined) found = locate();
  return found;
}

function locate(): NatsCli | null {
  const kept = join(cacheDir(process.env), 'nats-cli', VERSION, 'nats');
  if (works('nats')) return cli('nats');
  if (existsSync(kept) || install(kept)) return cli(kept);
  process.stderr.write('the nats CLI is neither here nor can it be built: nothing is compared with it\n');
  return null;
}

const works = (path: string): boolean => spawnSync(path, ['--version'], { timeout: 10_000 }).status === 0;

function install(target: string): boolean {
  const bench = `${target}-${process.pid}`;
  try {
    mkdirSync(bench, { recursive: true });
    const done = spawnSync('go', ['install', `github.com/nats-io/natscli/nats@${VERSION}`], {
      env: { ...process.env, GOBIN: bench },
      timeout: 10 * 60_000,
    });
    if (done.status === 0) renameSync(join(bench, 'nats'), target);
    return done.status === 0;
  } finally {
    rmSync(bench, { recursive: true, force: true });
  }
}

function cli(path: string): NatsCli {
  const spawn = ({ url }: Pick<TestServer, 'url'>, args: readonly string[]) =>
    spawnSync(path, ['--no-context', '--server', url, ...args], { encoding: 'utf8', env: cleanEnv(), timeout: 30_000 });
  return {
    path,
    run(server, ...args) {
      const done = spawn(server, args);
      if (done.status !== 0) throw new Error(`nats ${args.join(' ')}: ${done.stderr || done.stdout}`);
      return done.stdout;
    },
    check: (server, ...args) =>
      JSON.parse(spawn(server, ['server', 'check', ...args, '--format', 'json']).stdout).status,
  };
}
