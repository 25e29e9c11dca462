import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { OpsError } from '../errors/ops-error.ts';
import { printSize } from '../model/units.ts';
import { fromHeaderValue, parseHeaders } from '../nats/raw-headers.ts';
import { type Job, type Outcome, publishedAt, type Runner } from './job.ts';
import { THREAD_SOURCE, type ThreadTask, type ThreadWord } from './thread.ts';

export interface HandlerOptions {
  /** The module, relative to `cwd`. */
  readonly file: string;
  readonly cwd: string;
  readonly timeoutMs: number;
  /** What one thread may take, in bytes. */
  readonly memory: number;
  /** A line that the handler logs or prints. */
  readonly onLine: (line: string, job?: Job) => void;
}

/** How long a module may take to load. */
const LOAD_MS = 30_000;
/** Memory outside of the heap (buffers) has no limit of Node's own: a thread that is busy this long is looked at. */
const LOOK_MS = 200;
const MIB = 1024 * 1024;
/** Lines of one request that are passed on; a handler that prints without end fills no log. */
const LINES = 100;

interface Run {
  readonly job: Job;
  readonly settle: (outcome: Outcome) => void;
  readonly deadline: number;
  readonly started: number;
}

interface Thread {
  readonly worker: Worker;
  readonly ready: Promise<string | undefined>;
  run: Run | undefined;
  number: number;
  lines: number;
  /** Why it is being ended, where we end it. */
  cause: Outcome | undefined;
}

function headersOf(job: Job): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null);
  for (const { name, value } of parseHeaders(job.delivery.headers)) {
    headers[name] ??= [];
    headers[name].push(fromHeaderValue(value));
  }
  return { ...headers };
}

function taskOf(job: Job, run: number, timeoutMs: number, now: number): ThreadTask {
  const { delivery, maxDeliver } = job;
  const { subject, stream, consumer, seq } = delivery;
  return {
    run,
    id: job.id,
    // A copy: the connection's buffer holds other messages as well.
    payload: new Uint8Array(delivery.payload),
    facts: {
      subject,
      headers: headersOf(job),
      delivery: delivery.delivery,
      maxDeliver,
      stream,
      consumer,
      seq,
      publishedAt: publishedAt(delivery),
      deadline: now + timeoutMs,
    },
  };
}

/**
 * Runs a person's module in threads, one request at a time in each: one that throws, hangs, exits or eats memory takes
 * no other request with it, and is told apart. Loads it once before it resolves.
 * @throws OpsError USAGE_FILE where it cannot be loaded
 */
