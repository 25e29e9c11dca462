import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';

export interface Target {
  /** Absolute. */
  readonly path: string;
  /** In a message, after "cannot write": `the plan to prod.plan`. */
  readonly what: string;
  /** Permissions of a file that is new, as the umask leaves them. One that is replaced keeps its own. */
  readonly mode?: number;
}

/** Takes a part of the text; where it gives a promise, wait for it before the next. */
export type Write = (text: string) => Promise<void> | undefined;

interface Place {
  readonly file: string;
  /** What is no regular file cannot be replaced: it is written into. */
  readonly inPlace: boolean;
  /** What was there. */
  readonly before?: { readonly mode: number; readonly uid: number; readonly gid: number };
}

/** What is ours already: with an address of its own, it must not be taken for the file behind it. */
const DESCRIPTOR = /^\/(dev\/(std(in|out|err)$|fd\/)|proc\/[^/]+\/fd\/)/;
const LONGEST_CHAIN = 40;
const CHUNK = 256 * 1024;

/**
 * Writes a file as a whole or not at all: beside it, and then into its place, when it is on disk. Follows symlinks, and
 * writes into devices, FIFOs and file descriptors.
 * @throws OpsError USAGE_FILE where it cannot be written; what `produce` throws
 */
export async function writeWhole<T>(target: Target, produce: (write: Write) => Promise<T>): Promise<T> {
  const { file, inPlace, before } = await on(target, locate(target.path));
  const draft = inPlace ? file : `${file}.${randomBytes(4).toString('hex')}.tmp`;
  const mode = before ? 0o600 : target.mode;
  const handle = await on(target, inPlace ? openFor(file) : open(draft, 'wx', mode));
  try {
    let held = '';
    const flush = () => {
      const text = held;
      held = '';
      return on(target, handle.appendFile(text));
    };
    const value = await produce((text) => {
      held += text;
      return held.length < CHUNK ? undefined : flush();
    });
    await flush();
    if (!inPlace) await on(target, finish(handle, before));
    await on(target, handle.close());
    if (!inPlace) await on(target, rename(draft, file));
    return value;
  } catch (error) {
    if (!inPlace) await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close().catch(() => {});
  }
}

/** A text that is there already, whole. @throws OpsError USAGE_FILE */
export const writeText = (target: Target, text: string): Promise<void> =>
  writeWhole(target, async (write) => write(text));

async function locate(path: string): Promise<Place> {
  if (DESCRIPTOR.test(path)) return { file: path, inPlace: true };
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!found) return { file: await endOf(path), inPlace: false };
  return found.isFile() ? { file: await realpath(path), inPlace: false, before: found } : { file: path, inPlace: true };
}

/** Opens what is written into. Waiting in `open` for a FIFO's reader would hold a thread, and with it the end of the process. */
async function openFor(path: string): Promise<FileHandle> {
  if (!(await stat(path)).isFIFO()) return open(path, 'a');
  for (;;) {
    try {
      const probe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
      // Closed before the other is open, it would be the end to the reader.
      return await open(path, 'a').finally(() => probe.close());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      await sleep(20);
    }
  }
}

/** Where a symlink leads whose file is not there yet. */
async function endOf(path: string): Promise<string> {
  let at = path;
  for (let step = 0; step < LONGEST_CHAIN; step++) {
    const next = await readlink(at).catch(() => undefined);
    if (next === undefined) break;
    at = resolve(dirname(at), next);
  }
  return at;
}

async function finish(handle: FileHandle, before: Place['before']): Promise<void> {
  if (before) {
    await handle.chmod(before.mode & 0o7777);
    // Only root may give a file away; what is written as somebody else stays theirs.
    if (process.getuid?.() === 0) await handle.chown(before.uid, before.gid);
  }
  await handle.sync();
}

async function on<T>({ path, what }: Target, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new OpsError('USAGE_FILE', `cannot write ${what}: ${systemReason(error)}`, {
      where: path,
      hints: ['check the path, its permissions and the space on the disk'],
      cause: error,
    });
  }
}
