import type { CheckName } from '../facts/checks.ts';
import type { Threshold } from '../model/spec.ts';
import type { Check, CheckThreshold, Health } from '../model/verdict.ts';

/** A check with its id. What to type next is only told where the status is not ok. */
export const checkOf = (name: CheckName, { next, ...found }: Omit<Check, 'id' | 'name'>): Check => ({
  id: found.resource === undefined ? name : `${found.resource}.${name}`,
  name,
  ...found,
  ...(found.status !== 'ok' && { next }),
});

/** A figure against its thresholds; reaching one is enough. */
export function rate(value: number, { warn, critical }: Threshold | CheckThreshold): Health {
  if (critical !== null && value >= critical) return 'critical';
  return warn !== null && value >= warn ? 'warn' : 'ok';
}

/** Bytes for a sentence: `1.2 GiB`. */
export function aboutBytes(bytes: number): string {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

export const plural = (count: number, noun: string, many = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : many}`;

/** A share in percent, as people read it: 100 only where nothing is left. */
export const percentOf = (used: number, limit: number): number => {
  const percent = (used / limit) * 100;
  return percent < 100 ? Math.min(99.9, Math.round(percent * 10) / 10) : Math.round(percent * 10) / 10;
};
