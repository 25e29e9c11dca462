import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { systemReason, TooLong } from '../errors/system-error.ts';
import { readWhole } from '../files/read.ts';
import type { SpecProblem } from './problem.ts';

/** What the reader needs of the outside world. */
export interface SpecIo {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The whole of standard input as text. Throws where it has more bytes than `most`. */
  readonly readStdin: (most: number) => Promise<string>;
}

/** 4 MiB: a spec of 5,000 queues. Beyond it a file was named by mistake. */
export const MOST_BYTES = 4 * 1024 * 1024;
const STDIN_NAME = '<stdin>';

export interface ReadText {
  readonly name: string;
  /** Absolute; what `extends` is relative to. */
  readonly path: string;
  readonly text: string;
}

/** The absolute path of a source; what stdin extends is relative to the working directory. */
export const pathOf = (source: string, io: SpecIo): string =>
  source === '-' ? join(io.cwd, STDIN_NAME) : resolve(io.cwd, source);

/** A source as people named it. */
export const nameOfSource = (source: string): string => (source === '-' ? STDIN_NAME : source);

/** The path an `extends` means: relative to the file that says it. */
export const extendedPath = (from: string, target: string): string =>
  isAbsolute(target) ? target : resolve(dirname(from), target);

/** An absolute path for people: relative to the working directory where it is below it. */
export function fileName(path: string, io: SpecIo): string {
  const near = relative(io.cwd, path);
  return near !== '' && !near.startsWith('..') && !isAbsolute(near) ? near : path;
}

/** Reads one spec text, to be called `name` before people; what keeps it from being read comes back as a problem, never as an exception. */
export async function readSource(source: string, name: string, io: SpecIo): Promise<ReadText | SpecProblem> {
  const path = pathOf(source, io);
  const fault = (message: string, why: string, hint: string): SpecProblem => ({
    code: 'SPEC_UNREADABLE',
    severity: 'error',
    file: name,
    message,
    why,
    hint,
  });
  let bytes: Buffer | string;
  try {
    bytes = source === '-' ? await io.readStdin(MOST_BYTES) : await readWhole(path, MOST_BYTES);
  } catch (error) {
    return fault(...reasonOf(name, error, await endsOtherwise(path)));
  }
  const text = decode(bytes);
  if (text === undefined) {
    return fault(
      `${name} is no text in UTF-8`,
      'It holds bytes that no YAML file has: it is binary, or was saved in another encoding such as UTF-16.',
      'check the path, or save the file as UTF-8.',
    );
  }
  return { name, path, text };
}

/** The file that stands there under the other ending of YAML; `undefined` where none does. */
async function endsOtherwise(path: string): Promise<string | undefined> {
  const other = path.replace(/\.ya?ml$/, (ending) => (ending === '.yml' ? '.yaml' : '.yml'));
  if (other === path) return undefined;
  return readWhole(other, MOST_BYTES).then(
    () => basename(other),
    () => undefined,
  );
}

function reasonOf(name: string, error: unknown, other?: string): [string, string, string] {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof TooLong) {
    return [
      `${name} is too long for a spec: ${error.message}`,
      'A spec of 500 queues has about 0.3 MiB, so this is hardly one.',
      'check the path, or split the system into several specs.',
    ];
  }
  if (code === 'EISDIR') return [`${name} is a directory`, 'A spec is one YAML file.', 'name the file in it.'];
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return [
      `there is no file ${name}`,
      'Nothing stands at this path.',
      other === undefined ? 'check the path, and from which directory you run.' : `did you mean ${other}?`,
    ];
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return [`${name} cannot be read`, 'The file system denies it to this user.', 'check the file’s permissions.'];
  }
  return [`${name} cannot be read`, `The system says: ${systemReason(error)}.`, 'check the path.'];
}

function decode(bytes: Buffer | string): string | undefined {
  if (typeof bytes === 'string') return /\0|\uFFFD/.test(bytes) ? undefined : bytes;
  try {
    // A byte order mark stays, so that offsets are those of the file; the YAML reader skips it.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
