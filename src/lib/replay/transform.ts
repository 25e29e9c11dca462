import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { readWhole } from '../files/read.ts';
import type { Entry } from '../model/entry.ts';
import { escapeOf, inOneLine, TRICKY } from '../model/visible.ts';
import type { Edited } from './edit-text.ts';
import { TRANSFORM_SOURCE, type TransformWord } from './transform-source.ts';
import { readTransformed, type TransformInput, transformInput } from './transformed.ts';

/** A module that makes another message of each. */
export interface Transform {
  readonly file: string;
  /** Of the module's text. */
  readonly digest: string;
  /** True once its thread has ended: it is asked in vain. */
  readonly isOver: boolean;
  /**
   * What comes of an entry; null where it is skipped. One is asked at a time.
   * @throws OpsError USAGE_FILE with the line of a fault; the reason of the signal
   */
  apply(entry: Entry, signal: AbortSignal): Promise<Edited | null>;
  /** Ends the thread. What was printed is passed on before. */
  end(): Promise<void>;
}

/** How long a module may take to load, and then for each request. */
const PATIENCE_MS = 30_000;
/** A module of one's own; a larger file was named by mistake. */
const MOST_BYTES = 64 * 1024 * 1024;
/** How long its thread may take to end by itself. */
const END_MS = 500;

/** Loads a module whose default export takes a request and gives one. @throws OpsError USAGE_FILE, INTERRUPTED */
export async function loadTransform(
  file: string,
  signal: AbortSignal,
  { patienceMs = PATIENCE_MS } = {},
): Promise<Transform> {
  let digest: string;
  try {
    digest = `sha256:${createHash('sha256')
      .update(await readWhole(file, MOST_BYTES))
      .digest('hex')}`;
  } catch (error) {
    throw faultOf(file, `it cannot be read: ${systemReason(error)}`, { cause: error, why: NOTHING_MOVED });
  }
  const thread = new TransformThread(file, patienceMs);
  try {
    const word = await thread.hear(signal);
    if (word.type === 'fault')
      throw faultOf(file, word.reason, {
        place: placeIn(word.stack) ?? (word.isSyntax ? whereUnread(file) : undefined),
        why: NOTHING_MOVED,
      });
    if (word.type !== 'ready') throw faultOf(file, 'it has no function as its default export', { why: NOTHING_MOVED });
  } catch (error) {
    await thread.end();
    throw error;
  }
  return {
    file,
    digest,
    get isOver() {
      return thread.isOver;
    },
    async apply({ id, inner: { message } }, stop) {
      const word = await thread.hear(stop, transformInput(id, message!));
      const fault = word.type === 'fault' ? word : undefined;
      if (fault) throw faultOf(file, `${id}: ${fault.reason}`, { place: placeIn(fault.stack) });
      const edited = readTransformed('value' in word ? word.value : undefined, message!);
      if (typeof edited === 'string') throw faultOf(file, `${id}: ${edited}`);
      return edited;
    },
    end: () => thread.end(),
  };
}

class TransformThread {
  readonly #worker: Worker;
  readonly #patienceMs: number;
  readonly #exited: Promise<TransformWord>;
  isOver = false;

  constructor(file: string, patienceMs: number) {
    this.#patienceMs = patienceMs;
    this.#worker = new Worker(TRANSFORM_SOURCE, {
      eval: true,
      workerData: { url: pathToFileURL(file).href },
      stdin: false,
      stdout: true,
      stderr: true,
      execArgv: process.execArgv.filter((word) => !word.includes('inspect')),
    });
    // What it prints for a person is no part of our result.
    for (const stream of [this.#worker.stdout, this.#worker.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => process.stderr.write(harmless(text)));
    let fault: Error | undefined;
    this.#worker.on('error', (error: Error) => {
      fault = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.isOver = true;
        const reason = fault ? `${fault.name}: ${fault.message}` : `it ended its process, with exit code ${code}`;
        resolve({ type: 'fault', reason, ...(fault?.stack !== undefined && { stack: fault.stack }) });
      });
    });
  }

  /** What it says next, asked for a request or not. Where it says nothing in time, or somebody stops it, it ends. */
  async hear(signal: AbortSignal, request?: TransformInput): Promise<TransformWord> {
    signal.throwIfAborted();
    const heard = Promise.withResolvers<TransformWord>();
    const stop = () => heard.reject(signal.reason);
    const seconds = this.#patienceMs / 1000;
    const late = setTimeout(
      () => heard.resolve({ type: 'fault', reason: `it gave nothing back within ${seconds} s, and was ended` }),
      this.#patienceMs,
    );
    let isAlive = false;
    const onWord = (word: TransformWord) => {
      isAlive = true;
      heard.resolve(word);
    };
    this.#worker.once('message', onWord);
    signal.addEventListener('abort', stop);
    if (request) this.#worker.postMessage(request);
    try {
      return await Promise.race([heard.promise, this.#exited]);
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
      this.#worker.off('message', onWord);
      if (!isAlive) {
        this.isOver = true;
        await this.#worker.terminate();
      }
    }
  }

  async end(): Promise<void> {
    if (!this.isOver) this.#worker.postMessage(null);
    const late = setTimeout(() => void this.#worker.terminate(), this.isOver ? 0 : END_MS);
    await this.#exited;
    clearTimeout(late);
  }
}

/** Why a fault does no harm while a module is only asked. */
export const NOTHING_MOVED = 'The module is asked for all of them before anything moves: nothing was moved.';

/** A module that cannot be read has no place in its stack; Node says it where it is asked only to read. */
function whereUnread(file: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', env: {} });
  return /^.+:\d+$/m.exec(stderr)?.[0];
}

/** The first place in a stack that is a file's: where a module failed, or cannot be read. */
function placeIn(stack = ''): string | undefined {
  const [, url, line] = /(file:\/\/[^\s()]+?)(:\d+(?::\d+)?)(?=[\s)]|$)/m.exec(stack) ?? [];
  try {
    return url && `${fileURLToPath(url)}${line}`;
  } catch {
    return undefined;
  }
}

/** What a terminal would obey shows as an escape: a module may print what a message holds. */
const harmless = (text: string): string =>
  text.replace(TRICKY, (character) => (character === '\n' || character === '\t' ? character : escapeOf(character)));

const faultOf = (
  file: string,
  what: string,
  { place, ...parts }: { place?: string | undefined; cause?: unknown; why?: string } = {},
): OpsError =>
  new OpsError('USAGE_FILE', `--transform: ${inOneLine(what)}`, {
    where: place ?? file,
    hints: ['its default export takes {id, subject, headers, payload} and returns such a request, or null to skip it'],
    ...parts,
  });
