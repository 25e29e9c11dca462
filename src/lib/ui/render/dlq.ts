import type { Entry } from '../../model/entry.ts';
import { clean } from '../sanitize.ts';
import { padEnd, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** How long ago, in one unit: `45s`, `12m`, `3h`, `5d`; empty where the time is not known. */
export function ageOf(time: string | null, now: Date): string {
  if (time === null) return '';
  const seconds = Math.max(0, Math.floor((now.getTime() - Date.parse(time)) / 1000));
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? (['s', 1] as const);
  return `${Math.floor(seconds / size)}${unit}`;
}

interface Column {
  readonly title: string;
  readonly value: (entry: Entry, now: Date) => string;
  /** May be cut to so many columns where the terminal is narrow; 0: it may be left out. Whole where absent. */
  readonly least?: number;
}

/** In the order in which they are drawn; what can be left out goes from the right. */
const COLUMNS: readonly Column[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'REASON', value: ({ reason }) => reason, least: 0 },
  { title: 'DIED', value: ({ died_at }, now) => ageOf(died_at, now) || '-' },
  { title: 'TRIES', value: ({ deliveries }) => (deliveries === null ? '-' : String(deliveries)), least: 0 },
  { title: 'SUBJECT', value: ({ subject }) => subject ?? '-', least: 12 },
  { title: 'REQUEST', value: ({ request_id }) => request_id ?? '-', least: 0 },
  { title: 'WHY', value: whyOf, least: 0 },
];

const CAUSES = {
  terminated: 'terminated: the stream deleted it',
  expired: 'expired with max_age',
  acked_or_removed: 'acked late, or removed',
  answered: 'answered: its response is there',
  removed_in_flight: 'acked, taken back or dropped while in flight',
  stream_recreated: 'the stream was re-created',
  stream_deleted: 'the stream is gone',
} as const;

/** The worker's words, or why nothing is left; empty where there is nothing to say. */
export function whyOf({ inner, detail, replays }: Entry): string {
  const parts = [
    detail ?? '',
    inner.cause && (inner.cause !== 'terminated' || !detail) ? CAUSES[inner.cause] : '',
    replays > 0 ? `replayed ${replays}×` : '',
  ];
  return parts.filter(Boolean).join('; ');
}

export interface TableOptions {
  readonly theme: Theme;
  readonly width: number;
  readonly now: Date;
}

/** Draws rows of one width, which the first entries decide: a table of a million is never held in memory. */
export function createEntryTable(first: readonly Entry[], { theme, width, now }: TableOptions) {
  const cell = (column: Column, entry: Entry): string => clean(column.value(entry, now));
  const columns = COLUMNS.map((column) => ({
    ...column,
    width: Math.max(widthOf(column.title), ...first.map((entry) => widthOf(cell(column, entry)))),
    used: first.some((entry) => !['', '-'].includes(cell(column, entry))),
  })).filter(({ used, least }) => used || least === undefined);
  const total = () => columns.reduce((sum, column) => sum + column.width + 2, -2);
  for (let index = columns.length - 1; index >= 0 && total() > width; index--) {
    const column = columns[index]!;
    if (column.least === undefined) continue;
    const fitting = column.width - (total() - width);
    if (fitting >= Math.max(column.least, 8)) column.width = fitting;
    else if (column.least > 0) column.width = Math.min(column.width, column.least);
    else columns.splice(index, 1);
  }
  const draw = (texts: readonly string[]): string =>
    texts
      .map((text, index) => padEnd(cut(text, columns[index]!, index), columns[index]!.width))
      .join('  ')
      .trimEnd();
  // The id is what people copy: it is never cut.
  const cut = (text: string, column: { width: number; least?: number }, index: number): string =>
    index === 0 || column.least === undefined || widthOf(text) <= column.width ? text : shorten(text, column.width);
  return {
    header: theme.strong(draw(columns.map(({ title }) => title))),
    row: (entry: Entry): string => {
      const text = draw(columns.map((column) => cell(column, entry)));
      return entry.state === 'gone' ? theme.faint(text) : text;
    },
  };
}

/** The beginning of a text in so many columns, with an ellipsis. */
export function shorten(text: string, columns: number): string {
  let short = '';
  for (const character of text) {
    if (widthOf(short + character) > columns - 1) break;
    short += character;
  }
  return `${short}…`;
}

/** One death on one line, as a log has it. */
export function renderDeath(entry: Entry, theme: Theme): string {
  const time = entry.died_at === null ? '-' : `${entry.died_at.slice(0, 19)}Z`;
  const why = whyOf(entry);
  const parts = [
    entry.id,
    entry.reason,
    entry.state,
    ...(entry.deliveries === null ? [] : [`tries ${entry.deliveries}`]),
    ...(entry.subject === null ? [] : [entry.subject]),
    ...(entry.request_id === null ? [] : [`request ${entry.request_id}`]),
    ...(why ? [why] : []),
  ];
  return `${theme.faint(time)} ${clean(parts.join('  '))}`;
}
