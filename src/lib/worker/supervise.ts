import { statSync } from 'node:fs';
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
 * Runs a person's module in threads, one request at a time in each: one that throws, hangs, exits or eats memory takes
 * no other request with it, and is told apart. Loads it once before it resolves.
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

class Threads implements Runner {
  readonly #options: ThreadOptions;
  readonly #all = new Set<HandlerThread>();
  readonly #idle: HandlerThread[] = [];
  readonly #looking: NodeJS.Timeout;
  #isStopping = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    const look = () => {
      for (const thread of this.#all) thread.look(performance.now());
    };
    this.#looking = setInterval(look, Math.min(LOOK_MS, Math.max(10, options.timeoutMs / 4))).unref();
  }

  /** Starts one more, for the next request. @returns why it could not be loaded */
  async add(): Promise<string | undefined> {
    const free = (thread: HandlerThread) => {
      if (this.#all.has(thread)) this.#idle.push(thread);
    };
    const thread = new HandlerThread(this.#options, free, (gone) => {
      this.#all.delete(gone);
      const at = this.#idle.indexOf(gone);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    this.#all.add(thread);
    const problem = await thread.loaded;
    if (problem === undefined) free(thread);
    return problem;
  }

  async run(job: Job): Promise<Outcome> {
    while (!this.#isStopping) {
      const thread = this.#idle.pop();
      if (thread) return thread.run(job);
      const reason = await this.add();
      if (reason !== undefined) return { type: 'failure', reason: `the handler could not be loaded again: ${reason}` };
    }
    return { type: 'stopped' };
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#looking);
    await Promise.all([...this.#all].map((thread) => thread.end({ type: 'stopped' })));
  }
}

const unusable = (file: string, path: string, why: string): OpsError =>
  new OpsError('USAGE_FILE', `--handler: ${file} cannot be used`, {
    where: path,
    why,
    hints: ['it is a module with one function as its default export: `export default (request) => …`'],
  });

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
