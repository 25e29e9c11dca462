import { concealAll } from '../errors/conceal.ts';
import { OpsError } from '../errors/ops-error.ts';
import { toType } from '../model/shell.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { assembleSpec } from './assemble.ts';
import { check } from './check.ts';
import { parseText } from './document.ts';
import { judgeForeign } from './foreign.ts';
import { fillVariables, interpolate } from './interpolate.ts';
import { isError, type SpecProblem } from './problem.ts';
import { extendedPath, fileName, nameOfSource, pathOf, readSource, type SpecIo } from './read.ts';
import { rebaseConnection } from './rebase.ts';
import { runRules } from './rules/judge.ts';
import { specShape } from './shape.ts';
import { entryAt, mergeNodes, type Node, placeOf, positionOfPlace } from './tree.ts';
import { translate } from './words.ts';

export interface SpecLoad {
  /** Absent when an error stands. */
  readonly loaded?: LoadedSpec;
  /** Errors and warnings, in the order of the files. */
  readonly problems: readonly SpecProblem[];
}

/** A chain of `extends` longer than this is a mistake. */
const LONGEST_CHAIN = 20;

/**
 * Reads a spec and what it extends, and judges it: text → nodes → merged → variables → words → checked → rules.
 * `source` is a path, or `-` for standard input. Faults come back as problems; nothing is thrown for them.
 */
export async function loadSpec(source: string, io: SpecIo): Promise<SpecLoad> {
  const chain = new Chain(io);
  const merged = await chain.read(source, nameOfSource(source));
  if (!merged) return { problems: inOrder(chain.problems, chain.files) };
  const foreign = judgeForeign(merged);
  if (foreign) return { problems: inOrder([...chain.problems, ...foreign], chain.files) };
  return judgeMerged(merged, source, chain, io);
}

/** The same for a text that stands alone, such as `printSpec` writes: no file is read, no variable is filled. */
export function loadAlone(text: string, source: string, cwd: string): SpecLoad {
  const { root, problems } = parseText(source, text);
  return root ? judgeMerged(root, source, { problems, files: [source] }, { cwd, env: {} }) : { problems };
}

function judgeMerged(
  root: Node,
  source: string,
  read: { readonly problems: readonly SpecProblem[]; readonly files: readonly string[] },
  { cwd, env }: Pick<SpecIo, 'cwd' | 'env'>,
): SpecLoad {
  const filled = interpolate(root, env);
  const { loaded, problems } = judgeTree(filled.root, source, read.files, cwd);
  const all = [...read.problems, ...filled.problems, ...unlessFilling(problems, filled.problems)];
  const sorted = inOrder(all, read.files);
  return loaded && !all.some(isError) ? { loaded, problems: sorted } : { problems: sorted };
}

/**
 * The same for those who need a spec to go on with.
 * @throws OpsError SPEC_INVALID or SPEC_UNREADABLE with every problem
 */
export async function requireSpec(
  source: string,
  io: SpecIo,
): Promise<LoadedSpec & { problems: readonly SpecProblem[] }> {
  const { loaded, problems } = await loadSpec(source, io);
  if (loaded) return { ...loaded, problems };
  const errors = problems.filter(isError);
  const unreadable = errors.find((problem) => problem.code === 'SPEC_UNREADABLE');
  if (unreadable && errors.length === 1 && unreadable.line === undefined) {
    throw new OpsError('SPEC_UNREADABLE', unreadable.message, {
      ...(unreadable.file ? { where: unreadable.file } : {}),
      ...(unreadable.why ? { why: unreadable.why } : {}),
      hints: unreadable.hint ? [unreadable.hint] : [],
      problems,
    });
  }
  throw new OpsError(
    'SPEC_INVALID',
    `${nameOfSource(source)} has ${errors.length} error${errors.length === 1 ? '' : 's'}`,
    {
      where: nameOfSource(source),
      why: 'Nothing was touched: a spec is carried out only when all of it is right.',
      hints: [
        errors.some(({ mend }) => mend) && source !== '-'
          ? `mend what is listed; \`${toType`osapi-ops validate --fix ${source}`}\` writes the safe mends.`
          : 'mend what is listed.',
      ],
      problems,
    },
  );
}

/** Variables that are missing leave wrong values behind; those faults would only repeat the first. */
function unlessFilling(problems: readonly SpecProblem[], filling: readonly SpecProblem[]): readonly SpecProblem[] {
  const lines = new Set(filling.map(({ file, line }) => `${file}:${line}`));
  return problems.filter(({ file, line }) => !lines.has(`${file}:${line}`));
}

