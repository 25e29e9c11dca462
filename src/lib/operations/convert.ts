import { resolve } from 'node:path';
import { parse } from 'yaml';
import { isEmptySpec } from '../convert/assemble.ts';
import { type Conversion, convertFiles } from '../convert/convert.ts';
import type { ForeignFile } from '../convert/found.ts';
import { withoutMonitor } from '../desired/monitor.ts';
import { OpsError, type Problem } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { readWhole } from '../files/read.ts';
import type { Context } from '../model/context.ts';
import type { Json } from '../model/json.ts';
import { HEALTH_DEFAULTS } from '../spec/assemble.ts';
import { loadSpec } from '../spec/load.ts';
import { printSpec, withoutDefaults } from '../spec/print.ts';

export interface ConvertOptions {
  /** Paths; `-` is standard input. */
  readonly files: readonly string[];
  readonly name?: string;
  readonly stream?: string;
}

export interface ConvertResult {
  /** The spec as YAML text. */
  readonly text: string;
  /** The same as a value, in the spec's words and units. */
  readonly spec: Json;
  readonly leftOut: Conversion['leftOut'];
  readonly guessedBeside?: Conversion['guessedBeside'];
  /** What is wrong with the result: mistakes that were in the files already, and warnings. Positions are of `text`. */
  readonly problems: readonly Problem[];
}

/** A dump of thousands of streams has a few MiB; beyond this a file was named by mistake. In bytes. */
const LARGEST = 64 * 1024 * 1024;

/** Servers fill in the fields of a newer version by the same rules, so what a file leaves out is judged by a recent one. */
const VERSION = '2.14.0';

/**
 * Foreign files → a spec, what had no place in it, and what is wrong with it.
 * @throws OpsError USAGE_FILE where a file cannot be read, SPEC_UNREADABLE where nothing in them can be converted
 */
export async function convertOperation(context: Context, options: ConvertOptions): Promise<ConvertResult> {
  const files = await Promise.all([...new Set(options.files)].map((file) => readForeign(context, file)));
  const { spec, leftOut, guessedBeside } = convertFiles(files, { ...options, health: HEALTH_DEFAULTS });
  if (isEmptySpec(spec)) throw nothingFound(options.files, leftOut);
  const text = printSpec(withoutDefaults(withoutMonitor(spec, undefined), VERSION), headerOf(options.files));
  const { problems } = await loadSpec('-', { cwd: context.cwd, env: {}, readStdin: async () => text });
  return {
    text,
    spec: parse(text) as Json,
    leftOut,
    ...(guessedBeside && { guessedBeside }),
    problems: problems.map(({ file: _, ...problem }) => ({ ...problem, file: 'the converted spec' })),
  };
}

const headerOf = (files: readonly string[]): string =>
  `Converted by osapi-ops from ${files.map((file) => file.replace(/[^\x20-\x7e]/g, '?')).join(', ')}.`;

async function readForeign(context: Context, file: string): Promise<ForeignFile> {
  try {
    if (file === '-') return { file, text: await context.readStdin(LARGEST) };
    return { file, text: (await readWhole(resolve(context.cwd, file), LARGEST)).toString('utf8') };
  } catch (cause) {
    throw new OpsError('USAGE_FILE', `cannot read ${file}: ${systemReason(cause)}`, {
      where: file,
      hints: ['name the files that hold the configurations'],
      cause,
    });
  }
}

function nothingFound(files: readonly string[], leftOut: Conversion['leftOut']): OpsError {
  return new OpsError('SPEC_UNREADABLE', `nothing in ${files.join(', ')} can be converted`, {
    why: 'No stream and no bucket was found, and a spec begins with one.',
    hints: [
      'give what `nats stream info NAME --json` and `nats consumer info STREAM NAME --json` write, NACK manifests, or `terraform show -json`.',
    ],
    problems: leftOut.map(({ file, path, why }) => ({ code: 'CONVERT_LEFT_OUT', file, path, message: why })),
  });
}
