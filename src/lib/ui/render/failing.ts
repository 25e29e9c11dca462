import { byDeath, type Failing } from '../../model/failing.ts';
import { aboutMs, tookMs } from '../../model/units.ts';
import type { QueueFigures } from '../../model/verdict.ts';
import { cleanLine } from '../sanitize.ts';
import { counted, flow } from '../text.ts';
import type { Theme } from '../theme.ts';

/** `in 4s`; `now` where a worker has it; `due` where none has asked for it. */
export function nextWords({ state, next_delivery_at: next }: Pick<Failing, 'state' | 'next_delivery_at'>, now: number) {
  if (state === 'in_flight') return 'now';
  const left = next === null ? Number.NaN : Date.parse(next) - now;
  if (Number.isNaN(left)) return 'unknown';
  return left > 0 ? `in ${aboutMs(Math.max(1000, left))}` : 'due';
}

/** `3 of 10`. */
export const triesWords = ({ deliveries, max_deliver: most }: Pick<Failing, 'deliveries' | 'max_deliver'>): string =>
  most === null ? `${deliveries}` : `${deliveries} of ${most}`;

/** So many are told one by one. */
const SHOWN = 3;

/** What fails now, the nearest to its death first; nothing where nothing does. */
export function failingLines(
  queues: readonly QueueFigures[],
  now: number,
  { theme, width, lead = (text) => text }: { theme: Theme; width: number; lead?: (line: string) => string },
): string[] {
  const all = queues.flatMap(({ failing }) => failing ?? []);
  const count = all.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return [];
  const known = all.flatMap((one) => one.known).sort(byDeath);
  const last = all.reduce((sum, one) => sum + one.last_try, 0);
  const dies = last === 0 ? '' : `; ${last} ${last === 1 ? 'dies if its' : 'die if their'} next try fails too`;
  const line = (text: string): string => flow(cleanLine(text), { width, first: '    ' });
  const rows = known.slice(0, SHOWN).map((one) => {
    const place = queues.length > 1 ? `${one.queue} ` : '';
    const what = one.request_id ?? `sequence ${one.seq}`;
    return line(`${place}${what}: ${triesWords(one)} tries, next ${nextWords(one, now)}: ${one.detail}`);
  });
  const unnoted = count - all.reduce((sum, one) => sum + one.noted, 0);
  const longest = Math.max(...all.map((one) => one.longest_wait_seconds ?? 0));
  return [
    `  ${(last > 0 ? theme.warn : theme.strong)(`${count} ${count === 1 ? 'fails' : 'fail'} now${dies}`)}`,
    ...rows,
    ...(unnoted > 0 ? [line(unnotedWords(unnoted, longest))] : []),
    ...(known.length > 0 ? [`    ${theme.faint('→')} ${lead('osapi-ops request ls --failing')}`] : []),
  ];
}

/** What a server lets be known of those of which no worker wrote anything down. */
export const unnotedWords = (count: number, longestSeconds: number): string =>
  `${counted(count, 'was', 'were')} delivered before, and no worker wrote down why: tried again within ${tookMs(longestSeconds * 1000)} without an ack, when after a nak nobody knows`;
