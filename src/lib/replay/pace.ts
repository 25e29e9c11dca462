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

/** Text for how long the rest takes at the speed so far: `12s`, `3m`; empty while nothing is known. */
export function timeLeft(done: number, total: number, elapsedMs: number): string {
  if (done === 0 || elapsedMs < 1000 || total <= done) return '';
  const seconds = Math.ceil(((total - done) * elapsedMs) / done / 1000);
  if (seconds < 120) return `${seconds}s left`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)}m left` : `${Math.ceil(seconds / 3600)}h left`;
}
