import { readFileSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import type { TestServer } from './server.ts';

/** What went over the wire between a client and its server. */
export interface Wire {
  /** How often the client had to wait for the server: round trips in sequence, the greeting and the login among them. */
  readonly waves: number;
  /** What was published, a request each, with the wave before which it left. */
  readonly requests: readonly { readonly subject: string; readonly wave: number }[];
  /** From the server to the client. */
  readonly bytes: number;
  /** How long the client sat there, in milliseconds, with nothing to do and every answer in its hand. */
  readonly idleMs: number;
}

export interface Waves {
  readonly url: string;
  /** A process that is at work, even if it is kept waiting for a processor, has something to say yet. */
  watch(pid: number): void;
  /** What went over the wire since this was asked last. */
  take(): Wire;
  close(): Promise<void>;
}

/** Neither side said a word for so long, in milliseconds: the client waits for what is held back. */
const QUIET_MS = 50;

/**
 * Stands between a client and a server as if they were far apart: what the client says goes through at once, what the
 * server answers is held back until nobody says anything more, and is then let go as one wave. However slow a machine is,
 * requests that left together come back together, and a request that needed an answer first makes a wave of its own.
 */
export async function startWaves(server: Pick<TestServer, 'port' | 'pid'>): Promise<Waves> {
  let wire = { waves: 0, requests: [] as { subject: string; wave: number }[], bytes: 0, idleMs: 0 };
  const held = new Map<Socket, Buffer[]>();
  const sockets = new Set<Socket>();
  let timer: NodeJS.Timeout | undefined;
  let client: number | undefined;
  let worked = '';
  const letGo = () => {
    if (isAtWork()) return stir();
    if (held.size === 0) return;
    if (![...held.values()].some((parts) => parts.length > 0)) {
      wire.idleMs += QUIET_MS;
      return stir();
    }
    wire.waves += 1;
    for (const [near, parts] of held) for (const part of parts.splice(0)) near.write(part);
  };
  const isAtWork = (): boolean => {
    const looks = [server.pid, client].map(lookAtProcess);
    const now = looks.map((look) => look?.ticks).join(' ');
    const isBusy = now !== worked || looks.some((look) => look?.isRunning);
    worked = now;
    return isBusy;
  };
  const stir = () => {
    clearTimeout(timer);
    timer = setTimeout(letGo, QUIET_MS);
  };
  const listener = createServer((near) => {
    const upstream = dial(server.port, '127.0.0.1');
    const parts: Buffer[] = [];
    held.set(near, parts);
    const read = readSubjects((subject) => wire.requests.push({ subject, wave: wire.waves }));
    near.on('data', (chunk) => {
      read(chunk);
      upstream.write(chunk);
      stir();
    });
    upstream.on('data', (chunk) => {
      wire.bytes += chunk.length;
      parts.push(chunk);
      stir();
    });
    const end = () => {
      held.delete(near);
      for (const socket of [near, upstream]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [near, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end).on('close', end);
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `nats://127.0.0.1:${(listener.address() as { port: number }).port}`,
    watch(pid) {
      client = pid;
    },
    take() {
      const taken = wire;
      wire = { waves: 0, requests: [], bytes: 0, idleMs: 0 };
      return taken;
    },
    async close() {
      clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** Whether a process runs or waits for a processor, and how long it ran; nothing where the system does not tell. */
function lookAtProcess(pid: number | undefined): { isRunning: boolean; ticks: string } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return { isRunning: fields[0] === 'R', ticks: `${fields[11]} ${fields[12]}` };
  } catch {
    return undefined;
  }
}

/** Hears the subject of all that a client publishes; payloads are passed over. */
function readSubjects(onSubject: (subject: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  let skip = 0;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (skip > 0) {
        const some = Math.min(skip, rest.length);
        skip -= some;
        rest = rest.subarray(some);
      }
      const end = rest.indexOf('\r\n');
      if (skip > 0 || end < 0) return;
      const words = rest.subarray(0, end).toString('latin1').split(' ');
      rest = rest.subarray(end + 2);
      if (words[0] !== 'PUB' && words[0] !== 'HPUB') continue;
      skip = Number(words.at(-1)) + 2;
      onSubject(words[1]!);
    }
  };
}
