import { EXIT } from '../errors/codes.ts';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { reportFailure } from './report.ts';

let isWork = false;
let failure: OpsError | undefined;

/** Says that what is under way goes on to its end though nobody can read what it prints: the work counts, not the words. */
export function finishUnread(): void {
  isWork = true;
  // oclif's own listener throws.
  for (const listener of process.stdout.listeners('error').slice(1))
    process.stdout.off('error', listener as () => void);
}

/**
 * Watches what is written to stdout. A reader that has gone, as `head` does, ends the run without a word; a disk that is
 * full ends it with an error, since what was printed is not whole. Work is finished first.
 */
export function watchOutput(argv: () => readonly string[], root: string): void {
  const fail = (): number => reportFailure(failure, { argv: argv(), command: '', root });
  process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure ??= cutShort(error);
    if (!isWork) process.exit(failure ? fail() : EXIT.done);
    // Who waits for room to write would wait for ever.
    process.stdout.emit('drain');
  });
  // What cannot be told there can be told nowhere.
  process.stderr.on('error', () => {});
  process.on('exit', (code) => {
    if (failure && isWork && (code === EXIT.done || code === EXIT.pending)) process.exitCode = fail();
  });
}

const cutShort = (error: unknown): OpsError =>
  new OpsError('OUTPUT_FAILED', `cannot write to standard output: ${systemReason(error)}`, {
    why: isWork
      ? 'The work was done to its end; what was to be printed is not whole.'
      : 'What was printed is not whole.',
    hints: ['make room where the output goes, or send it elsewhere'],
    cause: error,
  });
