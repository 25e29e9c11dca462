import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { leadIn, leading } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { Event, Io, Question } from '../model/io.ts';
import { objectOf, textOf } from '../model/json.ts';
import type { CommandLine, Note, Task, Verb, Run as WireRun } from '../model/wire.ts';
import { type Failure, failureJson } from './answer.ts';
import { askingIo } from './host-web.ts';
import type { Hub } from './hub.ts';

// What acts is a thing of its own, and no request: a browser that is closed stops nothing, and another sees it go on.

/** So many at once, and so many that have ended are remembered. */
const MOST_RUNNING = 16;
const KEPT = 50;
/** So many notes and warnings of one run, and so long, in characters, each. */
const MOST_TOLD = 100;
const LONGEST_TOLD = 4000;
/** A run is told of at most so often, in milliseconds. */
const EVERY_MS = 200;
/** So long somebody may think before a question takes its fallback. */
const PATIENCE_MS = 10 * 60_000;

/** What came of a run. */
export interface Outcome {
  readonly result: unknown;
  /** As the CLI would have ended. */
  readonly exit: number;
}

export interface Starting {
  readonly verb: Verb;
  readonly line: CommandLine;
  /** Tells its id among the replays of the server, where it is one. */
  work(io: Io, onReplay: (id: string) => void): Promise<Outcome>;
}

type Asked = Question & { readonly n: number };

interface Run {
  readonly id: string;
  readonly starting: Starting;
  readonly startedAt: string;
  readonly abort: AbortController;
  readonly tells: Note[];
  endedAt?: string;
  state: WireRun['state'];
  progress?: WireRun['progress'];
  tasks?: Task[];
  question?: { readonly asked: Asked; answer(value: boolean | string): void };
  outcome?: Outcome;
  failure?: Failure;
  replay?: string;
  /** What it wrote, also where it was cut short. */
  archive?: { readonly file: string; readonly bytes: number };
  timer?: NodeJS.Timeout;
}

/** What a browser may say to a question. @throws OpsError USAGE */
export function readAnswer(question: Question, value: unknown): boolean | string {
  const isOfKind = question.type === 'confirm' ? typeof value === 'boolean' : typeof value === 'string';
  const isChoice = question.type !== 'choice' || question.choices.some((choice) => choice.value === value);
  if (isOfKind && isChoice) return value as boolean | string;
  throw new OpsError('USAGE', 'this is no answer to the question', {
    hints: [question.type === 'confirm' ? 'answer true or false' : 'answer with one of the texts that it takes'],
  });
}

export class Runs {
  readonly #hub: Hub;
  readonly #now: () => Date;
  readonly #lead: (text: string) => string;
  readonly #runs = new Map<string, Run>();

  constructor(hub: Hub, { now, connection }: Pick<Context, 'now' | 'connection'>) {
    this.#hub = hub;
    this.#now = now;
    this.#lead = leadIn(connection);
  }

  get #running(): Run[] {
    return [...this.#runs.values()].filter(({ state }) => state === 'running' || state === 'asking');
  }

