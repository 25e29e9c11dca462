import { Args, Flags } from '@oclif/core';
import { OpsError } from '../errors/ops-error.ts';
import { parseDuration } from '../model/units.ts';

/** `-f/--file`, for commands that work on a spec. */
export const fileFlag = {
  file: Flags.string({
    char: 'f',
    summary: 'the spec, where none is named as argument',
    env: 'OSAPI_OPS_SPEC',
  }),
};

export const specArgs = (what: string) => ({
  spec: Args.string({ description: what, multiple: true, required: false }),
});

/** What oclif gives for an argument that may be repeated or absent. */
export const namesOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

export const lockWaitFlag = {
  'lock-wait': Flags.string({ summary: 'how long to wait for another run that holds the lock', default: '30s' }),
};

/** A length of time that a flag was given, with its unit, in milliseconds. @throws OpsError USAGE */
export function durationMs(flag: string, text: string, least = 0): number {
  // Nobody means nanoseconds by `--wait 30`.
  const nanos = /[a-zµμ]/i.test(text) || text.trim() === '0' ? parseDuration(text) : undefined;
  if (nanos !== undefined && nanos / 1e6 >= least) return nanos / 1e6;
  throw new OpsError('USAGE', `${flag}: "${text}" is not a length of time`, {
    where: flag,
    hints: [
      flag === '--older-than'
        ? 'write it as 12h or 7d; a moment goes with --until: --until yesterday'
        : 'write it as 500ms, 30s or 5m',
    ],
  });
}

/** `--lock-wait` in milliseconds. @throws OpsError USAGE */
export const lockWaitMs = (text: string): number => durationMs('--lock-wait', text);

/** Which day a time of the day is of that is still to come today. */
type ToCome = 'today' | 'yesterday';

/** A time of the day, by the clock on the wall here: today's, but for one that is still to come where yesterday's is meant. */
function clockTime(text: string, now: Date, toCome: ToCome): Date | undefined {
  const [found, word, hours, minutes = '0', seconds = '0'] =
    /^(?:(today|yesterday)(?: +(?=.)|$))?(?:([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?)?$/i.exec(text.trim()) ?? [];
  if (!found) return undefined;
  const on = (daysAgo: number) =>
    new Date(
      now.getFullYear(),
      now.getMonth(),
      now.getDate() - daysAgo,
      Number(hours ?? 0),
      Number(minutes),
      Number(seconds),
    );
  if (word) return on(word.toLowerCase() === 'today' ? 0 : 1);
  return on(0) > now && toCome === 'yesterday' ? on(1) : on(0);
}

/** Whether a text is a time of the day that is still to come. */
export const isToCome = (text: string, now: Date): boolean =>
  !/^today/i.test(text.trim()) && (clockTime(text, now, 'today') ?? now) > now;

/**
 * A time that a flag was given; a length of time counts back from `now` where there is one.
 * @throws OpsError USAGE
 */
export function momentFlag(flag: string, text: string, now?: Date, toCome: ToCome = 'yesterday'): Date {
  const ago = now && /^\d+(\.\d+)?[a-zµμ]/i.test(text) ? parseDuration(text) : undefined;
  if (now && ago !== undefined) return new Date(now.getTime() - ago / 1e6);
  const clock = now && clockTime(text, now, toCome);
  if (clock) return clock;
  const at = /^\d{4}-\d\d-\d\d([T ]|$)/.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at);
  throw new OpsError('USAGE', `${flag}: "${text}" is ${now ? 'neither a time nor a length of time' : 'not a time'}`, {
    where: flag,
    hints: [`write it as ${now ? '2h, 03:10, yesterday, ' : ''}2026-11-24 or 2026-11-24T08:00:00Z`],
  });
}
