import type { Problem } from '../errors/ops-error.ts';

/** Replaces the characters from `start` to `end` of a spec's text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A mend that is safe to write: it says the same thing better, or what the server would do anyway. */
export interface Mend {
  readonly edits: readonly Edit[];
}

/** A fault of a spec; with `mend`, `validate --fix` can write it. */
export interface SpecProblem extends Problem {
  readonly mend?: Mend;
}

export const isError = (problem: Problem): boolean => problem.severity !== 'warning';
