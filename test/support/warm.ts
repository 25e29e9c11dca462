import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { on } from 'node:events';
import { join } from 'node:path';
import { type CliOptions, type CliResult, cleanEnv, ROOT, runCli } from './cli.ts';

export interface Warm {
  /** With `isOneStream`, stdout has what is said on stderr too, in its place. */
  (args: readonly string[], options?: CliOptions & { readonly isOneStream?: boolean }): Promise<CliResult>;
  /** Of the process that the next line runs in. */
  pid(): number;
  /** How many lines are under way or wait. */
  left(): number;
  close(): void;
}

/**
 * Runs one line of the CLI after another in one process, which costs a fifth of a process for each. What stdin is given
 * runs by itself.
 *
 * @param execArgv of the process
 */
export function startWarm(execArgv: string[] = []): Warm {
  let child: ChildProcess | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let left = 0;
  const start = (): ChildProcess => {
    const fresh = fork(join(ROOT, 'test', 'support', 'warm-cli.cjs'), {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv,
    });
    for (const name of ['stdout', 'stderr'] as const) fresh[name]!.setEncoding('utf8');
    return fresh.once('exit', () => {
      if (child === fresh) child = undefined;
    });
  };
  const present = (): ChildProcess => {
    child ??= start();
    return child;
  };
  const run = async (
    args: readonly string[],
    { isOneStream = false, ...options }: CliOptions & { isOneStream?: boolean },
  ): Promise<CliResult> => {
    const one = present();
    const end = `end of ${randomUUID()}: `;
    const read = async (name: 'stdout' | 'stderr') => {
      let text = '';
      for await (const [part] of on(one[name]!, 'data', { close: ['close'] })) {
        text += part;
        const at = text.lastIndexOf(end);
        if (at >= 0 && text.endsWith('\n'))
          return { text: text.slice(0, at), code: Number(text.slice(at + end.length)) };
      }
      throw new Error(`${args.join(' ')} ended the process it ran in, after it said on ${name}: ${text}`);
    };
    const reading = [read('stdout'), read('stderr')] as const;
    one.send({ args, end, isOneStream, cwd: options.cwd ?? ROOT, env: cleanEnv(options) });
    const [stdout, stderr] = await Promise.all(reading);
    return { code: stdout.code, signal: null, stdout: stdout.text, stderr: stderr.text };
  };
  const next: Warm = (args, options = {}) => {
    if (options.stdin !== undefined || options.command) return runCli(args, options);
    const done = last.then(() => run(args, options));
    left += 1;
    const end = () => {
      left -= 1;
    };
    last = done.then(end, end);
    return done;
  };
  next.pid = () => present().pid!;
  next.left = () => left;
  next.close = () => void child?.kill('SIGKILL');
  return next;
}
