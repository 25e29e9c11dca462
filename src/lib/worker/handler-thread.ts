import { Worker } from 'node:worker_threads';
import { endedAlone, exitedWith, threwOutside, tookTooLong, tookTooMuch } from './endings.ts';
import type { Job, Outcome } from './job.ts';
import { createLineCutter } from './lines.ts';
import { pathOf, placeOfFault } from './module-fault.ts';
import { taskOf } from './task.ts';
import { type RunWord, THREAD_SOURCE, type ThreadOrder, type ThreadTask, type ThreadWord } from './thread.ts';

export interface ThreadOptions {
  /** The module, as a file URL. */
  readonly url: string;
  readonly timeoutMs: number;
  /** What the thread may take, in bytes. */
  readonly memory: number;
  /** A line that the handler logs or prints. */
  readonly onLine: (line: string, job?: Job) => void;
}

/** What the pool hears of a thread. */
export interface ThreadHost {
  /** One request keeps it from the others in it, or it was lost with several in it: they do not go together. */
  onCrowded(): void;
  onEnd(thread: HandlerThread): void;
}

/** The thread was lost, or busy, with other requests in it: nobody knows whose doing it was, it is to run again alone. */
export const LOST = { type: 'lost' } as const;

/** How long a module may take to load. */
const LOAD_MS = 30_000;
/** Memory outside of the heap (buffers) has no limit of Node's own: a thread that is busy this long is looked at. */
export const LOOK_MS = 200;
/** So many looks without an answer, and one of its requests keeps the thread for itself. */
const CROWDED_LOOKS = 5;
/** A thread that is shared and does not answer for so long is given up. */
const HANGS_MS = 5000;
const MIB = 1024 * 1024;
/** Lines of one request that are passed on; a handler that prints without end fills no log. */
const LINES = 100;

interface Run {
  readonly number: number;
  readonly job: Job;
  readonly settle: (outcome: Outcome | typeof LOST) => void;
  /** Moves on while others keep the thread. */
  started: number;
  /** What it prints. */
  readonly print: (text: string) => void;
}

