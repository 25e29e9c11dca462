import path from 'node:path';
import { printArchiveLine } from '../../dlq/archive.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { writeWhole } from '../../files/write.ts';
import type { Context } from '../../model/context.ts';
import { strangers } from './ls.ts';
import { type DlqChoice, withDlq } from './scope.ts';

/**
 * Writes dead letters as an archive, a line each, oldest first, with all that there is of each.
 * @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export async function exportDeadLetters(
  context: Context,
  choice: DlqChoice,
  onLine: (line: string) => Promise<void> | undefined,
): Promise<number> {
  return withDlq(context, choice, async ({ nats, queues, filter }) => {
    const strange = strangers(context);
    let count = 0;
    const entries = scanEntries(nats, queues, filter, {
      raw: true,
      signal: context.io.signal,
      now: context.now().getTime(),
      onUnreadable: strange.add,
    });
    for await (const entry of entries) {
      await onLine(printArchiveLine(entry));
      if (++count % 1000 === 0) context.io.tell({ type: 'progress', title: 'dead letters', done: count });
    }
    strange.tell();
    return count;
  });
}

/**
 * The same into a file, which is there only when it is whole and on disk.
 * @throws OpsError USAGE_FILE where it cannot be written, and what `exportDeadLetters` throws
 */
export async function exportToFile(context: Context, choice: DlqChoice, file: string): Promise<number> {
  // It holds payloads: nobody else's business.
  const target = { path: path.resolve(context.cwd, file), what: `the archive to ${file}`, mode: 0o600 };
  return writeWhole(target, (write) => exportDeadLetters(context, choice, (line) => write(`${line}\n`)));
}
