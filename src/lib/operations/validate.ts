import path from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { readWhole } from '../files/read.ts';
import { writeText } from '../files/write.ts';
import type { Context } from '../model/context.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { fixSpec } from '../spec/fix.ts';
import { loadSpec } from '../spec/load.ts';
import { isError, type SpecProblem } from '../spec/problem.ts';
import { MOST_BYTES } from '../spec/read.ts';
import { chooseSources, DEFAULT_SPEC, type SpecChoice } from './spec-source.ts';

export interface ValidateOptions extends SpecChoice {
  /** Write the safe mends into the files. */
  readonly fix?: boolean;
  /** Warnings count as errors. */
  readonly strict?: boolean;
}

export interface ValidateResult {
  /** No errors; with `strict` no warnings either. */
  readonly valid: boolean;
  readonly sources: readonly string[];
  readonly systems: readonly LoadedSpec[];
  /** What stands, in the order of the files. */
  readonly problems: readonly SpecProblem[];
  /** What `fix` has mended. */
  readonly fixed: readonly SpecProblem[];
}

/** A mend can bring another fault to light, such as a key that is read at last; three rounds reach all of them. */
const ROUNDS = 4;

/**
 * Judges specs offline; with `fix` writes the safe mends first. Changes no server and asks none.
 * @throws OpsError USAGE_NO_SPEC, USAGE, USAGE_FILE
 */
export async function validateOperation(context: Context, options: ValidateOptions): Promise<ValidateResult> {
  const sources = chooseSources(context, options);
  if (sources.length === 0) {
    throw new OpsError('USAGE_NO_SPEC', 'no spec was named', {
      where: 'osapi-ops validate',
      why: `There is no argument, no --file, no OSAPI_OPS_SPEC and no ${DEFAULT_SPEC} here.`,
      hints: [`name a file, or - for standard input`],
    });
  }
  if (options.fix && sources.includes('-')) {
    throw new OpsError('USAGE', '--fix writes into files, and standard input is none', {
      where: 'osapi-ops validate',
      hints: ['name the file'],
    });
  }
  const fixed = options.fix ? await fixAll(context, sources) : [];
  const loads = [];
  for (const source of sources) loads.push(await loadSpec(source, context));
  const problems = distinct(loads.flatMap((load) => load.problems));
  return {
    valid: !problems.some((problem) => options.strict || isError(problem)),
    sources,
    systems: loads.flatMap(({ loaded }) => (loaded ? [loaded] : [])),
    problems,
    fixed,
  };
}

/** Specs that extend the same file share its problems. */
function distinct(problems: readonly SpecProblem[]): readonly SpecProblem[] {
  const byText = new Map(problems.map((problem) => [JSON.stringify({ ...problem, mend: undefined }), problem]));
  return [...byText.values()];
}

async function fixAll(context: Context, sources: readonly string[]): Promise<readonly SpecProblem[]> {
  const fixed: SpecProblem[] = [];
  for (const source of sources) {
    for (let round = 0; round < ROUNDS; round++) {
      const { problems } = await loadSpec(source, context);
      const files = new Set(problems.filter(({ mend }) => mend).map(({ file }) => file ?? source));
      if (files.size === 0) break;
      for (const file of files) {
        const own = problems.filter((problem) => problem.mend && (problem.file ?? source) === file);
        fixed.push(...(await fixFile(path.resolve(context.cwd, file), file, own)));
      }
    }
  }
  return fixed;
}

/** Whole or not at all: the new text is written beside the file and takes its place. */
async function fixFile(file: string, name: string, problems: readonly SpecProblem[]): Promise<readonly SpecProblem[]> {
  const { text, fixed } = fixSpec((await readWhole(file, MOST_BYTES)).toString('utf8'), problems);
  await writeText({ path: file, what: name }, text);
  return fixed;
}
