import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** Finds loopback ports that are free now. All are held until the last is found, so that no two are the same. */
export async function findFreePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const ports = holders.map((holder) => (holder.address() as AddressInfo).port);
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))));
  return ports;
}

/** The first of these loopback ports that nobody listens on. */
export async function firstFreePort(ports: readonly number[]): Promise<number | undefined> {
  for (const port of ports) if (await isFree(port)) return port;
  return undefined;
}

/** Asked by a connection: a second socket may listen beside one that listens on all addresses (macOS). */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
