import { type LockOptions, withLocks } from '../../src/lib/ledger/lock.ts';
import type { Nats } from '../../src/lib/nats/port.ts';

/** Works while holding one lock, and ends when that is let go of: a command waits for it only where it closes its connection. */
export async function withLock<T>(
  nats: Nats,
  name: string,
  options: LockOptions,
  work: (signal: AbortSignal, nats: Nats) => Promise<T>,
): Promise<T> {
  const left: Promise<void>[] = [];
  try {
    return await withLocks({ ...nats, leave: (done) => void left.push(done) }, [name], options, work);
  } finally {
    await Promise.all(left);
  }
}
