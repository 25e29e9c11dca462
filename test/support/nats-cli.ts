import { spawnSync } from 'node:child_process';
import { cleanEnv } from './cli.ts';
import { here } from './here.ts';
import type { TestServer } from './server.ts';

export interface NatsCli {
  readonly path: string;
  /** Runs it against a server and returns its stdout; throws with its stderr where it fails. */
  run(server: Pick<TestServer, 'url'>, ...args: string[]): string;
  /** The verdict of `nats server check …`: `OK`, `WARNING`, `CRITICAL`, `UNKNOWN`. */
  check(server: Pick<TestServer, 'url'>, ...args: string[]): string;
}

/** The `nats` CLI as a second opinion, or null where it cannot be had: such a test is of `needing('the nats CLI')`. */
export function findNatsCli(): NatsCli | null {
  const { natsCli } = here();
  return natsCli === null ? null : cli(natsCli);
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
