// Ends a process (kill -9) right after it wrote so often, to the message: by hand
//   node test/worlds/killed-after.ts 3 osapi-ops dlq replay
// with the server in NATS_URL. A write is a publish that changes something: copies, journal, intents, locks, removals.
import { spawn } from 'node:child_process';
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Gate {
  /** What to connect to in the server's place. */
  readonly url: string;
  close(): void;
}

const isWrite = (subject: string): boolean =>
  !/^(_INBOX|\$JS\.API|\$SYS)\./.test(subject) || /^\$JS\.API\.STREAM\.(MSG\.DELETE|PURGE)\./.test(subject);

/** Stands before a server; behind the write of that number nothing more goes through, and `onOver` is called. */
export async function startGate(server: string, after: number, onOver: () => void): Promise<Gate> {
  const { hostname, port } = new URL(server);
  const sockets = new Set<Socket>();
  let writes = 0;
  const listener = createServer((near) => {
    const upstream = dial(Number(port), hostname);
    let rest = Buffer.alloc(0);
    near.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (writes < after) {
        const end = rest.indexOf('\r\n');
        if (end < 0) return;
        const words = rest.subarray(0, end).toString('latin1').split(' ');
        const isPublish = words[0] === 'PUB' || words[0] === 'HPUB';
        const size = end + 2 + (isPublish ? Number(words.at(-1)) + 2 : 0);
        if (rest.length < size) return;
        upstream.write(rest.subarray(0, size));
        rest = rest.subarray(size);
        if (isPublish && isWrite(words[1]!)) writes += 1;
        if (writes === after) onOver();
      }
    });
    upstream.on('data', (chunk) => void near.write(chunk));
    for (const [socket, other] of [
      [near, upstream],
      [upstream, near],
    ] as const) {
      // What was written before a kill still arrives.
      sockets.add(socket.setNoDelay(true).on('error', () => socket.destroy()));
      socket.on('close', () => other.end());
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `nats://127.0.0.1:${(listener.address() as { port: number }).port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

if (import.meta.main) {
  const [after, command, ...args] = process.argv.slice(2);
  const gate = await startGate(process.env.NATS_URL!, Number(after), () => child.kill('SIGKILL'));
  const child = spawn(command!, args, { stdio: 'inherit', env: { ...process.env, NATS_URL: gate.url } });
  child.on('exit', (code, signal) => {
    gate.close();
    process.exitCode = signal === 'SIGKILL' ? 137 : (code ?? 1);
  });
}