/** One thread with a person's module in it. It does as many requests at once as it is given. */
export class HandlerThread {
  readonly #options: ThreadOptions;
  readonly #host: ThreadHost;
  readonly #worker: Worker;
  readonly #loaded = Promise.withResolvers<string | undefined>();
  readonly #runs = new Map<number, Run>();
  /** What is printed outside of any request. */
  readonly #print = createLineCutter((line) => {
    if (this.#lines++ < LINES) this.#options.onLine(line);
  });
  #outbox: ThreadTask[] = [];
  #count = 0;
  /** Printed outside of any request, since the last one began. */
  #lines = 0;
  #isReady = false;
  /** It takes nothing more, and ends with its last request. */
  #isRetired = false;
  /** One request has it for itself. */
  #isTaken = false;
  /** It was asked whether it is there. */
  #isAsked = false;
  /** How many looks it has not answered. */
  #silence = 0;
  #lastLook = 0;
  #usage: ReturnType<Worker['performance']['eventLoopUtilization']>;
  /** Whether the module's own fault is about to be told. */
  #hasToldWhy = false;
  /** Why it is being ended, where we end it. */
  #cause: Outcome | undefined;

  constructor(options: ThreadOptions, host: ThreadHost) {
    this.#options = options;
    this.#host = host;
    this.#worker = new Worker(THREAD_SOURCE, {
      eval: true,
      workerData: { url: options.url },
      stdin: false,
      stdout: true,
      stderr: true,
      execArgv: process.execArgv.filter((word) => !word.includes('inspect')),
      resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.floor(options.memory / MIB)) },
    });
    this.#usage = this.#worker.performance.eventLoopUtilization();
    this.#watchLoading();
    this.#worker.on('message', (words: readonly ThreadWord[]) => {
      for (const word of words) this.#hear(word);
    });
    this.#passLines();
    let fault: (Error & { code?: string }) | undefined;
    this.#worker.on('error', (error: Error) => {
      fault = error;
    });
    this.#worker.on('exit', (code) => {
      if (!this.#hasToldWhy)
        this.#loaded.resolve(fault ? fault.message : `it ended with exit code ${code} while it was loaded`);
      host.onEnd(this);
      this.#lose(this.#cause ?? endedAlone(fault, code, options.memory));
    });
  }

  /** Why the module cannot be loaded; undefined once it is. */
  get loaded(): Promise<string | undefined> {
    return this.#loaded.promise;
  }

  /** How many requests are in it. */
  get load(): number {
    return this.#runs.size;
  }

  /** Whether it can be given one more. */
  get isOpen(): boolean {
    return this.#isReady && !this.#isRetired && !this.#isTaken && this.#silence === 0;
  }

  /** Does a request, beside others unless it `isAlone`. */
  run(job: Job, isAlone: boolean): Promise<Outcome | typeof LOST> {
    return new Promise((settle) => {
      const number = ++this.#count;
      this.#isTaken = isAlone;
      this.#lines = 0;
      let lines = 0;
      const print = createLineCutter((line) => {
        if (lines++ < LINES) this.#options.onLine(line, job);
      });
      this.#runs.set(number, { number, job, settle, started: performance.now(), print });
      // Those of one moment go in one message: each message wakes a thread.
      if (this.#outbox.push(taskOf(job, number, Date.now() + this.#options.timeoutMs)) > 1) return;
      setImmediate(() => {
        this.#order({ type: 'tasks', tasks: this.#outbox });
        this.#outbox = [];
      });
    });
  }

  /** Looks after it, again and again after so long: ends what runs too long or holds too much. */
  look(now: number, everyMs: number): void {
    const sinceLast = now - this.#lastLook;
    this.#lastLook = now;
    if (this.#runs.size === 0) return;
    const { timeoutMs } = this.#options;
    if (!this.#isAsked) this.#silence = 0;
    // Looks are counted, and not time: while we ourselves stood still it could not be heard.
    else if (++this.#silence === CROWDED_LOOKS && this.#runs.size > 1) this.#host.onCrowded();
    this.#ask();
    const isCrowded = this.#runs.size > 1 && this.#silence > 0;
    if (isCrowded && this.#silence * everyMs >= Math.min(HANGS_MS, timeoutMs)) {
      void this.end(tookTooLong(timeoutMs));
      return;
    }
    for (const run of this.#runs.values()) {
      if (isCrowded) run.started += sinceLast;
      else if (now - run.started >= timeoutMs) this.#breakOff(run.number, tookTooLong(timeoutMs));
    }
    const [oldest] = this.#runs.values();
    if (oldest && now - oldest.started > LOOK_MS) this.#lookAtMemory(oldest.number);
  }

  /** The part of the time since it was asked last that it was busy, 0 to 1. */
  utilization(): number {
    const now = this.#worker.performance.eventLoopUtilization();
    const { utilization } = this.#worker.performance.eventLoopUtilization(now, this.#usage);
    this.#usage = now;
    return utilization;
  }

  /** Takes nothing more; ends with the last request in it. */
  retire(): void {
    this.#isRetired = true;
    if (this.#runs.size === 0) void this.#worker.terminate();
  }

  /** Ends the thread. The request in it comes to this; of several, each is lost. Resolves when it is no more. */
  async end(cause: Outcome): Promise<void> {
    this.#isRetired = true;
    this.#cause ??= cause;
    await this.#worker.terminate();
  }

  #order(order: ThreadOrder): void {
    this.#worker.postMessage(order);
  }

  #ask(): void {
    if (this.#isAsked && this.#silence !== CROWDED_LOOKS) return;
    this.#isAsked = true;
    this.#order({ type: 'ping', givesBack: this.#silence === CROWDED_LOOKS && this.#runs.size > 1 });
  }

  #lookAtMemory(number: number): void {
    const { memory } = this.#options;
    this.#worker.getHeapStatistics().then(
      ({ external_memory, used_heap_size }) => {
        if (this.#runs.has(number) && external_memory + used_heap_size > memory) void this.end(tookTooMuch(memory));
      },
      () => {}, // It just ended.
    );
  }

  #watchLoading(): void {
    const slow = setTimeout(() => {
      this.#loaded.resolve(`It did not load within ${LOAD_MS / 1000} s.`);
      void this.#worker.terminate();
    }, LOAD_MS);
    void this.loaded.then(() => clearTimeout(slow));
  }

  #hear(word: ThreadWord): void {
    if (word.type === 'ready') {
      this.#isReady = true;
      this.#loaded.resolve(undefined);
    } else if (word.type === 'unloadable') this.#tellFault(word.reason, word.place);
    else if (word.type === 'pong') {
      this.#isAsked = false;
      this.#silence = 0;
    } else if (word.type === 'fault') this.#cause ??= threwOutside(word.what);
    else this.#hearOf(word);
  }

  /** Of a run that is over, what it prints is passed on, and whether the thread is to be trusted. */
  #hearOf(word: RunWord): void {
    const run = this.#runs.get(word.run);
    if (word.type === 'log') {
      if (run) this.#options.onLine(word.message, run.job);
    } else if (word.type === 'print') (run?.print ?? this.#print)(word.message);
    else if (word.type === 'threw') this.#breakOff(word.run, threwOutside(word.what));
    else if (word.type === 'exited') this.#breakOff(word.run, exitedWith(word.code));
    else this.#finish(word.run, word.type === 'unbegun' ? LOST : word);
  }

  #tellFault(reason: string, place: string | undefined): void {
    this.#hasToldWhy = true;
    const isHidden = place === undefined && reason.startsWith('SyntaxError');
    const at = isHidden ? placeOfFault(this.#options.url) : Promise.resolve(place);
    void at.then((known) => this.#loaded.resolve(known === undefined ? reason : `${reason}, at ${pathOf(known)}`));
  }

  #passLines(): void {
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) {
      stream
        .setEncoding('utf8')
        .on('data', this.#print)
        .on('end', () => this.#print(''));
    }
  }

  /** One request comes to this, and its code may go on: the others in the thread are done, and it ends. */
  #breakOff(number: number, outcome: Outcome): void {
    this.#isRetired = true;
    this.#finish(number, outcome);
  }

  #finish(number: number, outcome: Outcome | typeof LOST): void {
    const run = this.#runs.get(number);
    if (run) {
      this.#runs.delete(number);
      run.print('');
      run.settle(outcome);
    }
    if (this.#runs.size > 0) return;
    this.#isTaken = false;
    if (this.#isRetired) void this.#worker.terminate();
  }

  #lose(cause: Outcome): void {
    const isCrowded = this.#runs.size > 1 && cause.type !== 'stopped';
    if (isCrowded) this.#host.onCrowded();
    for (const number of [...this.#runs.keys()]) this.#finish(number, isCrowded ? LOST : cause);
  }
}
