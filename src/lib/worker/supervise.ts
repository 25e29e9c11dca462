import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OpsError } from '../errors/ops-error.ts';
import { HandlerThread, LOOK_MS, type ThreadOptions } from './handler-thread.ts';
import type { Job, Outcome, Runner } from './job.ts';

export interface HandlerOptions extends Omit<ThreadOptions, 'url'> {
  /** The module, relative to `cwd`. */
  readonly file: string;
  readonly cwd: string;
}

/**
 * Runs a person's module in threads that requests share: one that throws, hangs, exits or eats memory takes no other
 * request with it, and is told apart. Loads it once before it resolves.
 * @throws OpsError USAGE_FILE where it cannot be loaded
 */
export async function createHandler(options: HandlerOptions): Promise<Runner> {
  const path = resolve(options.cwd, options.file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw unusable(options.file, path, found ? 'It is no regular file.' : 'There is no such file.');
  const threads = new Threads({ ...options, url: pathToFileURL(path).href });
  const problem = await threads.add();
  if (problem === undefined) return threads;
  await threads.stop();
  throw unusable(options.file, path, asSentence(problem));
}

/** One more thread helps where the others are busy for this part of their time. */
const BUSY = 0.9;
/** How long each request has a thread alone after they did not go together; twice as long after each time. */
const ALONE_MS = 60_000;
const LONGEST_ALONE_MS = 3_600_000;

/**
 * Requests share as many threads as there are processors, or more while those do not answer. Where a thread is lost or
 * kept busy with several in it, each of them has a thread alone, for a while the later ones too: then it is plain whose
 * doing it is.
 */
class Threads implements Runner {
  readonly #options: ThreadOptions;
  readonly #all = new Set<HandlerThread>();
  readonly #looking: NodeJS.Timeout;
  readonly #most = availableParallelism();
  #starting: Promise<string | undefined> | undefined;
  #aloneUntil = 0;
  #aloneMs = ALONE_MS;
  #isStopping = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    const everyMs = Math.min(LOOK_MS, Math.max(10, options.timeoutMs / 4));
    this.#looking = setInterval(() => this.#look(everyMs), everyMs).unref();
  }

  /** Starts one more. @returns why it could not be loaded */
  add(): Promise<string | undefined> {
    const thread = new HandlerThread(this.#options, {
      onCrowded: () => this.#separate(),
      onEnd: (gone) => this.#all.delete(gone),
    });
    this.#all.add(thread);
    return thread.loaded;
  }

  async run(job: Job): Promise<Outcome> {
    let isAlone = false;
    while (!this.#isStopping) {
      isAlone ||= this.#isSeparate;
      const thread = this.#pick(isAlone);
      if (thread) {
        const outcome = await thread.run(job, isAlone);
        if (outcome.type !== 'lost') return outcome;
        isAlone = true;
        continue;
      }
      const reason = await (isAlone ? this.add() : this.#addOne());
      if (reason !== undefined) return { type: 'failure', reason: `the handler could not be loaded again: ${reason}` };
    }
    return { type: 'stopped' };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#looking);
    await Promise.all([...this.#all].map((thread) => thread.end({ type: 'stopped' })));
  }

  get #isSeparate(): boolean {
    return performance.now() < this.#aloneUntil;
  }

  #separate(): void {
    if (this.#isSeparate) return;
    this.#aloneUntil = performance.now() + this.#aloneMs;
    this.#aloneMs = Math.min(this.#aloneMs * 2, LONGEST_ALONE_MS);
  }

  /** The one with the least in it, or with nothing. */
  #pick(isAlone: boolean): HandlerThread | undefined {
    let least: HandlerThread | undefined;
    for (const thread of this.#all) {
      if (thread.isOpen && (isAlone ? thread.load === 0 : !least || thread.load < least.load)) least = thread;
      if (least?.load === 0) break;
    }
    return least;
  }

  /** For all that wait for one to share. */
  #addOne(): Promise<string | undefined> {
    this.#starting ??= this.add().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  #look(everyMs: number): void {
    const now = performance.now();
    for (const thread of this.#all) thread.look(now, everyMs);
    if (this.#isSeparate) return;
    const open = [...this.#all].filter((thread) => thread.isOpen);
    const areBusy = open.map((thread) => thread.utilization() > BUSY);
    if (open.length < this.#most && areBusy.length > 0 && !areBusy.includes(false)) void this.#addOne();
    for (const thread of open.slice(this.#most)) if (thread.load === 0) thread.retire();
  }
}

const unusable = (file: string, path: string, why: string): OpsError =>
  new OpsError('USAGE_FILE', `--handler: ${file} cannot be used`, {
    where: path,
    why,
    hints: ['it is a module with one function as its default export: `export default (request) => …`'],
  });

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
