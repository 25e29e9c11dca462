// What stands where in the chart of deaths, and by which sign: the same from look to look. Pure.
import type { Deed, ReplayRunJson } from './wire.ts';

/** When something began that is told at its end: a replay by its record, everything else when it was told. In milliseconds. */
export function beganAt({ verb, at, who, host, pid }: Deed, replays: readonly ReplayRunJson[]): number {
  const end = Date.parse(at);
  if (verb !== 'replay') return end;
  const begins = replays
    .filter((run) => run.who === who && run.host === host && run.pid === pid)
    .map(({ started_at }) => Date.parse(started_at))
    .filter((begin) => begin <= end);
  return begins.length === 0 ? end : Math.max(...begins);
}

/** The sign of each name, by its place among them: who has one keeps it, and the others get those that are free, in order. */
export function signsFor(before: ReadonlyMap<string, number>, names: readonly string[]): ReadonlyMap<string, number> {
  const signs = new Map(names.flatMap((name) => (before.has(name) ? [[name, before.get(name)!] as const] : [])));
  const taken = new Set(signs.values());
  let next = 0;
  for (const name of names) {
    if (signs.has(name)) continue;
    while (taken.has(next)) next += 1;
    signs.set(name, next);
    taken.add(next);
  }
  return signs;
}
