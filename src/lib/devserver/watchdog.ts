import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/**
 * Ends what a process leaves behind when it is killed with -9 and can do nothing itself. A small Node in a session of
 * its own reads a pipe from us: `+pid` and `-pid` name servers, `>path` and `<path` files to remove. When the pipe
 * closes, however we died, it stops what is still on its list.
 */
const SCRIPT = `
const fs = require('node:fs');
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});
const pids = new Set();
const files = new Set();
const marks = {
  '+': (word) => pids.add(Number(word)),
  '-': (word) => pids.delete(Number(word)),
  '>': (word) => files.add(word),
  '<': (word) => files.delete(word),
};
let rest = '';
const zombie = (pid) => {
  try { return fs.readFileSync('/proc/' + pid + '/stat', 'utf8').includes(') Z '); } catch { return false; }
};
const signal = (name) => {
  for (const pid of pids) {
    try { process.kill(pid, name); } catch { pids.delete(pid); }
    if (zombie(pid)) pids.delete(pid);
  }
};
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) marks[line[0]]?.(line.slice(1));
});
process.stdin.on('error', () => {});
process.stdin.on('close', () => {
  signal('SIGTERM');
  let rounds = 0;
  const timer = setInterval(() => {
    signal(rounds++ < 100 ? 0 : 'SIGKILL');
    if (pids.size > 0 && rounds < 120) return;
    clearInterval(timer);
    for (const file of files) fs.rmSync(file, { recursive: true, force: true });
    process.exit();
  }, 50);
});
`;

let watchdog: ChildProcess | undefined;

/** Tells the watchdog one thing; starts it at the first. Its start costs us no waiting. */
function tell(mark: '+' | '-' | '>' | '<', word: string | number): void {
  if (!watchdog) {
    watchdog = spawn(process.execPath, ['-e', SCRIPT], {
      detached: true,
      windowsHide: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      // NODE_OPTIONS of a debugger or a test runner is not meant for this one.
      env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot },
      cwd: process.platform === 'win32' ? undefined : '/',
    });
    watchdog.on('error', () => {});
    watchdog.stdin?.on('error', () => {});
    watchdog.unref();
    (watchdog.stdin as unknown as { unref(): void } | null)?.unref();
  }
  watchdog.stdin?.write(`${mark}${word}\n`);
}

/**
 * Starts a process that ends with us. We may be killed while we start it and never learn its number: so it says that to
 * the watchdog itself, before it becomes `command`.
 */
export function spawnWatched(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  tell('<', '');
  const { stdio = ['ignore', 'ignore', 'ignore'] } = options;
  const pipe = watchdog?.stdin;
  const child =
    process.platform === 'win32' || !pipe || !Array.isArray(stdio)
      ? spawn(command, args, options)
      : spawn('/bin/sh', ['-c', SAY_AND_BECOME, 'sh', command, ...args], { ...options, stdio: [...stdio, pipe] });
  const { pid } = child;
  if (pid !== undefined) {
    tell('+', pid);
    child.once('exit', () => tell('-', pid));
  }
  return child;
}

/** In a subshell, which alone dies where the watchdog is gone. */
const SAY_AND_BECOME = '(echo "+$$" >&3) 2>/dev/null; exec "$@" 3>&-';

/** Removes `path`, a file or directory, should we die without removing it ourselves. */
export const watchFile = (path: string): void => tell('>', path);
export const forgetFile = (path: string): void => tell('<', path);
