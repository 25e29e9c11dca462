import { once } from 'node:events';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll } from '@jest/globals';
import { BIN, cleanEnv } from './cli.ts';
import { warmCli } from './warm-cli.ts';

/** Commands that answer and are over. */
const BRIEF =
  /^(apply|plan|destroy|status|validate|export|convert|history|doctor|dlq|request|queue|permissions|schema|explain|monitoring)$/;

/**
 * Writes an `osapi-ops` for the PATH of lines that a shell runs. A line that stands alone, in the foreground and with nothing
 * on its stdin, runs in a process that is there already (see `warmCli`), in its own folder and environment; any other
 * becomes a process of its own, and so does each where there is no /proc to read it from. The shell sees no difference: it
 * waits for the program, and has its two streams and its exit code.
 *
 * @param count of lines that run at once; one more is a process of its own
 */
export function warmProgram(count = 1): (file: string) => void {
  const lanes = Array.from({ length: count }, () => ({ run: warmCli(), isFree: true }));
  let server: Server;
  beforeAll(async () => {
    server = createServer((socket) => void serve(socket).catch(({ message }) => socket.end(answer(99, '', message))));
    await once(server.listen(0, '127.0.0.1'), 'listening');
  });
  afterAll(() => void server?.close());

  async function serve(socket: Socket): Promise<void> {
    const [pid] = await once(socket.on('error', () => {}).setEncoding('utf8'), 'data');
    const line = readLine(`/proc/${Number(pid)}`);
    const lane = line && lanes.find(({ isFree }) => isFree);
    if (!lane) {
      socket.end('own\n');
      return;
    }
    lane.isFree = false;
    try {
      const { code, stdout, stderr } = await lane.run(line.args, line);
      socket.end(answer(code!, stdout, stderr));
    } finally {
      lane.isFree = true;
    }
  }

  return (file) => {
    const own = `exec "${process.execPath}" "${BIN}" "$@"`;
    const warm = `exec 3<> /dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port}
# Its own streams are read from outside meanwhile: they stay as they are.
(echo $$ >&3)
read -r -u 3 code out err
if [ "$code" = own ]; then
  exec 3>&-
  ${own}
fi
[ "$out" -eq 0 ] || head -c "$out" <&3
[ "$err" -eq 0 ] || head -c "$err" <&3 >&2
exit "$code"`;
    writeFileSync(file, `#!/usr/bin/env bash\n${process.platform === 'linux' ? warm : own}\n`, { mode: 0o755 });
  };
}

const answer = (code: number, ...texts: readonly [stdout: string, stderr: string]): string =>
  `${code} ${texts.map((text) => Buffer.byteLength(text)).join(' ')}\n${texts.join('')}`;

/** The line that a process began with; undefined where its subject is the process, or may be. */
function readLine(proc: string) {
  const read = (name: string) => readFileSync(`${proc}/${name}`, 'utf8').split('\0').slice(0, -1);
  // The interpreter, and the file.
  const [, , ...args] = read('cmdline');
  const words = args.filter((word) => !word.startsWith('-'));
  const isBrief =
    BRIEF.test(words[0] ?? '') && !words.includes('watch') && !args.some((word) => /^(--?watch|-)$/.test(word));
  const { ppid, ignored } = readStatus(readFileSync(`${proc}/status`, 'utf8'));
  const isInFront = (ignored & SIGINT) === 0n && readFileSync(`/proc/${ppid}/comm`, 'utf8') !== 'timeout\n';
  const [stdin, stdout, stderr] = [0, 1, 2].map((fd) => readlinkSync(`${proc}/fd/${fd}`));
  if (!isBrief || !isInFront || stdin !== '/dev/null') return undefined;
  const env = Object.fromEntries(
    read('environ').map((pair) => [pair.split('=', 1)[0]!, pair.slice(pair.indexOf('=') + 1)]),
  );
  const absent = Object.fromEntries(Object.keys(cleanEnv()).map((name) => [name, undefined]));
  return { args, cwd: readlinkSync(`${proc}/cwd`), env: { ...absent, ...env }, isOneStream: stdout === stderr };
}

/** In the set of signals that a process ignores: what a shell runs in the background ignores Ctrl-C. */
const SIGINT = 1n << 1n;

const readStatus = (text: string) => ({
  ppid: Number(/^PPid:\s+(\d+)$/m.exec(text)![1]),
  ignored: BigInt(`0x${/^SigIgn:\s+(\w+)$/m.exec(text)![1]}`),
});
