import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type ArchiveLine, parseArchiveLine } from '../dlq/archive.ts';
import { OpsError } from '../errors/ops-error.ts';

/** A message of 64 MiB, the server's largest, in base64 with its records. */
const LONGEST_LINE = 256 * 1024 * 1024;

/**
 * Reads an archive line by line, in bounded memory; `-` is standard input. Every line's digest is checked.
 * @throws OpsError USAGE_FILE where the file cannot be read or a line is damaged
 */
export async function* readArchive(path: string): AsyncGenerator<ArchiveLine, void, undefined> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let failed: unknown;
  input.on('error', (error: unknown) => {
    failed = error;
    lines.close();
  });
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    if (line.length > LONGEST_LINE) throw unreadable(path, `Line ${number} is longer than any dead letter.`);
    yield parseArchiveLine(line, `${path}:${number}`);
  }
  if (failed) throw unreadable(path, `The system says: ${(failed as Error).message}.`);
}

const unreadable = (path: string, why: string): OpsError =>
  new OpsError('USAGE_FILE', `the archive ${path} cannot be read`, {
    where: path,
    why,
    hints: ['name a file that `dlq export` or `dlq purge` wrote'],
  });
