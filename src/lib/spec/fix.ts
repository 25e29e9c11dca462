import type { Edit, SpecProblem } from './problem.ts';

export interface Fixed {
  readonly text: string;
  /** The problems that are mended in it. */
  readonly fixed: readonly SpecProblem[];
}

/**
 * Writes the safe mends of one file's problems into its text. Everything else stays byte for byte: comments, quotes,
 * blanks, line ends. Of two mends that touch the same characters the first is written; the next run finds the other.
 */
export function fixSpec(text: string, problems: readonly SpecProblem[]): Fixed {
  const fixed: SpecProblem[] = [];
  const edits: Edit[] = [];
  const seen = new Set<string>();
  for (const problem of problems) {
    const wanted = problem.mend?.edits ?? [];
    if (wanted.length === 0) continue;
    const key = JSON.stringify(wanted);
    // Aliases share their text: the same mend asked for twice is one.
    if (seen.has(key)) {
      fixed.push(problem);
      continue;
    }
    if (wanted.some((edit) => edits.some((other) => edit.start < other.end && other.start < edit.end))) continue;
    seen.add(key);
    edits.push(...wanted);
    fixed.push(problem);
  }
  let out = text;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => b.start - a.start)) {
    out = out.slice(0, start) + replacement + out.slice(end);
  }
  return { text: out, fixed };
}
