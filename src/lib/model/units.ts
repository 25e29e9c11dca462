/** A length of time in nanoseconds, the JetStream API's unit. Whole milliseconds are exact up to 18 years. */
export type Nanos = number & { readonly unit: 'ns' };

/** A size in bytes. */
export type Bytes = number & { readonly unit: 'B' };

const NANOS = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
  w: 604_800e9,
  M: 2_592_000e9,
  y: 31_536_000e9,
} as const;

/**
 * Whether somebody means nanoseconds by a bare number. Below a millisecond nobody does: `ack_wait: 30` is thirty
 * seconds, in the head of whoever wrote it.
 */
export const meansNanos = (bare: number): boolean =>
  Number.isInteger(bare) && (bare === 0 || Math.abs(bare) >= NANOS.ms);

/**
 * Parses `500ms`, `5s`, `1h30m`, `7d`, `2w`, or integer nanoseconds (`5000000000`), a millisecond of them or more.
 * `M` is 30 days and `y` 365, as the nats CLI has them. Gives `undefined` for anything else.
 */
export function parseDuration(text: string): Nanos | undefined {
  const trimmed = text.trim();
  if (/^-?\d+$/.test(trimmed)) return meansNanos(Number(trimmed)) ? (Number(trimmed) as Nanos) : undefined;
  const sign = trimmed.startsWith('-') ? -1 : 1;
  const body = sign < 0 ? trimmed.slice(1) : trimmed;
  const part = /(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h|d|w|M|y)/y;
  let total = 0;
  let at = 0;
  while (at < body.length) {
    part.lastIndex = at;
    const match = part.exec(body);
    if (!match) return undefined;
    total += Number(match[1]) * NANOS[match[2] as keyof typeof NANOS];
    at = part.lastIndex;
  }
  return at === 0 ? undefined : ((sign * Math.round(total)) as Nanos);
}

const PRINTED = ['w', 'd', 'h', 'm', 's', 'ms', 'us', 'ns'] as const;

/** Prints nanoseconds so that `parseDuration` gives the same number back: `1h30m`, `7d`, `250ms`. */
export function printDuration(nanos: number): string {
  if (nanos === 0) return '0s';
  let rest = Math.abs(nanos);
  let text = nanos < 0 ? '-' : '';
  for (const unit of PRINTED) {
    // Weeks only where they come out even: `30d` reads better than `4w2d`.
    if (unit === 'w' && (rest % NANOS.w !== 0 || rest < 2 * NANOS.w)) continue;
    const count = Math.floor(rest / NANOS[unit]);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * NANOS[unit];
  }
  return text;
}

/** A length of time for a sentence, in the two largest units: `2h14m`, `45s`. */
export function aboutMs(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const unit = seconds >= 86_400 ? 3600 : seconds >= 3600 ? 60 : 1;
  return printDuration(Math.floor(seconds / unit) * unit * 1e9);
}

/** How long something took: `12ms`, `4.2s`, `23m21s`. */
export function tookMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  return ms < 59_950 ? `${Math.round(ms / 100) / 10}s` : aboutMs(ms);
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kb: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
  t: 1024 ** 4,
  tb: 1024 ** 4,
  tib: 1024 ** 4,
};

/**
 * Parses `512MB`, `1GiB`, `64k` or bytes. `MB` and `MiB` are both 1024², as the nats CLI and the server's own
 * configuration have them. Gives `undefined` for anything else.
 */
export function parseSize(text: string): Bytes | undefined {
  const match = /^(-?\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  const factor = match && BYTES[match[2]!.toLowerCase()];
  return match && factor !== null && factor !== undefined
    ? (Math.round(Number(match[1]) * factor) as Bytes)
    : undefined;
}

/** Prints bytes so that `parseSize` gives the same number back: `1GiB`, `512MiB`, `1000B`. */
export function printSize(bytes: number): string {
  for (const [unit, factor] of [
    ['TiB', 1024 ** 4],
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes !== 0 && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}
