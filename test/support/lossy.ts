import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

type Loss = 'answer' | 'request' | 'nothing';

/** A server some of whose answers are lost on the way, though the requests are carried out. */
export interface Lossy {
  readonly url: string;
  /**
   * Loses the answer to the next request on a subject that matches, or the request itself, or nothing. What `then` does is
   * done before the client is told anything more: the server is changed before anybody looks or tries again.
   */
  lose(what: Loss, subject: RegExp, then?: () => Promise<unknown>): void;
  /** How many requests there were on a subject that matches, since it was asked last. */
  seen(subject: RegExp): number;
  close(): void;
}

/** Reads the messages of one direction; each is given with its first line in words, and whole. */
function readFrames(onFrame: (words: readonly string[], frame: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const end = rest.indexOf('\r\n');
      if (end < 0) return;
      const words = rest.subarray(0, end).toString('latin1').split(' ');
      const isMessage = /^H?(?:PUB|MSG)$/.test(words[0]!);
      const size = end + 2 + (isMessage ? Number(words.at(-1)) + 2 : 0);
      if (rest.length < size) return;
      onFrame(words, rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  };
}

/** Stands before a server of this machine. */
export async function startLossy(port: number): Promise<Lossy> {
  const sockets = new Set<Socket>();
  let next: { what: Loss; subject: RegExp; then?: () => Promise<unknown> } | undefined;
  let requests: string[] = [];
  const listener = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const lost = new Map<string, { readonly what: Loss; readonly then?: () => Promise<unknown> }>();
    let told: Promise<void> = Promise.resolve();
    near.on(
      'data',
      readFrames(([verb, subject = '', reply = ''], frame) => {
        if (/PUB$/.test(verb!)) {
          requests.push(subject);
          if (next?.subject.test(subject)) {
            const { what, then } = next;
            next = undefined;
            if (what === 'request') {
              if (then) told = told.then(then).then(() => {});
              return;
            }
            lost.set(reply, { what, ...(then && { then }) });
          }
        }
        far.write(frame);
      }),
    );
    far.on(
      'data',
      readFrames(([, subject = ''], frame) => {
        const { what, then } = lost.get(subject) ?? { what: 'nothing' };
        lost.delete(subject);
        if (then) told = told.then(then).then(() => {});
        if (what === 'nothing') told = told.then(() => void (near.writable && near.write(frame)));
      }),
    );
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket.on('error', () => {}));
      socket.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `nats://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    lose(what, subject, then) {
      next = { what, subject, ...(then && { then }) };
    },
    seen(subject) {
      const count = requests.filter((one) => subject.test(one)).length;
      requests = [];
      return count;
    },
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
