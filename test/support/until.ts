import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds after which what a test waits for hangs, on a machine however busy; jest's own bound is longer. */
export const HANG_MS = 100_000;

/** Waits until it holds, and fails with what that is after so many milliseconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, ms = HANG_MS): Promise<void> {
  for (const start = performance.now(); !(await holds()); await sleep(20)) {
    if (performance.now() - start > ms) throw new Error(`${ms} ms went by, and it does not hold: ${what}`);
  }
}
