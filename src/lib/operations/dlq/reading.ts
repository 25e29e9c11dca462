import type { Context } from '../../model/context.ts';
import { timeLeft } from '../../replay/pace.ts';

/** What is read in less than a moment is not worth a word: so few, or in so many milliseconds. */
const LEAST_TOLD = 10_000;
const MOMENT_MS = 500;

/** Tells how far a long reading is, from its first page on: of how many, and how long the rest takes. */
export function tellReading({ io }: Pick<Context, 'io'>, title: string): (read: number, total: number) => void {
  const began = performance.now();
  return (read, total) => {
    if (total < LEAST_TOLD && performance.now() - began < MOMENT_MS) return;
    const rest = timeLeft(read, total, performance.now() - began);
    io.tell({ type: 'progress', title: rest ? `${title} (${rest})` : title, done: read, total });
  };
}
