import { Worker } from 'node:worker_threads';
import { endedAlone, tookTooLong, tookTooMuch } from './endings.ts';
import type { Job, Outcome } from './job.ts';
import { createLineCutter } from './lines.ts';
import { pathOf, placeOfFault } from './module-fault.ts';
import { taskOf } from './task.ts';
import { THREAD_SOURCE, type ThreadWord } from './thread.ts';

export interface ThreadOptions {
  /** The module, as a file URL. */
  readonly url: string;
  readonly timeoutMs: number;
  /** What the thread may take, in bytes. */
  readonly memory: number;
  /** A line that the handler logs or prints. */
  readonly onLine: (line: string, job?: Job) => void;
}

/** How long a module may take to load. */
const LOAD_MS = 30_000;
/** Memory outside of the heap (buffers) has no limit of Node's own: a thread that is busy this long is looked at. */
export const LOOK_MS = 200;
const MIB = 1024 * 1024;
/** Lines of one request that are passed on; a handler that prints without end fills no log. */
const LINES = 100;

interface Run {
  readonly number: number;
  readonly job: Job;
  readonly settle: (outcome: Outcome) => void;
  readonly started: number;
}

/** One thread with a person's module in it, which does one request at a time. */
export class HandlerThread {
  readonly #options: ThreadOptions;
  readonly #worker: Worker;
  readonly #loaded = Promise.withResolvers<string | undefined>();
  #run: Run | undefined;
  #count = 0;
  /** Since the last request began. */
  #lines = 0;
  /** Whether the module's own fault is about to be told. */
  #hasToldWhy = false;
  /** Why it is being ended, where we end it. */
  #cause: Outcome | undefined;

  /** `onFree` hears that it has done a request, `onEnd` that it is no more. */
  constructor(options: ThreadOptions, onFree: (thread: HandlerThread) => void, onEnd: (thread: HandlerThread) => void) {
    this.#options = options;
    this.#worker = new Worker(THREAD_SOURCE, {
      eval: true,
      workerData: { url: options.url },
      stdin: false,
      stdout: true,
      stderr: true,
      execArgv: process.execArgv.filter((word) => !word.includes('inspect')),
      resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.floor(options.memory / MIB)) },
    });
    this.#watchLoading();
    this.#worker.on('message', (word: ThreadWord) => {
      if (this.#hear(word)) onFree(this);
    });
    this.#passLines();
    let fault: (Error & { code?: string }) | undefined;
    this.#worker.on('error', (error: Error) => {
      fault = error;
    });
    this.#worker.on('exit', (code) => {
      if (!this.#hasToldWhy)
        this.#loaded.resolve(fault ? fault.message : `it ended with exit code ${code} while it was loaded`);
      onEnd(this);
      this.#finish(this.#cause ?? endedAlone(fault, code, options.memory));
    });
  }

  /** Why the module cannot be loaded; undefined once it is. */
  get loaded(): Promise<string | undefined> {
    return this.#loaded.promise;
  }

  run(job: Job): Promise<Outcome> {
    return new Promise((settle) => {
      this.#run = { number: ++this.#count, job, settle, started: performance.now() };
      this.#lines = 0;
      this.#worker.postMessage(taskOf(job, this.#count, Date.now() + this.#options.timeoutMs));
    });
  }

  /** Ends what runs too long or holds too much. */
  look(now: number): void {
    const run = this.#run;
    if (!run) return;
    const { timeoutMs, memory } = this.#options;
    const busy = now - run.started;
    if (busy >= timeoutMs) void this.end(tookTooLong(timeoutMs));
    else if (busy > LOOK_MS) {
      this.#worker.getHeapStatistics().then(
        ({ external_memory, used_heap_size }) => {
          if (this.#run === run && external_memory + used_heap_size > memory) void this.end(tookTooMuch(memory));
        },
        () => {}, // It just ended.
      );
    }
  }

  /** Ends the thread; the request in it comes to this. Resolves when it is no more. */
  async end(cause: Outcome): Promise<void> {
    this.#cause ??= cause;
    await this.#worker.terminate();
  }

  #watchLoading(): void {
    const slow = setTimeout(() => {
      this.#loaded.resolve(`It did not load within ${LOAD_MS / 1000} s.`);
      void this.#worker.terminate();
    }, LOAD_MS);
    void this.loaded.then(() => clearTimeout(slow));
  }

  /** True where a request was done by it. */
  #hear(word: ThreadWord): boolean {
    if (word.type === 'ready') this.#loaded.resolve(undefined);
    else if (word.type === 'unloadable') this.#tellFault(word.reason, word.place);
    else if (word.run !== this.#run?.number)
      return false; // Of a run that is over.
    else if (word.type === 'log') this.#options.onLine(word.message, this.#run.job);
    else return this.#finish(word);
    return false;
  }

  #tellFault(reason: string, place: string | undefined): void {
    this.#hasToldWhy = true;
    const isHidden = place === undefined && reason.startsWith('SyntaxError');
    const at = isHidden ? placeOfFault(this.#options.url) : Promise.resolve(place);
    void at.then((known) => this.#loaded.resolve(known === undefined ? reason : `${reason}, at ${pathOf(known)}`));
  }

  #passLines(): void {
    const pass = (line: string) => {
      if (this.#lines++ < LINES) this.#options.onLine(line, this.#run?.job);
    };
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) {
      const cut = createLineCutter(pass);
      stream
        .setEncoding('utf8')
        .on('data', cut)
        .on('end', () => cut(''));
    }
  }

  #finish(outcome: Outcome): boolean {
    const run = this.#run;
    this.#run = undefined;
    run?.settle(outcome);
    return run !== undefined;
  }
}
