import { orElse } from './answer.ts';
import type { Nats } from './port.ts';
import { isForeignApi } from './settings.ts';
import { readStream } from './streams.ts';
import { isKnown, waysOf } from './ways.ts';

/**
 * Through a domain or an import nobody says that no stream answers direct gets: who asks would wait in vain. There it
 * is looked up once for each stream.
 */
export async function learnWays(nats: Nats, stream: string): Promise<void> {
  if (!isForeignApi(nats.settings) || isKnown(nats, stream)) return;
  const direct = await answersDirect(nats, stream);
  waysOf(nats, stream).direct = direct;
}

/** Whether direct gets are only silent for now. A user who may not ask is no worse off with the slower way. */
export async function answersDirect(nats: Nats, stream: string): Promise<boolean> {
  const info = await orElse(readStream(nats, stream), { denied: undefined });
  return info?.config.allow_direct === true;
}