export async function createHandler(options: HandlerOptions): Promise<Runner> {
  const path = resolve(options.cwd, options.file);
  const unusable = (why: string) =>
    new OpsError('USAGE_FILE', `--handler: ${options.file} cannot be used`, {
      where: path,
      why,
      hints: ['it is a module with one function as its default export: `export default (request) => …`'],
    });
  if (!existsSync(path)) throw unusable('There is no such file.');
  const url = pathToFileURL(path).href;
  const threads = new Set<Thread>();
  const idle: Thread[] = [];
  let stopping = false;
  let looking: NodeJS.Timeout | undefined;

  const finish = (thread: Thread, outcome: Outcome) => {
    const { run } = thread;
    thread.run = undefined;
    run?.settle(outcome);
  };
  const end = (thread: Thread, cause: Outcome) => {
    thread.cause ??= cause;
    void thread.worker.terminate();
  };

  function start(): Thread {
    const worker = new Worker(THREAD_SOURCE, {
      eval: true,
      workerData: { url },
      stdin: false,
      stdout: true,
      stderr: true,
      execArgv: process.execArgv.filter((word) => !word.includes('inspect')),
      resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.floor(options.memory / MIB)) },
    });
    let loaded: (reason: string | undefined) => void = () => {};
    const thread: Thread = {
      worker,
      ready: new Promise((done) => {
        loaded = done;
      }),
      run: undefined,
      number: 0,
      lines: 0,
      cause: undefined,
    };
    threads.add(thread);
    const slow = setTimeout(() => {
      loaded(`It did not load within ${LOAD_MS / 1000} s.`);
      void worker.terminate();
    }, LOAD_MS);
    worker.on('message', (word: ThreadWord) => {
      if (word.type === 'ready' || word.type === 'unloadable') {
        clearTimeout(slow);
        loaded(word.type === 'ready' ? undefined : word.reason);
      } else if (!thread.run || word.run !== thread.number) {
        // Of a run that is over.
      } else if (word.type === 'log') {
        options.onLine(word.message, thread.run.job);
      } else {
        finish(thread, word);
        if (threads.has(thread)) idle.push(thread);
      }
    });
    for (const stream of [worker.stdout, worker.stderr]) {
      eachLine(stream, (line) => {
        if (thread.lines++ < LINES) options.onLine(line, thread.run?.job);
      });
    }
    let fault: (Error & { code?: string }) | undefined;
    worker.on('error', (error: Error & { code?: string }) => {
      fault = error;
    });
    worker.on('exit', (code) => {
      clearTimeout(slow);
      loaded(fault ? fault.message : `it ended with exit code ${code} while it was loaded`);
      threads.delete(thread);
      const at = idle.indexOf(thread);
      if (at >= 0) idle.splice(at, 1);
      finish(thread, thread.cause ?? { type: 'failure', reason: lastWords(fault, code, options.memory) });
    });
    return thread;
  }

  /** Ends what runs too long or holds too much. */
  async function look(): Promise<void> {
    const now = performance.now();
    for (const thread of threads) {
      const { run } = thread;
      if (!run) continue;
      if (now >= run.deadline) {
        end(thread, { type: 'failure', reason: `took longer than ${options.timeoutMs / 1000} s` });
      } else if (now - run.started > LOOK_MS) {
        thread.worker.getHeapStatistics().then(
          ({ external_memory, used_heap_size }) => {
            if (thread.run === run && external_memory + used_heap_size > options.memory)
              end(thread, tooMuch(options.memory));
          },
          () => {}, // It just ended.
        );
      }
    }
  }

  const first = start();
  const problem = await first.ready;
  if (problem !== undefined) throw unusable(asSentence(problem));
  idle.push(first);
  looking = setInterval(look, Math.min(LOOK_MS, Math.max(10, options.timeoutMs / 4)));
  looking.unref();

  return {
    async run(job) {
      if (stopping) return { type: 'stopped' };
      let thread = idle.pop();
      if (!thread) {
        thread = start();
        const reason = await thread.ready;
        if (reason !== undefined)
          return { type: 'failure', reason: `the handler could not be loaded again: ${reason}` };
        if (stopping) return { type: 'stopped' };
      }
      const chosen = thread;
      return new Promise((settle) => {
        const started = performance.now();
        chosen.run = { job, settle, started, deadline: started + options.timeoutMs };
        chosen.number++;
        chosen.lines = 0;
        chosen.worker.postMessage(taskOf(job, chosen.number, options.timeoutMs, Date.now()));
      });
    },
    async stop() {
      stopping = true;
      clearInterval(looking);
      await Promise.all(
        [...threads].map((thread) => {
          thread.cause ??= { type: 'stopped' };
          return thread.worker.terminate();
        }),
      );
    },
  };
}

const tooMuch = (memory: number): Outcome => ({
  type: 'failure',
  reason: `used more than ${printSize(memory)} of memory (--handler-memory)`,
});

function lastWords(fault: (Error & { code?: string }) | undefined, code: number, memory: number): string {
  if (fault?.code === 'ERR_WORKER_OUT_OF_MEMORY') return (tooMuch(memory) as { reason: string }).reason;
  if (fault) return `outside of its own call it threw ${fault.name}: ${fault.message}`;
  return `the handler ended its process (exit code ${code})`;
}

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const LONGEST_LINE = 2000;

function eachLine(stream: Readable, take: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) if (line.trim() !== '') take(line.slice(0, LONGEST_LINE));
  });
  stream.on('end', () => rest.trim() !== '' && take(rest));
}
