import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { printArchiveLine } from '../../dlq/archive.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { systemReason } from '../../errors/system-error.ts';
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
  const target = path.resolve(context.cwd, file);
  const draft = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  const cannotWrite = (error: unknown): OpsError =>
    new OpsError('USAGE_FILE', `cannot write the archive to ${file}: ${systemReason(error)}`, {
      where: target,
      hints: ['check the path, its permissions and the space on the disk'],
      cause: error,
    });
  // It holds payloads: nobody else's business.
  const handle = await open(draft, 'wx', 0o600).catch((error: unknown) => {
    throw cannotWrite(error);
  });
  try {
    const stream = createWriteStream('', { fd: handle.fd, autoClose: false });
    let failed: unknown;
    stream.on('error', (error) => {
      failed = error;
    });
    const count = await exportDeadLetters(context, choice, (line) => {
      if (failed) throw cannotWrite(failed);
      if (stream.write(`${line}\n`)) return undefined;
      return new Promise((resolve) => stream.once('drain', resolve).once('error', () => resolve()));
    });
    await new Promise<void>((resolve) => {
      stream.once('error', () => resolve());
      stream.end(resolve);
    });
    if (failed) throw cannotWrite(failed);
    await handle.sync();
    await handle.close();
    await rename(draft, target);
    return count;
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(draft, { force: true });
    throw error;
  }
}
