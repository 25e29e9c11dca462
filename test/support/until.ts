import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until it holds, and fails with what that is after so many milliseconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, ms = 20_000): Promise<void> {
  for (const start = performance.now(); !(await holds()); await sleep(20)) {
    if (performance.now() - start > ms) throw new Error(`${ms} ms went by, and it does not hold: ${what}`);
  }
}
