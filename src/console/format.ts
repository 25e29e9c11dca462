// Figures and times as people read them. Pure: the clock and the zone are given.

/** All of its digits. */
export const full = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');

/** In full to 99,999; then three digits and a unit: `1.24 M`. */
export function count(n: number): string {
  if (n < 100_000) return full(n);
  const [unit, size] = n < 1e6 ? ['k', 1e3] : n < 1e9 ? ['M', 1e6] : ['G', 1e9];
  const scaled = Math.floor((n / (size as number)) * 100) / 100;
  return `${scaled >= 100 ? Math.floor(scaled) : scaled >= 10 ? Math.floor(scaled * 10) / 10 : scaled} ${unit}`;
}

/** A number and its thing: `1 run`, `318 dead letters`. */
export const many = (n: number, one: string, more = `${one}s`): string => `${count(n)} ${n === 1 ? one : more}`;

/** What stays where a replay of which so many are not done is stopped. */
export const leftDead = (n: number): string =>
  n === 0
    ? 'all are done'
    : `${many(n, 'dead letter')} ${n === 1 ? 'is not done, and stays' : 'are not done, and stay'} dead and safe`;

/** Per second. */
export const rate = (n: number): string => (n < 100 ? n.toFixed(1) : count(n));

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const [unit, size] = n < 1024 ** 2 ? ['KiB', 1024] : n < 1024 ** 3 ? ['MiB', 1024 ** 2] : ['GiB', 1024 ** 3];
  const scaled = n / (size as number);
  return `${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)} ${unit}`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** In its two largest units: `2 h 10 min`, `45 s`. */
export function duration(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  let rest = Math.max(0, Math.round(seconds));
  const first = UNITS.findIndex(([, size]) => rest >= size);
  if (first < 0) return '0 s';
  const parts: string[] = [];
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const n = Math.floor(rest / size);
    if (n > 0) parts.push(`${n} ${unit}`);
    rest -= n * size;
  }
  return parts.join(' ');
}

const two = (n: number): string => String(n).padStart(2, '0');

/** The parts of a time in a zone that is so many minutes east of UTC. */
function partsOf(ms: number, east: number) {
  const at = new Date(ms + east * 60_000);
  return {
    day: `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`,
    clock: `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`,
    seconds: two(at.getUTCSeconds()),
  };
}

export function offset(east: number): string {
  const minutes = Math.abs(east);
  return east === 0 ? 'UTC' : `${east < 0 ? '−' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `14:02:31`, with its day where that is not today's. */
export function moment(ms: number, now: number, east: number): string {
  const { day, clock, seconds } = partsOf(ms, east);
  return day === partsOf(now, east).day ? `${clock}:${seconds}` : `${day} ${clock}:${seconds}`;
}

/** In at most eleven signs: `14:02:31`; of another day `03-09 23:59`, of another year `2025-12-31`. */
export function shortMoment(ms: number, now: number, east: number): string {
  const { day, clock, seconds } = partsOf(ms, east);
  const today = partsOf(now, east).day;
  if (day === today) return `${clock}:${seconds}`;
  return day.slice(0, 4) === today.slice(0, 4) ? `${day.slice(5)} ${clock}` : day;
}

/** From one time to another: `14:02 – 14:40`, `03-09 23:50 – 00:10`, `14:02` within a minute; a day is named where it changes. `eastOf` gives the zone at a time. */
export function span(from: number, to: number, now: number, eastOf: (ms: number) => number): string {
  const [first, last] = [partsOf(from, eastOf(from)), partsOf(to, eastOf(to))];
  const today = partsOf(now, eastOf(now)).day;
  const named = (day: string) => (day.slice(0, 4) === today.slice(0, 4) ? day.slice(5) : day);
  const begin = first.day === today ? first.clock : `${named(first.day)} ${first.clock}`;
  if (first.day === last.day && first.clock === last.clock) return begin;
  return `${begin} – ${last.day === first.day ? last.clock : `${named(last.day)} ${last.clock}`}`;
}

/** What stands below an axis of time: no two are alike, and the day is told where it begins. */
export function axisTimes(ats: readonly number[], now: number, eastOf: (ms: number) => number): string[] {
  const parts = ats.map((ms) => partsOf(ms, eastOf(ms)));
  const hasSeconds = parts.some(({ seconds }) => seconds !== '00');
  const isDays = parts.length > 1 && ats[1]! - ats[0]! >= 86_400_000;
  return parts.map(({ day, clock, seconds }, index) => {
    if (isDays) return day.slice(5);
    const before = index === 0 ? partsOf(now, eastOf(now)).day : parts[index - 1]!.day;
    const time = hasSeconds ? `${clock}:${seconds}` : clock;
    return day === before ? time : `${day.slice(5)} ${time}`;
  });
}

/** Text with the times in it, which the process tells in UTC, as clocks of here. */
export const withClocks = (text: string, now: number, eastOf: (ms: number) => number): string =>
  text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (at) => {
    const ms = Date.parse(at);
    return Number.isNaN(ms) ? at : moment(ms, now, eastOf(ms));
  });

/** All that there is to say of a time: here, in UTC, and how long ago. */
export function wholeMoment(ms: number, now: number, east: number): string {
  const here = partsOf(ms, east);
  const utc = partsOf(ms, 0);
  const ago = ms > now ? `in ${duration((ms - now) / 1000)}` : `${duration((now - ms) / 1000)} ago`;
  const local = `${here.day} ${here.clock}:${here.seconds} ${offset(east)}`;
  return east === 0 ? `${local}, ${ago}` : `${local} = ${utc.day} ${utc.clock}:${utc.seconds} UTC, ${ago}`;
}
