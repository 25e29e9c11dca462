import { OpsError } from '../../errors/ops-error.ts';
import { type Entry, untakenWords } from '../../model/entry.ts';
import { cleanLine } from '../sanitize.ts';
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
  readonly name: string;
  readonly value: (entry: Entry, now: Date) => string;
  /** Shown only where it is asked for. */
  readonly extra?: true;
}

/** In the order in which they are drawn. */
const COLUMNS: readonly Column[] = [
  { name: 'id', value: ({ id }) => id },
  { name: 'state', value: ({ state }) => state },
  { name: 'reason', value: ({ reason }) => reason },
  { name: 'died', value: ({ died_at }, now) => ageOf(died_at, now) || '-' },
  { name: 'published', value: ({ published_at }, now) => ageOf(published_at, now) || '-', extra: true },
  { name: 'tries', value: ({ deliveries }) => (deliveries === null ? '-' : String(deliveries)) },
  { name: 'replays', value: ({ replays }) => String(replays), extra: true },
  { name: 'size', value: ({ size }) => (size === null ? '-' : String(size)), extra: true },
  { name: 'queue', value: ({ queue }) => queue, extra: true },
  { name: 'consumer', value: ({ consumer }) => consumer, extra: true },
  { name: 'subject', value: ({ subject }) => subject ?? '-' },
  { name: 'request', value: ({ request_id }) => request_id ?? '-' },
  { name: 'why', value: whyOf },
];

export const COLUMN_NAMES: readonly string[] = COLUMNS.map(({ name }) => name);

/** Reads `id,why`. @throws OpsError USAGE */
export function columnsFrom(text: string): string[] {
  // The worker's words by their name in JSON.
  const names = text.split(',').map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^detail$/, 'why'),
  );
  const wrong = names.find((name) => !COLUMN_NAMES.includes(name));
  if (wrong === undefined) return names;
  throw new OpsError('USAGE', `--columns: there is no column ${JSON.stringify(wrong)}`, {
    where: '--columns',
    hints: [`name some of ${COLUMN_NAMES.join(', ')}, with commas between`],
  });
}

/** What is done, one after the other, until a table fits: why it died is cut, and never goes. */
const SHRINKING: readonly (readonly [name: string, least: number | 'alike'])[] = [
  ['why', 24],
  ['subject', 12],
  ['request', 0],
  ['tries', 0],
  ['reason', 0],
  ['subject', 0],
  // One state in every row says nothing; one of another kind further down says so itself.
  ['state', 'alike'],
  ['why', 8],
  ['died', 0],
  ['state', 0],
];

const CAUSES = {
  terminated: 'terminated: the stream deleted it',
  expired: 'expired with max_age',
  acked_or_removed: 'acked late, or removed',
  answered: 'answered: its response is there',
  removed_in_flight: 'acked, taken back or dropped while in flight',
  stream_recreated: 'the stream was re-created',
  beyond_last_seq: 'the stream has not come to its sequence',
  stream_deleted: 'the stream is gone',
} as const;

/** What a replay took out of its queue has its record, or lacks it, whatever a rebuild finds: the way out is another. */
const JOURNALLED = {
  held: 'in the journal of a replay that has not ended: the next one puts it back',
  stale: 'in the journal, of a queue that was made anew since: purge archives it, import brings it back',
} as const;

/** The worker's words, why nothing is left, or where the rest of it is; empty where there is nothing to say. */
export function whyOf({ inner, detail, replays }: Entry): string {
  const parts = [
    detail ?? '',
    inner.untaken ? untakenWords(inner) : '',
    inner.journalled ? JOURNALLED[inner.stale ? 'stale' : 'held'] : '',
    inner.cause && (inner.cause !== 'terminated' || !detail) ? CAUSES[inner.cause] : '',
    replays > 0 ? `replayed ${replays}×` : '',
  ];
  return parts.filter(Boolean).join('; ');
}

export interface TableOptions {
  readonly theme: Theme;
  readonly width: number;
  readonly now: Date;
  /** These and no others. */
  readonly columns?: readonly string[] | undefined;
  /** All of them, and nothing is cut. */
  readonly wide?: boolean | undefined;
}

/** Draws rows of one width, which the first entries decide: a table of a million is never held in memory. */
export function createEntryTable(
  first: readonly Entry[],
  { theme, width, now, columns: asked, wide = false }: TableOptions,
) {
  const cell = ({ value }: Column, entry: Entry): string => cleanLine(value(entry, now));
  const isUsed = (column: Column) => first.some((entry) => !['', '-'].includes(cell(column, entry)));
  const isShown = (column: Column) =>
    (wide || !column.extra) && (['id', 'state', 'died'].includes(column.name) || isUsed(column));
  const chosen = asked
    ? asked.flatMap((name) => COLUMNS.find((column) => column.name === name) ?? [])
    : COLUMNS.filter(isShown);
  let columns = chosen.map((column) => ({
    ...column,
    width: Math.max(column.name.length, ...first.map((entry) => widthOf(cell(column, entry)))),
  }));
  const whole = new Map(columns.map((column) => [column.name, column.width]));
  const over = () => columns.reduce((sum, column) => sum + column.width + 2, -2) - width;
  const common = first.every(({ state }) => state === first[0]?.state) ? first[0]?.state : undefined;
  const hasWhy = columns.some(({ name }) => name === 'why');
  for (const [name, least] of wide ? [] : SHRINKING) {
    const column = columns.find((one) => one.name === name);
    if (over() <= 0 || !column || (least === 'alike' && (common === undefined || asked))) continue;
    if (least !== 'alike' && least > 0) column.width = Math.max(Math.min(column.width, least), column.width - over());
    // Where no worker said anything, the reason is all there is to say why.
    else if (!asked && (name !== 'reason' || hasWhy)) columns = columns.filter((one) => one !== column);
  }
  // What went left more room than was needed.
  const why = columns.find(({ name }) => name === 'why');
  if (why && over() < 0) why.width = Math.min(whole.get('why')!, why.width - over());
  const hasReason = columns.some(({ name }) => name === 'reason');
  const hasState = asked !== undefined || columns.some(({ name }) => name === 'state');
  /** In the place of what is not drawn: the reason where nobody said why, and a state that is not that of the others. */
  const whyIn = (text: string, { reason, state }: Entry): string => {
    const why = text || (hasReason ? '' : reason);
    return hasState || common === undefined || state === common ? why : [state, why].filter(Boolean).join(': ');
  };
  const isCut = ({ name, width: most }: (typeof columns)[number], text: string) =>
    !wide && (name === 'subject' || name === 'why') && widthOf(text) > most;
  const draw = (texts: readonly string[]): string =>
    texts
      .map((text, index) => {
        const column = columns[index]!;
        return padEnd(isCut(column, text) ? shorten(text, column.width) : text, column.width);
      })
      .join('  ')
      .trimEnd();
  return {
    header: theme.strong(draw(columns.map(({ name }) => name.toUpperCase()))),
    row: (entry: Entry): string => {
      const text = draw(
        columns.map((column) => (column.name === 'why' ? whyIn(cell(column, entry), entry) : cell(column, entry))),
      );
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
  return `${theme.faint(time)} ${cleanLine(parts.join('  '))}`;
}
