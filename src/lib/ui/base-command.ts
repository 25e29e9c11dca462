import { Command, type Interfaces } from '@oclif/core';
import { EXIT } from '../errors/codes.ts';
import { OpsError } from '../errors/ops-error.ts';
import { gatherPieces } from '../files/read.ts';
import { leadIn, leading } from '../model/call.ts';
import type { ConnectionFlags, Context } from '../model/context.ts';
import { printJson } from '../model/json.ts';
import { linkedPages } from './code-pages.ts';
import { markValues, unmarkError, unmarkFlags } from './dashed-values.ts';
import { connectionFlags, leavingConnection, outputFlags } from './flags.ts';
import { createHost, isLively } from './host.ts';
import { besideScreen, createScreen, type Screen } from './pager.ts';
import { refuseMisread } from './parser-error.ts';
import { reportFailure } from './report.ts';
import { isToCome } from './spec-flags.ts';
import { finishUnread } from './stdout.ts';
import { createTheme, type Theme, wantsColour } from './theme.ts';

/** How a result is to be drawn on stdout. */
export interface Output {
  readonly json: boolean;
  readonly theme: Theme;
  /** Columns of the terminal; 100 where stdout is none. */
  readonly width: number;
  /** The same for a table, but without end where stdout is no terminal: what goes into a pipe or a file is searched. */
  readonly tableWidth: number;
  /** Whether each step is told on stderr as it is done: a terminal, and the log of a CI system, show both streams as one. */
  readonly told: boolean;
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
  #metadata:
    | { readonly flags: Readonly<Record<string, { readonly setFromDefault?: boolean } | undefined>> }
    | undefined;
  protected context!: Context;
  protected output!: Output;
  /** Where a command that only reads shows its text. */
  protected screen!: Screen;

  /** Whether it changes what is outside of it: then it goes on when the reader of its output has gone. */
  protected readonly acts: boolean = false;

  /** Whether silence is right: what it waits for may never come, or another program has the terminal. */
  protected get isPatient(): boolean {
    return false;
  }

  protected get stdout(): NodeJS.WriteStream {
    return process.stdout;
  }

  protected get stderr(): NodeJS.WriteStream {
    return process.stderr;
  }

  protected get stdin(): NodeJS.ReadStream {
    return process.stdin;
  }

  /** How this very program is started again: Node, then the script. */
  protected get launcher(): readonly [string, string] {
    return [process.execPath, process.argv[1]!];
  }

  /** Whether a flag has its default because nobody said it, here or in the environment. */
  protected isLeftOut(flag: string): boolean {
    return this.#metadata?.flags[flag]?.setFromDefault === true;
  }

  protected abstract execute(): Promise<number | undefined>;

