import { access, mkdir } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { OpsError, type Problem } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { writeText } from '../files/write.ts';
import type { Context } from '../model/context.ts';
import { specJsonSchema } from '../spec/json-schema.ts';
import { loadSpec } from '../spec/load.ts';
import { DEFAULT_SCHEMA } from '../spec/print.ts';
import { isError } from '../spec/problem.ts';
import { starterText } from '../spec/starter.ts';
import { exportOperation, type NotExported } from './export.ts';
import { askAnswers, type WrittenAnswers } from './init/questions.ts';

export interface InitOptions {
  /** Relative to the working directory. */
  readonly dir: string;
  readonly answers: WrittenAnswers;
  /** Take the defaults for what is not answered, on a terminal too. */
  readonly yes: boolean;
  /** Overwrite a spec that is there. */
  readonly force: boolean;
  /** Write what is live instead of asking; the answer `name` then chooses the system. */
  readonly fromServer: boolean;
}

export interface InitResult {
  readonly system: string;
  /** The spec's path, relative to the working directory. */
  readonly path: string;
  /** Everything that was written. */
  readonly written: readonly string[];
  /** Warnings about the spec. Errors are thrown, but of what is live, which is written to be mended. */
  readonly problems: readonly Problem[];
  /** What is live and has no place in a spec. */
  readonly leftOut: readonly NotExported[];
}

const FILE = 'osapi-ops.yaml';

/**
 * Writes a first spec into a directory, with the editor's schema beside it.
 * @throws OpsError USAGE_FILE where one is there already, USAGE for an answer that is no value, SPEC_INVALID where the
 * answers do not make a valid spec; nothing is written then
 */
export async function initOperation(context: Context, options: InitOptions): Promise<InitResult> {
  const dir = resolve(context.cwd, options.dir);
  const path = join(dir, FILE);
  const shown = relative(context.cwd, path) || path;
  if (!options.force && (await exists(path))) throw alreadyThere(shown);
  if (options.fromServer) {
    const { name } = options.answers;
    const { text, system, leftOut } = await exportOperation(context, {
      names: name === undefined ? [] : [name],
      naming: 'osapi-ops init --from-server --name',
    });
    return { ...(await writeSpec(context, { dir, shown, text, live: system })), leftOut };
  }
  const answers = await askAnswers(context, options, basename(dir));
  return writeSpec(context, { dir, shown, text: starterText(answers, DEFAULT_SCHEMA) });
}

interface SpecFile {
  readonly dir: string;
  readonly shown: string;
  readonly text: string;
  /** The system's name where the spec is of what is live. */
  readonly live?: string;
}

async function writeSpec(context: Context, { dir, shown, text, live }: SpecFile): Promise<InitResult> {
  const { loaded, problems } = await loadSpec('-', { cwd: dir, env: {}, readStdin: async () => text });
  const system = loaded?.spec.name ?? live;
  if (system === undefined) throw invalid(shown, problems.filter(isError));
  await mkdir(dir, { recursive: true }).catch((error) => {
    throw cannotWrite(dir, error);
  });
  const schema = join(dir, DEFAULT_SCHEMA);
  const written = [shown];
  await writeText({ path: join(dir, FILE), what: shown }, text);
  if (!(await exists(schema))) {
    await writeText({ path: schema, what: schema }, `${JSON.stringify(specJsonSchema(), null, 2)}\n`);
    written.push(relative(context.cwd, schema) || schema);
  }
  return { system, path: shown, written, problems, leftOut: [] };
}

const cannotWrite = (path: string, error: NodeJS.ErrnoException): OpsError =>
  new OpsError('USAGE_FILE', `cannot write ${path}: ${systemReason(error)}`, {
    where: path,
    hints: ['check that the directory is there and that you may write to it.'],
    cause: error,
  });

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const alreadyThere = (path: string): OpsError =>
  new OpsError('USAGE_FILE', `${path} is there already`, {
    where: path,
    why: 'init writes a new spec and keeps what people wrote.',
    hints: [`edit it, name another directory, or pass --force to overwrite it.`],
  });

const invalid = (path: string, problems: readonly Problem[]): OpsError =>
  new OpsError('SPEC_INVALID', 'these answers do not make a valid spec', {
    where: path,
    why: 'Nothing was written.',
    hints: ['run init again with other answers.'],
    problems: problems.map(({ code, path: at, message, why, hint }) => ({ code, path: at, message, why, hint })),
  });
