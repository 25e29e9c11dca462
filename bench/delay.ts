import { createServer, connect as dial, type Socket } from 'node:net';

export interface Delay {
  readonly url: string;
  /** What the server sent since this was asked last, in bytes. */
  take(): number;
  stop(): void;
}

/** A server that is so many milliseconds away, there and back: each piece waits half of that, in both directions. */
export async function startDelay(port: number, delayMs: number): Promise<Delay> {
  const sockets = new Set<Socket>();
  let bytes = 0;
  const late = (from: Socket, to: Socket, onPart?: (part: Buffer) => void) => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (part) => {
      onPart?.(part);
      if (delayMs > 0) setTimeout(() => to.write(part), delayMs / 2);
      else to.write(part);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => setTimeout(() => to.destroy(), delayMs / 2));
  };
  const listener = createServer((client) => {
    const upstream = dial(port, '127.0.0.1');
    late(client, upstream);
    late(upstream, client, (part) => {
      bytes += part.length;
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address() as { port: number };
  return {
    url: `nats://127.0.0.1:${address.port}`,
    take() {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    stop() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
