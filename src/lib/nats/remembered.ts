import { numberOf } from '../model/json.ts';
import { answerOf, orElse, orThrow } from './answer.ts';
import type { Nats } from './port.ts';
import { readStream, streamNames } from './streams.ts';

// A message that carries a Nats-Msg-Id may be published once more while its stream surely knows the id: until then a second
// one is stored nowhere. Once the duplicate window is over it is stored again, and a request is done twice.

/** When something was first published, by two clocks: one never goes back, the other goes on while the system sleeps. */
export interface FirstSent {
  readonly monotonic: number;
  readonly wall: number;
}

export const sentNow = (): FirstSent => ({ monotonic: performance.now(), wall: Date.now() });

/** Whether a stream that knows ids for so long, in milliseconds, knows that of what was sent then. */
export const isRemembered = ({ monotonic, wall }: FirstSent, knownMs: number, now: FirstSent = sentNow()): boolean =>
  Math.max(now.monotonic - monotonic, now.wall - wall) < knownMs;

const NOT_TOLD = { missing: 0, denied: 0, silent: 0 };

/**
 * How long the stream that takes a subject knows an id for certain, in milliseconds; 0 where nobody tells. It is asked
 * right before something is sent again, which takes as long to come there as the answer did: that is taken off.
 */
export async function remembersFor(nats: Nats, subject: string): Promise<number> {
  const { monotonic: began } = sentNow();
  const read = async () => {
    const [name, ...others] = await orThrow(streamNames(nats, { subject, enough: 2 }));
    if (name === undefined || others.length > 0) return 0;
    const { config } = await orThrow(readStream(nats, name, { finish: true }));
    return numberOf(config.duplicate_window) / 1e6;
  };
  const windowMs = await orElse(answerOf(read()), NOT_TOLD);
  return windowMs - (performance.now() - began);
}
