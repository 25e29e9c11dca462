/**
 * Gives each message its moment: how long to wait, in milliseconds, so that no second sees more than `rate` of them.
 * What was not used is not saved up: after a pause the rate is as before. `now` is any clock that only goes forward.
 */
export function createPacer(rate: number, now: () => number): () => number {
  const step = 1000 / rate;
  let free = now();
  return () => {
    const at = now();
    const turn = Math.max(at, free);
    free = turn + step;
    return turn - at;
  };
}

const LEAST_IN_FLIGHT = 256;
const MOST_IN_FLIGHT = 1024;
/** From so many milliseconds on a round trip costs more than what a server does in it with the least. */
const FAR_MS = 5;

/** How many are under way at once where nobody says it: all of a page where the server is far. */
export const inFlightFor = (rttMs: number): number => (rttMs < FAR_MS ? LEAST_IN_FLIGHT : MOST_IN_FLIGHT);

/**
 * How many may go as one page of at most `most`: what is left of a canary, where there is one, and what goes in a second.
 * A page is read before it goes: at a slow pace its end would be old news.
 */
export const pageSize = (most: number, canaryLeft: number, rate = Number.POSITIVE_INFINITY): number =>
  Math.min(canaryLeft > 0 ? canaryLeft : most, Math.max(1, Math.floor(rate)));

/** How many of a page have room where at most so many may be pending; 0 while there is none. */
export const roomFor = (size: number, maxPending: number, pending: number): number =>
  Math.max(0, Math.min(size, maxPending - pending));

/** Text for how long the rest takes at the speed so far: `12s`, `3m`; empty while nothing is known. */
export function timeLeft(done: number, total: number, elapsedMs: number): string {
  if (done === 0 || elapsedMs < 1000 || total <= done) return '';
  const seconds = Math.ceil(((total - done) * elapsedMs) / done / 1000);
  if (seconds < 120) return `${seconds}s left`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)}m left` : `${Math.ceil(seconds / 3600)}h left`;
}
