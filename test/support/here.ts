import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What this machine has of what some tests need besides npm. */
export interface Here {
  /** The server lines that can be had, as `2.15`. */
  readonly lines: readonly string[];
  /** The path of the nats CLI. */
  readonly natsCli: string | null;
  /** The path of a Chromium or a Chrome. */
  readonly browser: string | null;
  readonly lacking: readonly string[];
}

const VARIABLE = 'OSAPI_OPS_TEST_HERE';

/** What was found out; undefined where no test of this run has asked. */
export const known = (): Here | undefined => process.env[VARIABLE] && JSON.parse(process.env[VARIABLE]);

/** Finds it out once, also for the processes that are started after: in a variable of the environment. */
export function here(): Here {
  process.env[VARIABLE] ??= spawnSync(
    process.execPath,
    ['--no-warnings', fileURLToPath(new URL('./bring.ts', import.meta.url))],
    { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  ).stdout;
  return known()!;
}
