import { checkCode } from '../../facts/check-pages.ts';
import type { Failing } from '../../model/failing.ts';
import { type Check, type Health, isNothing, type QueueFigures, type StatusReport } from '../../model/verdict.ts';
import { clean } from '../sanitize.ts';
import { counted, flow } from '../text.ts';
import type { Theme } from '../theme.ts';
import { failingLines } from './failing.ts';
import { nextLine, serverOf } from './words.ts';

export interface StatusView {
  readonly theme: Theme;
  readonly width: number;
  /** Makes a line lead to the same server. */
  readonly lead?: (line: string) => string;
}

/** How a verdict is called. */
export const VERDICTS: Readonly<Record<Health, string>> = {
  ok: 'healthy',
  warn: 'degraded',
  critical: 'critical',
  unknown: 'not known',
};

/** The allowed fields, and no others. */
const failingJson = ({
  consumer,
  seq,
  request_id,
  state,
  deliveries,
  max_deliver,
  next_delivery_at,
  detail,
}: Failing) => ({
  consumer,
  seq,
  request_id,
  state,
  deliveries,
  max_deliver,
  next_delivery_at,
  detail,
});

/** The report as JSON prints it: the contract's keys and no others. */
export const statusJson = ({ system, health, checks, queues, drift }: StatusReport) => ({
  system,
  health,
  checks: checks.map(({ id, name, status, summary, value, threshold }) => ({
    id,
    code: checkCode(name),
    status,
    summary,
    ...(value !== undefined && { value }),
    ...(threshold && { threshold }),
  })),
  queues: queues.map(
    ({ name, ready, in_flight, dead, dead_least, parked, redelivered, failing, oldest_seconds, responses, trend }) => ({
      name,
      ready,
      in_flight,
      dead,
      ...(dead_least !== undefined && { dead_least }),
      parked,
      redelivered,
      failing: failing && { ...failing, known: failing.known.map(failingJson) },
      oldest_seconds,
      responses,
      ...(trend && { trend }),
    }),
  ),
  drift,
});

/** The system's name, or what stands for it. */
export function nameOfSystem({ system, queues }: Pick<StatusReport, 'system' | 'queues'>): string {
  if (system !== null) return clean(system);
  if (queues.length === 0) return 'the server';
  return queues.length === 1 ? clean(queues[0]!.name) : counted(queues.length, 'queue');
}

/** `REQUESTS: 3 wait, 1 in flight, 2 dead`, without the name where there is one queue only. */
export function figuresLine(queue: QueueFigures): string {
  if (queue.ready === null) return 'not there';
  const parts = [
    `${queue.ready} waiting`,
    `${queue.in_flight} in flight`,
    deadWords(queue),
    ...(queue.responses === null ? [] : [counted(queue.responses, 'response')]),
  ];
  return `${parts.join(', ')}${queue.trend ? `; ${queue.trend.summary}` : ''}`;
}

function deadWords({ dead, dead_least: least, parked }: QueueFigures): string {
  if (dead === null) return least ? `at least ${least} dead` : 'dead unknown';
  return dead === 0 ? 'nothing dead' : `${dead} dead${parked ? ` (${parked} parked)` : ''}`;
}

const BAD: readonly Health[] = ['critical', 'warn', 'unknown'];

/** What is not ok, the worst first. */
export const troubles = (checks: readonly Check[]): Check[] =>
  BAD.flatMap((status) => checks.filter((check) => check.status === status));

/** More lines than this are no message any more. */
const SHOWN = 40;

/** For a person: one line when all is well; else one for each trouble, with the command to type next. */
export function renderStatus(report: StatusReport, view: StatusView): string {
  const { theme, width } = view;
  const { health, checks, queues, target } = report;
  const style = { ok: theme.good, warn: theme.warn, critical: theme.refuse, unknown: theme.faint };
  const bad = troubles(checks);
  const figures =
    queues.length === 1
      ? figuresLine(queues[0]!)
      : `${counted(queues.length, 'queue')}, ${counted(checks.length, 'check')}`;
  const verdict = isNothing(report)
    ? `${theme.strong(nameOfSystem(report))}: nothing to judge`
    : `${theme.strong(nameOfSystem(report))} is ${style[health](VERDICTS[health])}: ${figures}`;
  const lines = [flow(verdict, { width, first: '' })];
  if (target) lines.push(theme.faint(flow(`${clean(target.url)}, ${serverOf(target)}`, { width, first: '  ' })));
  if (queues.length > 1) {
    const busy = queues.filter(({ ready, in_flight, dead }) => ready !== 0 || in_flight !== 0 || dead !== 0);
    for (const queue of busy.slice(0, SHOWN)) lines.push(`  ${clean(queue.name)}: ${figuresLine(queue)}`);
  }
  lines.push(...failingLines(queues, Date.parse(report.at), view));
  if (bad.length > 0) lines.push('');
  for (const check of bad.slice(0, SHOWN)) {
    const word = { ok: '', warn: 'Warning', critical: 'Critical', unknown: 'Unknown' }[check.status];
    const text = `${clean(check.id)}: ${clean(check.summary)} ${theme.faint(`[${theme.code(checkCode(check.name))}]`)}`;
    lines.push(flow(text, { width, first: `${style[check.status](word.padEnd(8))} ` }));
    if (check.next) lines.push(nextLine(clean(check.next), { theme, width, indent: 9 }));
  }
  if (bad.length > SHOWN) lines.push(`and ${bad.length - SHOWN} more: see --json`);
  return `${lines.join('\n')}\n`;
}
