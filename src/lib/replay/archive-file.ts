import { type ArchiveLine, parseArchiveLine } from '../dlq/archive.ts';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { readLines } from '../files/lines.ts';
import { readPieces } from '../files/read.ts';

/** In characters: a message of 64 MiB, the largest that any server takes, in base64, and a record that carries it again. */
const LONGEST_LINE = 256 * 1024 * 1024;

/** A file, and what it is called where something is said of it. */
export interface Archive {
  readonly path: string;
  readonly name: string;
}

/**
 * Reads an archive line by line, in bounded memory; `-` is standard input. Every line's digest is checked.
 * @throws OpsError USAGE_FILE where the file cannot be read or a line is damaged
 */
export async function* readArchive({ path, name }: Archive): AsyncGenerator<ArchiveLine, void, undefined> {
  const fault = (number: number) =>
    unreadable(`${name}:${number}`, 'it has a line longer than any dead letter that a server could hold');
  const pieces = path === '-' ? process.stdin : readPieces(path);
  try {
    for await (const lines of readLines(pieces, { most: LONGEST_LINE, fault })) {
      for (const { text, number } of lines) yield parseArchiveLine(text, `${name}:${number}`);
    }
  } catch (error) {
    throw error instanceof OpsError ? error : unreadable(name, systemReason(error), error);
  }
}

const unreadable = (where: string, why: string, cause?: unknown): OpsError =>
  new OpsError('USAGE_FILE', `cannot read the archive: ${why}`, {
    where,
    hints: ['name a file that `dlq export` or `dlq purge` wrote'],
    cause,
  });