  override async run(): Promise<void> {
    const all = { ...(super.ctor as typeof BaseCommand).baseFlags, ...this.ctor.flags };
    refuseMisread(this.argv, all, `osapi-ops ${this.id?.replaceAll(':', ' ')}`);
    const known = {
      flags: this.ctor.flags,
      baseFlags: leavingConnection((super.ctor as typeof BaseCommand).baseFlags),
      args: withoutStdin(this.ctor.args),
      strict: this.ctor.strict,
    };
    const parsed = await this.parse(known, markValues(this.argv)).catch((error: unknown) => {
      throw unmarkError(error);
    });
    this.flags = repeated(unmarkFlags(parsed.flags), this.ctor.flags ?? {}) as FlagsOf<T>;
    this.args = parsed.args as ArgsOf<T>;
    this.#metadata = parsed.metadata;
    const flags = this.flags as Record<string, unknown>;
    const env = process.env;
    if (this.acts) finishUnread();
    const colour = !flags['no-color'];
    const themeOf = (stream: NodeJS.WriteStream): Theme => {
      const coloured = { colour: colour && wantsColour(env, stream) };
      return createTheme({ ...coloured, pageOf: linkedPages(this.config.root, stream, coloured) });
    };
    this.output = {
      json: flags.json === true,
      theme: themeOf(process.stdout),
      width: process.stdout.columns ?? 100,
      tableWidth: process.stdout.columns ?? Number.POSITIVE_INFINITY,
      told: flags.quiet !== true,
    };
    const isWatched = isLively(env) && !this.output.json && !flags['no-pager'];
    this.screen = createScreen({ stdout: process.stdout, env, pages: isWatched });
    const signal = listenForInterrupt(this.screen);
    const host = createHost({
      json: this.output.json,
      quiet: flags.quiet === true,
      colour: colour && wantsColour(env, process.stderr),
      env,
      stdin: process.stdin,
      stderr: process.stderr,
      stdout: process.stdout,
      signal,
      isHeld: () => this.screen.isOpen || this.isPatient,
    });
    this.context = {
      io: besideScreen(
        leading(host, (text) => this.#leadIn(text)),
        this.screen,
      ),
      env,
      cwd: process.cwd(),
      tool: this.config.version,
      connection: Object.fromEntries(
        Object.keys(connectionFlags).map((name) => [name, flags[name]]),
      ) as ConnectionFlags,
      now: () => new Date(),
      readStdin,
    };
    if (typeof flags.since === 'string' && isToCome(flags.since, this.context.now())) {
      const text = `--since ${flags.since} is still to come today: it is yesterday's`;
      this.context.io.tell({ type: 'note', text });
    }
    try {
      process.exitCode = (await this.execute()) || 0;
    } finally {
      // What ends the work may come in the middle of a progress line, which no error is written behind.
      this.context.io.tell({ type: 'tasks-end' });
      await this.screen.end();
    }
  }

  /** Lines to type that are in a text lead to the same server as this one, where they take one. */
  #leadIn(text: string): string {
    const connection: ConnectionFlags | undefined = this.context?.connection;
    const { file } = (this.flags ?? {}) as { readonly file?: string };
    return connection ? leadIn(connection, file)(text) : text;
  }

  /** Prints a result on stdout: the JSON under `--json`, else the text. */
  protected print(json: unknown, text: string): void {
    if (this.output.json) process.stdout.write(`${printJson(json, 2)}\n`);
    else if (text) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Prints a result that a person reads: text longer than the terminal goes through a pager. */
  protected async show(json: unknown, text: string): Promise<void> {
    if (this.output.json || !text) {
      this.print(json, text);
      return;
    }
    this.screen.write(text.endsWith('\n') ? text : `${text}\n`);
    await this.screen.end();
  }

  protected override async catch(error: unknown): Promise<void> {
    const flags = Object.keys({ ...this.ctor.flags, ...this.ctor.baseFlags });
    const failure = error instanceof OpsError ? error.worded((text) => this.#leadIn(text)) : error;
    process.exitCode = reportFailure(failure, {
      argv: this.argv,
      command: this.id ?? '',
      root: this.config.root,
      flags,
    });
  }
}

/** oclif takes an argument that is missing from stdin, which may be the rest of the script that runs us. */
const withoutStdin = <T extends object>(args: T): T =>
  Object.fromEntries(Object.entries(args).map(([name, arg]) => [name, { ...arg, ignoreStdin: true }])) as T;

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

/**
 * The first Ctrl-C (or SIGTERM) asks the work to stop; a second one ends the process at once. Not while a pager is on
 * the screen: Ctrl-C is a key of it, and without us it would fight with the shell for the terminal.
 */
function listenForInterrupt(screen: Screen): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  const interrupt = (name: string) => {
    if (!controller.signal.aborted) {
      first = Date.now();
      controller.abort(new OpsError('INTERRUPTED', `interrupted by ${name}`));
    } else if (!screen.isOpen && Date.now() - first > SAME_KEY_MS) process.exit(EXIT.interrupted);
  };
  process.on('SIGINT', () => interrupt('Ctrl-C'));
  process.on('SIGTERM', () => {
    interrupt('SIGTERM');
    screen.dismiss();
  });
  return controller.signal;
}

const readStdin = async (most: number): Promise<string> => (await gatherPieces(process.stdin, most)).toString('utf8');
