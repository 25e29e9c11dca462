import { afterAll } from '@jest/globals';
import { startWarm, type Warm } from './warm.ts';

export type WarmCli = Warm;

/**
 * Stands in a test file for `runCli`, and costs a fifth: the file's lines run one after another in one process. Not for
 * lines that are to run at once, nor where the subject is the process (signals, a crash, what it leaves open) or what it
 * remembers, such as a secret that another line must not know. What stdin is given runs by itself.
 *
 * @param execArgv of the process
 */
export function warmCli(execArgv: string[] = []): WarmCli {
  const warm = startWarm(execArgv);
  afterAll(() => warm.close());
  return warm;
}
