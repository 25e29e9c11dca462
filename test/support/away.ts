import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A server seen from far away. */
export interface Away {
  readonly url: string;
  close(): void;
}

/** Stands before a server of this machine as if it were a round trip of so many milliseconds away. */
export async function startAway(port: number, roundTripMs: number): Promise<Away> {
  const sockets = new Set<Socket>();
  const late = (from: Socket, to: Socket) => {
    sockets.add(from);
    // In order: timers of one length fire in that of their making.
    const then = (work: () => void) => void setTimeout(work, roundTripMs / 2).unref();
    from.on('data', (data) => then(() => to.writable && to.write(data)));
    from.on('close', () => {
      sockets.delete(from);
      then(() => to.destroy());
    });
    from.on('error', () => {});
  };
  const listener = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    late(near, far);
    late(far, near);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `nats://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
