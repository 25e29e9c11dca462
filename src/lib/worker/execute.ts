import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { isKeptSecret } from '../errors/conceal.ts';
import { OpsError } from '../errors/ops-error.ts';
import { asBuffer } from '../model/bytes.ts';
import { parseHeaders } from '../nats/raw-headers.ts';
import { traceOf } from '../nats/trace.ts';
import { tookTooLong } from './endings.ts';
import { type Job, type Outcome, publishedAt, type Runner } from './job.ts';

export interface ExecOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** The largest response, in bytes. */
  readonly maxResponse: number;
}

/** What the exit code of a command says, after sysexits.h: EX_TEMPFAIL, EX_DATAERR. */
const RETRY = 75;
const REJECT = 65;
const REASON_BYTES = 4096;

/** The last words of what a command wrote on stderr, as a reason. */
function lastWords(stderr: Buffer): string {
  const text = stderr.toString('utf8').trim();
  return text.length > 500 ? `…${text.slice(-500)}` : text;
}

/** What the worker is set up with stays its own: a handler takes what strangers send. */
const withoutCredentials = (env: ExecOptions['env']): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name, value]) => !/^(?:NATS|OSAPI_OPS)_/i.test(name) && !isKeptSecret(value ?? '')),
  );

function environment(job: Job, { env, timeoutMs }: ExecOptions): NodeJS.ProcessEnv {
  const { delivery } = job;
  const trace = traceOf(delivery.headers);
  const lines = parseHeaders(delivery.headers).map(({ name, value }) => [
    name,
    asBuffer(Buffer.from(value, 'latin1')).toString('utf8'),
  ]);
  return {
    ...withoutCredentials(env),
    // The trace is the request's, never the one that the worker was started in.
    TRACEPARENT: trace.traceparent,
    TRACESTATE: trace.tracestate,
    OSAPI_REQUEST_ID: job.id,
    OSAPI_SUBJECT: delivery.subject,
    OSAPI_DELIVERY: String(delivery.delivery),
    OSAPI_MAX_DELIVER: String(job.maxDeliver),
    OSAPI_STREAM: delivery.stream,
    OSAPI_CONSUMER: delivery.consumer,
    OSAPI_SEQ: String(delivery.seq),
    OSAPI_PUBLISHED_AT: publishedAt(delivery),
    OSAPI_TIMEOUT_MS: String(timeoutMs),
    // A NUL or a megabyte would keep the command from starting at all.
    OSAPI_HEADERS: JSON.stringify(lines)
      .slice(0, 32 * 1024)
      .replaceAll('\0', ''),
  };
}

/** Ends a command with all that it started: each has a process group of its own. */
function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

/**
 * Runs a command for each request: the payload on its stdin, the response on its stdout. Exit code 0 answers, 75 asks
 * for a later delivery, 65 rejects with what is on stderr as the reason; anything else is a failure.
 */
export function createExec(options: ExecOptions): Runner {
  const [program = '', ...args] = options.command;
  const running = new Set<() => void>();

  const run = (job: Job): Promise<Outcome> =>
    new Promise((settle) => {
      let child: ChildProcess;
      try {
        child = spawn(program, args, {
          cwd: options.cwd,
          env: environment(job, options),
          stdio: ['pipe', 'pipe', 'pipe'],
          detached: true,
        });
      } catch (error) {
        settle({ type: 'failure', reason: `${program} cannot be started: ${(error as Error).message}` });
        return;
      }
      let cut: Outcome | undefined;
      const stop = (outcome: Outcome) => {
        cut ??= outcome;
        end(child);
      };
      const stopped = () => stop({ type: 'stopped' });
      running.add(stopped);
      const timer = setTimeout(() => stop(tookTooLong(options.timeoutMs)), options.timeoutMs);
      const out: Buffer[] = [];
      let size = 0;
      let err: Buffer = Buffer.alloc(0);
      child.stdout!.on('data', (part: Buffer) => {
        size += part.length;
        if (size > options.maxResponse) {
          stop({ type: 'reject', reason: `the response is larger than ${options.maxResponse} bytes` });
        } else out.push(part);
      });
      child.stderr!.on('data', (part: Buffer) => {
        err = Buffer.concat([err, part]).subarray(-REASON_BYTES);
      });
      const done = (outcome: Outcome) => {
        clearTimeout(timer);
        running.delete(stopped);
        settle(cut ?? outcome);
      };
      child.on('error', (error) => done({ type: 'failure', reason: `${program} cannot be started: ${error.message}` }));
      // What it left in the background may keep its pipes open: what is written after its end is not waited for long.
      child.on('exit', () => setTimeout(() => child.stdout!.destroy(), 1000).unref());
      child.on('close', (code, signal) => done(outcomeOf(code, signal, Buffer.concat(out), lastWords(err))));
      child.stdin!.on('error', () => {}); // It need not read its payload.
      child.stdin!.end(job.delivery.payload);
    });

  return {
    run,
    async stop() {
      for (const stopped of running) stopped();
    },
  };
}

function outcomeOf(code: number | null, signal: NodeJS.Signals | null, stdout: Buffer, words: string): Outcome {
  if (code === 0) return { type: 'answer', value: stdout };
  if (code === RETRY)
    return { type: 'retry', reason: words || 'the command asked for a later delivery (exit code 75)' };
  if (code === REJECT) return { type: 'reject', reason: words || 'the command rejected it (exit code 65)' };
  // Where there is room for the first words alone, they are those that tell one cause from another.
  const how = signal ? `was ended by ${signal}` : `exited ${code}`;
  return { type: 'failure', reason: words ? `${words} (the command ${how})` : `the command ${how}` };
}

/**
 * Makes sure that a command can be started, before any request is taken: a typing error must not cost deliveries.
 * @throws OpsError USAGE_FILE
 */
export function requireCommand(program: string, { cwd, env }: Pick<ExecOptions, 'cwd' | 'env'>): void {
  const places = program.includes('/')
    ? [resolve(cwd, program)]
    : (env.PATH ?? '').split(delimiter).map((dir) => join(dir || '.', program));
  let found: string | undefined;
  for (const place of places) {
    try {
      if (!statSync(place).isFile()) continue;
      found = place;
      accessSync(place, constants.X_OK);
      return;
    } catch {
      // The next place.
    }
  }
  throw new OpsError('USAGE_FILE', `--exec: ${program} ${found ? 'may not be executed' : 'is not there'}`, {
    where: found ?? program,
    why: found ? 'It is a file without the permission to execute it.' : 'It is neither a file nor a command on PATH.',
    hints: found
      ? [`chmod +x ${found}`]
      : ['check the path; relative ones count from where you are', 'add --shell to use shell syntax'],
  });
}
