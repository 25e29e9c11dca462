import path from 'node:path';
import { printArchiveLine } from '../../dlq/archive.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { writeWhole } from '../../files/write.ts';
import type { Context } from '../../model/context.ts';
import type { Entry } from '../../model/entry.ts';
import { strangers } from './ls.ts';
import { tellNone } from './none.ts';
import { tellReading } from './reading.ts';
import { type DlqChoice, type DlqScope, withDlq } from './scope.ts';

/** Takes a line, and the entry that it is of; where it gives a promise, the next line waits for it. */
type OnLine = (line: string, entry: Entry) => Promise<void> | undefined;

/** Prints dead letters as an archive, a line each, oldest first, with all that there is of each. */
export async function printArchive(
  context: Context,
  { nats, queues, filter }: DlqScope,
  onLine: OnLine,
): Promise<number> {
  const strange = strangers(context);
  let count = 0;
  const entries = scanEntries(nats, queues, filter, {
    raw: true,
    details: true,
    signal: context.io.signal,
    now: context.now().getTime(),
    onRead: tellReading(context, 'Reading'),
    onUnreadable: strange.add,
    onCount: strange.addCount,
  });
  for await (const entry of entries) {
    await onLine(printArchiveLine(entry), entry);
    count += 1;
  }
  strange.tell();
  return count;
}

/** The same of what a command chooses. @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED */
export const exportDeadLetters = (context: Context, choice: DlqChoice, onLine: OnLine): Promise<number> =>
  withDlq(context, choice, async (scope) => {
    const count = await printArchive(context, scope, onLine);
    if (count === 0) await tellNone(context, scope);
    return count;
  });

/**
 * The same into a file, which is there only when it is whole and on disk.
 * @throws OpsError USAGE_FILE where it cannot be written, and what `exportDeadLetters` throws
 */
export const exportToFile = (context: Context, choice: DlqChoice, file: string): Promise<number> =>
  writeArchive(context, file, (onLine) => exportDeadLetters(context, choice, onLine));

/** Has an archive printed into a file, which is there only when it is whole and on disk. @throws OpsError USAGE_FILE */
export function writeArchive<T>(context: Context, file: string, print: (onLine: OnLine) => Promise<T>): Promise<T> {
  // It holds payloads: nobody else's business.
  const target = { path: path.resolve(context.cwd, file), what: `the archive to ${file}`, mode: 0o600 };
  return writeWhole(target, (write) => print((line) => write(`${line}\n`)));
}
