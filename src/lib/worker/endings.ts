import { printSize, tookMs } from '../model/units.ts';

/** Why work on a request was ended from outside, or ended with what did it: a failure with its reason. */
export interface Ending {
  readonly type: 'failure';
  readonly reason: string;
}

const ending = (reason: string): Ending => ({ type: 'failure', reason });

export const tookTooLong = (timeoutMs: number): Ending => ending(`took longer than ${tookMs(timeoutMs)}`);

export const tookTooMuch = (memory: number): Ending =>
  ending(`used more than ${printSize(memory)} of memory (--handler-memory)`);

export const threwOutside = (what: string): Ending => ending(`outside of its own call it threw ${what}`);

export const exitedWith = (code: number): Ending => ending(`the handler ended its process (exit code ${code})`);

/** What it says where a thread ended by itself: with an error that nobody caught, or because the handler ended it. */
export function endedAlone(fault: (Error & { code?: string }) | undefined, code: number, memory: number): Ending {
  if (fault?.code === 'ERR_WORKER_OUT_OF_MEMORY') return tookTooMuch(memory);
  return fault ? threwOutside(`${fault.name}: ${fault.message}`) : exitedWith(code);
}
