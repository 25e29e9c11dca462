import type { Context } from '../../model/context.ts';
import { timeLeft } from '../../replay/pace.ts';

/** What is read in less than a moment is not worth a word: so few, or in so many milliseconds. */
const LEAST_TOLD = 10_000;
const MOMENT_MS = 500;

/**
 * Tells how far a long reading is, from its first page on: of how many, and how long the rest takes. That is counted from
 * that page: what was waited for before it, as a lock, says nothing of the rest.
 */
export function tellReading({ io }: Pick<Context, 'io'>, title: string): (read: number, total: number) => void {
  const began = performance.now();
  let first: { readonly read: number; readonly at: number } | undefined;
  return (read, total) => {
    first ??= { read, at: performance.now() };
    if (total < LEAST_TOLD && performance.now() - began < MOMENT_MS) return;
    const rest = timeLeft(read - first.read, total - first.read, performance.now() - first.at);
    io.tell({ type: 'progress', title: rest ? `${title} (${rest})` : title, done: read, total });
  };
}
