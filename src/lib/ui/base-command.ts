import { Command, type Interfaces } from '@oclif/core';
import { EXIT } from '../errors/codes.ts';
import { OpsError } from '../errors/ops-error.ts';
import type { ConnectionFlags, Context } from '../model/context.ts';
import { connectionFlags, leavingConnection, outputFlags } from './flags.ts';
import { createHost } from './host.ts';
import { reportFailure } from './report.ts';
import { createTheme, type Theme, wantsColour } from './theme.ts';

/** How a result is to be drawn on stdout. */
export interface Output {
  readonly json: boolean;
  readonly theme: Theme;
  /** Columns of the terminal; 100 where stdout is none. */
  readonly width: number;
}

type FlagsOf<T extends typeof Command> = Interfaces.InferredFlags<(typeof BaseCommand)['baseFlags'] & T['flags']>;
type ArgsOf<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

/**
 * Every command's frame: global flags, Ctrl-C as an AbortSignal, one door to stdout, one to the exit code.
 * A command implements `execute`; what it returns is its exit code, 0 where it returns nothing.
 */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override baseFlags = { ...connectionFlags, ...outputFlags };

  protected flags!: FlagsOf<T>;
  protected args!: ArgsOf<T>;
  protected context!: Context;
  protected output!: Output;

  protected abstract execute(): Promise<number | undefined>;

  override async run(): Promise<void> {
    const parsed = await this.parse({
      flags: this.ctor.flags,
      baseFlags: leavingConnection((super.ctor as typeof BaseCommand).baseFlags),
      args: this.ctor.args,
      strict: this.ctor.strict,
    });
    this.flags = repeated(parsed.flags, this.ctor.flags) as FlagsOf<T>;
    this.args = parsed.args as ArgsOf<T>;
    const flags = this.flags as Record<string, unknown>;
    const env = process.env;
    const colour = !flags['no-color'];
    this.output = {
      json: flags.json === true,
      theme: createTheme({ colour: colour && wantsColour(env, process.stdout) }),
      width: process.stdout.columns ?? 100,
    };
    const signal = listenForInterrupt();
    this.context = {
      io: createHost({
        json: this.output.json,
        quiet: flags.quiet === true,
        colour: colour && wantsColour(env, process.stderr),
        env,
        stdin: process.stdin,
        stderr: process.stderr,
        signal,
      }),
      env,
      cwd: process.cwd(),
      tool: this.config.version,
      connection: Object.fromEntries(
        Object.keys(connectionFlags).map((name) => [name, flags[name]]),
      ) as ConnectionFlags,
      now: () => new Date(),
      readStdin,
    };
    process.exitCode = (await this.execute()) || 0;
  }

  /** Prints a result on stdout: the JSON under `--json`, else the text. */
  protected print(json: unknown, text: string): void {
    if (this.output.json) process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    else if (text) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  protected override async catch(error: unknown): Promise<void> {
    const flags = Object.keys({ ...this.ctor.flags, ...this.ctor.baseFlags });
    process.exitCode = reportFailure(error, { argv: this.argv, command: this.id ?? '', flags });
  }
}

/** oclif gives a flag that may be repeated as a list, but as a bare text where its variable sets it. */
const repeated = (values: Record<string, unknown>, flags: Readonly<Record<string, { type: string }>>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const isList = (flags[name] as { multiple?: boolean } | undefined)?.multiple === true;
      return [name, isList && typeof value === 'string' ? [value] : value];
    }),
  );

/** Runners such as npx and timeout pass one Ctrl-C on twice; only a later one means "at once". */
const SAME_KEY_MS = 500;

/** The first Ctrl-C (or SIGTERM) asks the work to stop; a second one ends the process at once. */
function listenForInterrupt(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const interrupt = (name: string) => {
    if (!controller.signal.aborted) {
      first = Date.now();
      controller.abort(new OpsError('INTERRUPTED', `interrupted by ${name}`));
    } else if (Date.now() - first > SAME_KEY_MS) process.exit(EXIT.interrupted);
  };
  process.on('SIGINT', () => interrupt('Ctrl-C'));
  process.on('SIGTERM', () => interrupt('SIGTERM'));
  return controller.signal;
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
