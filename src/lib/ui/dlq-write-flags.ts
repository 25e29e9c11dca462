import { OpsError } from '../errors/ops-error.ts';

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** Messages a second, as `100/s`, `30/m`, `5` (a second). @throws OpsError USAGE */
export function rateOf(flag: string, text: string): number {
  const [, count, unit = 's'] = /^(\d+(?:\.\d+)?)(?:\/([smh]))?$/.exec(text.trim()) ?? [];
  const rate = Number(count) / SECONDS[unit as keyof typeof SECONDS];
  if (rate > 0) return rate;
  throw new OpsError('USAGE', `${flag}: "${text}" is no rate`, { where: flag, hints: ['write it as 100/s or 30/m'] });
}