function judgeTree(root: Node, source: string, files: readonly string[], cwd: string): SpecLoad {
  const words = translate(root, specShape);
  const checked = check(words.root);
  const written = assembleSpec(checked.written);
  const spec = { ...written, connection: rebaseConnection(written.connection, words.root, source, cwd) };
  const loaded: LoadedSpec = {
    spec,
    source,
    files,
    positionOf: (path) => positionOfPlace(placeOf(words.root, path)),
  };
  const findings = runRules(spec, words.root, checked.faulty);
  return { loaded, problems: [...words.problems, ...checked.problems, ...findings] };
}

/** By file, line and column, and without secrets: base files first, as they are read. */
function inOrder(problems: readonly SpecProblem[], files: readonly string[]): SpecProblem[] {
  const rank = new Map(files.map((file, index) => [file, index]));
  const key = (problem: SpecProblem) => rank.get(problem.file ?? '') ?? -1;
  return problems
    .map(({ mend, ...problem }) => ({ ...concealAll(problem), ...(mend && { mend }) }))
    .sort((a, b) => key(a) - key(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** Reads a spec and the files it extends, and merges them; the base first. */
class Chain {
  readonly problems: SpecProblem[] = [];
  /** Names for people, the extended ones first. */
  readonly files: string[] = [];
  readonly #io: SpecIo;
  readonly #paths: string[] = [];

  constructor(io: SpecIo) {
    this.#io = io;
  }

  async read(source: string, name: string): Promise<Node | undefined> {
    const read = await readSource(source, name, this.#io);
    if (!('text' in read)) {
      this.problems.push(read);
      return undefined;
    }
    this.#paths.push(pathOf(source, this.#io));
    const parsed = parseText(read.name, read.text);
    this.problems.push(...parsed.problems);
    const base = parsed.root ? await this.#base(parsed.root, read.path) : undefined;
    this.files.push(read.name);
    if (!parsed.root || base === 'failed') return undefined;
    return base ? mergeNodes(base, parsed.root) : parsed.root;
  }

  async #base(root: Node, from: string): Promise<Node | 'failed' | undefined> {
    const entry = entryAt(root, ['extends']);
    if (!entry || (entry.value.kind === 'scalar' && entry.value.value === null)) return undefined;
    const fault = (message: string, why: string, hint: string): 'failed' => {
      this.problems.push({
        code: 'SPEC_EXTENDS',
        severity: 'error',
        ...positionOfPlace(entry.value.place),
        path: 'extends',
        message,
        why,
        hint,
      });
      return 'failed';
    };
    const target = entry.value.kind === 'scalar' ? entry.value.value : undefined;
    if (typeof target !== 'string') {
      return fault('extends must be a path', 'One spec extends one file.', 'write `extends: ./base.yaml`.');
    }
    const filled = fillVariables(target, this.#io.env);
    if (filled.faults[0]) return fault(filled.faults[0].message, filled.faults[0].why, filled.faults[0].hint);
    // Its query and its password are nobody's to see, and nothing is fetched.
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(filled.text)) {
      return fault(
        'extends is a URL',
        'A spec extends a file, and fetches nothing.',
        'fetch it first, and name that file.',
      );
    }
    const path = extendedPath(from, filled.text);
    const seen = this.#paths.indexOf(path);
    if (seen >= 0) {
      const circle = [...this.#paths.slice(seen), path].map((each) => fileName(each, this.#io)).join(' → ');
      return fault(`extends goes in a circle: ${circle}`, 'Merging it would never end.', 'break the circle here.');
    }
    if (this.#paths.length >= LONGEST_CHAIN) {
      return fault(
        `extends goes through more than ${LONGEST_CHAIN} files`,
        'A chain that long cannot be followed by a reader.',
        'merge some of them.',
      );
    }
    const before = this.problems.length;
    const name = fileName(path, this.#io);
    const base = await this.read(path, name);
    const first = this.problems[before];
    if (!base && first?.code === 'SPEC_UNREADABLE') {
      this.problems.splice(before, 1);
      // As it is written: what a variable puts into it is not ours to show.
      const message = first.message.replaceAll(name, target);
      return fault(message, first.why ?? '', 'check the path: it is relative to the file that extends.');
    }
    return base ?? 'failed';
  }
}
