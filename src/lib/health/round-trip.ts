/** In milliseconds, as `nats server check connection` has them. */
export const ROUND_TRIP = { warn: 500, critical: 1000 };

const TRIES = 3;

/**
 * The quickest of a few round trips, one after another until one is not slow. A slow one alone may be of this machine, which
 * is busy with all else that was asked for.
 */
export async function quickest(measure: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least >= ROUND_TRIP.warn; tries++) least = Math.min(least, await measure());
  return least;
}
