import type { Context } from '../model/context.ts';
import { Sharing } from '../nats/sharing.ts';

/** What looks again and again, over connections that its looks have in common; `drop` has the next one dial anew. */
export async function withSharing<T>(
  context: Context,
  work: (context: Context, drop: () => void) => Promise<T>,
): Promise<T> {
  const sharing = new Sharing();
  try {
    return await work({ ...context, sharing }, () => sharing.drop());
  } finally {
    await sharing.close();
  }
}
