import type { ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Fault } from '../errors/fault.ts';
import type { Event, Io } from '../model/io.ts';
import type { LineSink } from './line-writer.ts';
import { widthOf } from './text.ts';
import { withoutLinks } from './theme.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What `less` does where LESS does not say: leave at once what fits, show colours, keep the text on the screen. */
const LESS = 'FRX';

/** Where the text of a reading command goes: the terminal, through a pager where it is longer than that. */
export interface Screen extends LineSink {
  /** While a pager has the terminal, nothing else may write to it, and it must not be left alone. */
  readonly isOpen: boolean;
  /** Does it when all that was written before is on the terminal, and no pager. */
  after(act: () => void): void;
  /** Shows what is left; with a pager, resolves when the reader has left it. */
  end(): Promise<void>;
  /** Asks an open pager to end. */
  dismiss(): void;
}

export interface ScreenOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly env: Env;
  /** False under --no-pager, and where nobody sits at the terminal. */
  readonly pages: boolean;
}

/** The pager's command: PAGER where it names one, else less; undefined where that is not there, or is none. */
export function pagerOf(env: Env): string | undefined {
  const command = (env.PAGER ?? (process.platform === 'win32' ? '' : 'less')).trim();
  const [program = ''] = command.split(/\s+/);
  if (program === '' || program === 'cat') return undefined;
  // With a path or shell syntax in it, the shell has to find out.
  return /[^\w.+-]/.test(program) || isOnPath(program, env) ? command : undefined;
}

function isOnPath(program: string, env: Env): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder || '.', program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Rows that text takes on a terminal of so many columns. */
export const rowsOf = (text: string, columns: number): number =>
  text
    .split('\n')
    .slice(0, text.endsWith('\n') ? -1 : undefined)
    .reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);

export function createScreen({ stdout, env, pages }: ScreenOptions): Screen {
  const command = pages && stdout.isTTY ? pagerOf(env) : undefined;
  let held = '';
  let child: ChildProcess | undefined;
  let closed: Promise<void> | undefined;
  let isGone = false;
  let later: (() => void)[] = [];

  const open = () => {
    // What is on the line is taken away by whatever is written: the pager begins on an empty one.
    stdout.write('');
    child = process.getBuiltinModule('node:child_process').spawn(command!, {
      shell: true,
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { ...env, LESS: env.LESS ?? LESS, LESSCHARSET: env.LESSCHARSET ?? 'utf-8' },
    });
    child.stdin!.on('error', () => {});
    closed = new Promise((resolve) => {
      child!.once('error', () => resolve());
      child!.once('close', () => {
        isGone = true;
        resolve();
      });
    });
    child.stdin!.write(withoutLinks(held));
    held = '';
  };

  return {
    get isOpen() {
      return child !== undefined && !isGone;
    },
    after(act) {
      if (this.isOpen || held) later.push(act);
      else act();
    },
    write(text) {
      if (command === undefined) return stdout.write(text);
      // The reader left the pager before the end: no fault, and nothing to do any more.
      if (isGone) throw new Fault('EPIPE');
      if (child) return child.stdin!.write(withoutLinks(text));
      held += text;
      // The prompt of the shell takes a row, too.
      if (rowsOf(held, stdout.columns || 80) >= (stdout.rows || 24)) open();
      return true;
    },
    once(event, listener) {
      if (!child) return stdout.once(event, listener);
      child.stdin!.once(event, listener);
      closed!.then(listener);
    },
    async end() {
      if (held) stdout.write(held);
      held = '';
      child?.stdin?.end();
      await closed;
      child = undefined;
      isGone = false;
      const acts = later;
      later = [];
      for (const act of acts) act();
    },
    dismiss: () => void child?.kill(),
  };
}

/** A host that keeps its place: notes come after the text, and what only moves is left out while a pager is there. */
export function besideScreen(io: Io, screen: Screen): Io {
  const tell = (event: Event) => {
    if (event.type === 'note' || event.type === 'warning') screen.after(() => io.tell(event));
    else if (!screen.isOpen) io.tell(event);
  };
  return { ...io, tell };
}
