import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { BIN, type CliOptions, cleanEnv, ROOT } from './cli.ts';

/** Gives a command a terminal of its own: argv is columns, rows, command…; its input and output are ours. */
const BRIDGE = `
import fcntl, os, pty, select, struct, sys, termios
columns, rows = int(sys.argv[1]), int(sys.argv[2])
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
sources = [fd, 0]
while True:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b''
        if source == fd and not data:
            status = os.waitpid(pid, 0)[1]
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        if source == 0 and not data:
            sources.remove(0)
        elif source == 0:
            os.write(fd, data)
        else:
            os.write(1, data)
`;

export const KEY = { enter: '\r', up: '\x1b[A', down: '\x1b[B', ctrlC: '\x03', ctrlD: '\x04', escape: '\x1b' } as const;

export interface Terminal {
  /** Of the bridge, whose only child is the command. */
  readonly pid: number;
  /** Types; `KEY` has what is not a letter. */
  send(text: string): void;
  /** Waits for text that was not matched before; rejects with the whole screen after `timeout` ms. */
  expect(pattern: string | RegExp, timeout?: number): Promise<string>;
  /** All that was shown, without control sequences. */
  text(): string;
  /** All that was shown, as it came. */
  raw(): string;
  /** The same without what was taken away again, as a slow machine sees a sign of life that a quick one does not. */
  left(): string;
  /** When something was shown, in milliseconds since it was started. */
  times(): readonly number[];
  /** Takes the terminal away, as when its window is closed. */
  kill(): void;
  readonly done: Promise<number | null>;
}

/** Runs the CLI (or `command`) in a real pseudo-terminal; such a test is of `needing('a pseudo-terminal')`. */
export function startInTerminal(
  args: readonly string[],
  options: CliOptions & { columns?: number; rows?: number } = {},
): Terminal {
  const command = options.command ?? [process.execPath, BIN];
  const size = [String(options.columns ?? 100), String(options.rows ?? 40)];
  const child = spawn('python3', ['-c', BRIDGE, ...size, ...command, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...cleanEnv({ ...options, env: { TERM: 'xterm-256color', ...options.env } }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const began = performance.now();
  const times: number[] = [];
  let raw = '';
  let seen = 0;
  let ended = false;
  let look = (): void => {};
  child.stdin.on('error', () => {});
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    raw += part;
    times.push(performance.now() - began);
    look();
  });
  const whole = (): string => stripVTControlCharacters(raw).replaceAll('\r', '');
  // A line that was taken away again was never there.
  const left = (): string => raw.replace(/[^\n]*\r\u001b\[K/g, '');
  const text = (): string => stripVTControlCharacters(left()).replaceAll('\r', '');
  const done = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      ended = true;
      look();
      resolve(code);
    });
  });
  return {
    pid: child.pid!,
    send: (keys) => void child.stdin.write(keys),
    expect: (pattern, timeout = 15_000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => {
          clearTimeout(timer);
          look = () => {};
          reject(new Error(`${why} ${pattern}\n--- the screen so far\n${whole()}`));
        };
        const timer = setTimeout(() => fail(`${timeout} ms went by without`), timeout);
        look = () => {
          const rest = whole().slice(seen);
          const found = typeof pattern === 'string' ? rest.indexOf(pattern) : rest.search(pattern);
          if (found >= 0) {
            const match = typeof pattern === 'string' ? pattern : rest.match(pattern)![0];
            seen += found + match.length;
            clearTimeout(timer);
            look = () => {};
            resolve(match);
          } else if (ended) fail('the program ended without');
        };
        look();
      }),
    text,
    raw: () => raw,
    left,
    times: () => times,
    kill: () => void child.kill(),
    done,
  };
}