  /** @throws OpsError CONSOLE_LIMIT */
  start(starting: Starting): WireRun {
    if (this.#running.length >= MOST_RUNNING) {
      throw new OpsError('CONSOLE_LIMIT', `${MOST_RUNNING} runs are under way`, {
        hints: ['wait for one of them to end, or stop one'],
      });
    }
    const run: Run = {
      id: randomBytes(9).toString('base64url'),
      starting,
      startedAt: this.#now().toISOString(),
      abort: new AbortController(),
      tells: [],
      state: 'running',
    };
    this.#runs.set(run.id, run);
    const io = askingIo(
      run.abort.signal,
      (event) => this.#hear(run, event),
      (question) => this.#ask(run, question),
    );
    // Not in this turn: what begins it is answered first.
    setImmediate(() => void this.#carry(run, leading(io, this.#lead)));
    this.#tellNow(run);
    return this.json(run);
  }

  async #carry(run: Run, io: Io): Promise<void> {
    let state: WireRun['state'] = 'done';
    try {
      // Stopped before it began.
      run.abort.signal.throwIfAborted();
      run.outcome = await run.starting.work(io, (id) => {
        run.replay = id;
        this.#tellNow(run);
      });
    } catch (error) {
      run.failure = failureJson(error, this.#lead);
      state = error instanceof OpsError && error.code === 'INTERRUPTED' ? 'stopped' : 'failed';
    }
    const file = textOf(objectOf(run.outcome?.result ?? run.failure?.result).archive);
    const written = file === '' ? undefined : await stat(file).catch(() => undefined);
    if (written) run.archive = { file, bytes: written.size };
    run.state = state;
    run.endedAt = this.#now().toISOString();
    delete run.question;
    this.#tellNow(run);
    const ended = [...this.#runs.values()].filter(({ endedAt }) => endedAt !== undefined);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - KEPT))) {
      this.#runs.delete(id);
      this.#hub.forget(keyOf(id));
    }
  }

  #hear(run: Run, event: Event): void {
    switch (event.type) {
      case 'note':
      case 'warning':
        run.tells.push({ type: event.type, text: event.text.slice(0, LONGEST_TOLD) });
        if (run.tells.length > MOST_TOLD) run.tells.shift();
        break;
      case 'progress':
        run.progress = {
          title: event.title,
          done: event.done,
          ...(event.total !== undefined && { total: event.total }),
        };
        break;
      case 'tasks':
        run.tasks = event.tasks.map((title) => ({ title, state: 'waiting' }));
        break;
      case 'task': {
        const task = run.tasks?.[event.index];
        if (task && run.tasks) {
          const { state, detail } = event;
          run.tasks[event.index] = { ...task, state, ...(detail !== undefined && { detail }) };
        }
        break;
      }
      case 'tasks-end':
        break;
    }
    run.timer ??= setTimeout(() => this.#tellNow(run), EVERY_MS);
  }

  #ask(run: Run, question: Question): Promise<boolean | string> {
    const { signal } = run.abort;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<boolean | string>();
    const timer = setTimeout(() => resolve(question.fallback), PATIENCE_MS);
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
    run.question = { asked: { ...question, n: (run.question?.asked.n ?? 0) + 1 }, answer: resolve };
    run.state = 'asking';
    this.#tellNow(run);
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      run.state = 'running';
      this.#tellNow(run);
    });
  }

  /** @throws OpsError NOT_FOUND, USAGE, CONSOLE_EXPIRED where the question is over */
  answer(id: string, n: unknown, value: unknown): WireRun {
    const run = this.#find(id);
    const { question, state } = run;
    if (state !== 'asking' || !question || question.asked.n !== n) {
      throw new OpsError('CONSOLE_EXPIRED', 'the question was answered, or is over', {
        hints: ['look at the run again'],
      });
    }
    question.answer(readAnswer(question.asked, value));
    return this.json(run);
  }

  /** As Ctrl-C. @throws OpsError NOT_FOUND */
  stop(id: string): WireRun {
    const run = this.#find(id);
    if (run.endedAt === undefined) run.abort.abort(new OpsError('INTERRUPTED', 'stopped from the console'));
    return this.json(run);
  }

  /** Stops all that run, and waits for their ends. */
  async end(reason: OpsError): Promise<void> {
    for (const run of this.#running) run.abort.abort(reason);
    while (this.#running.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** @throws OpsError NOT_FOUND */
  one(id: string): WireRun {
    return this.json(this.#find(id));
  }

  /** The archive that a run wrote. @throws OpsError NOT_FOUND */
  archive(id: string): string {
    const { archive } = this.#find(id);
    if (archive) return archive.file;
    throw new OpsError('NOT_FOUND', `the run ${id} wrote no archive`);
  }

  all(): WireRun[] {
    return [...this.#runs.values()].reverse().map((run) => this.json(run, { short: true }));
  }

  #find(id: string): Run {
    const run = this.#runs.get(id);
    if (run) return run;
    throw new OpsError('NOT_FOUND', `there is no run ${JSON.stringify(id.slice(0, 40))} of this console`, {
      hints: ['replays of all others are in `osapi-ops dlq replays ls`'],
    });
  }

  #tellNow(run: Run): void {
    clearTimeout(run.timer);
    delete run.timer;
    this.#hub.tell('run', this.json(run, { short: true }), keyOf(run.id));
  }

  /** In `short` without what there is one of for each message. */
  json(run: Run, { short = false } = {}): WireRun {
    const { id, starting, state, startedAt, endedAt, tells, progress, tasks, question, outcome, failure } = run;
    const { replay, archive } = run;
    const { result, ...rest } = failure ?? {};
    const whole = outcome?.result ?? result;
    return {
      id,
      verb: starting.verb,
      state,
      started_at: startedAt,
      ...(endedAt !== undefined && { ended_at: endedAt }),
      command: starting.line,
      tells,
      ...(progress && { progress }),
      ...(tasks && { tasks }),
      ...(state === 'asking' && question && { question: question.asked }),
      ...(whole !== undefined && { result: short ? withoutEntries(whole) : whole }),
      ...rest,
      ...(outcome && { exit: outcome.exit }),
      ...(replay !== undefined && { replay }),
      ...(archive && { archive: { name: basename(archive.file), bytes: archive.bytes } }),
    };
  }
}

const keyOf = (id: string): string => `run:${id}`;

function withoutEntries(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('entries' in result)) return result;
  const { entries: _, ...figures } = result;
  return figures;
}
