import { asBuffer } from '../../model/bytes.ts';
import { keepDigits } from '../../model/json.ts';
import type {
  CancelledJson,
  Fetched,
  Moment,
  MomentKind,
  RequestStatus,
  TimelineJson,
  WaitingJson,
} from '../../model/request.ts';
import { inOneLine } from '../../model/visible.ts';
import { clean, cleanLine } from '../sanitize.ts';
import { counted, flow, padEnd, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { ageOf, shorten } from './dlq.ts';
import { nextWords, triesWords, unnotedWords } from './failing.ts';

/** Bytes for JSON: a JSON value digit for digit, other text as a string, the rest in base64. */
export function bytesJson(name: 'response' | 'payload', bytes: Uint8Array | undefined): Record<string, unknown> {
  if (!bytes) return {};
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { [`${name}_base64`]: Buffer.from(bytes).toString('base64') };
  }
  try {
    return { [name]: JSON.parse(text, keepDigits) };
  } catch {
    return { [name]: text };
  }
}

/** A response for stdout: as it is for a program, without what a terminal would obey for a person. */
export function renderResponse(response: Uint8Array, isTerminal: boolean): string | Uint8Array {
  const bytes = asBuffer(response);
  if (isTerminal) return `${clean(bytes.toString('utf8').trimEnd(), { newlines: true })}\n`;
  return bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}

const inMillis = (time: string): string => time.replace(/(\.\d{3})\d*Z$/, '$1Z');

/** Where a request is, in a line: `queued in REQUESTS as 17: nobody is pulling from request-worker`. */
export function renderState(status: RequestStatus): string {
  const place = status.queue === undefined ? '' : ` in ${status.queue} as ${status.seq}`;
  const times = status.deliveries === undefined ? '' : `, delivered ${status.deliveries}×`;
  const why = status.detail === undefined ? '' : `: ${inOneLine(status.detail)}`;
  switch (status.state) {
    case 'answered':
      return `answered ${inMillis(status.answered_at ?? '')} (bucket ${status.bucket}, revision ${status.revision})`;
    case 'queued':
      return clean(`queued${place}${why}`);
    case 'in_flight':
      return clean(`in flight${place}${times}${why}`);
    case 'retry':
      return clean(`waits for a retry at ${inMillis(status.next_delivery_at ?? '')}${place}${times}${why}`);
    case 'dead':
      return clean(`dead${place}${times}${why}`);
    case 'unknown':
      return clean(`unknown${why}`);
  }
}

const WORDS: Readonly<Record<MomentKind, string>> = {
  made: 'id made',
  published: 'published',
  delivered: 'delivered',
  failed: 'failed',
  next: 'next',
  died: 'died',
  replayed: 'replayed',
  answered: 'answered',
};

const SIGNS: Readonly<Partial<Record<MomentKind, string>>> = { answered: '✓', died: '✗', failed: '!', next: '…' };

function styleOf(theme: Theme, { event, computed }: Moment): (text: string) => string {
  if (event === 'answered') return theme.good;
  if (event === 'died') return theme.refuse;
  if (event === 'failed') return theme.warn;
  return computed ? theme.faint : (text) => text;
}

/** The life of a request, a line for each moment. */
export function renderTimeline(shown: TimelineJson, { theme, width }: { theme: Theme; width: number }): string {
  const head = `${theme.strong(clean(shown.id))}  ${renderState(shown)}`;
  const trace = shown.traceparent === undefined ? [] : [theme.faint(`trace ${clean(shown.traceparent)}`)];
  const lines = shown.timeline.map((moment) => {
    const style = styleOf(theme, moment);
    const first = `${SIGNS[moment.event] ?? '·'} ${padEnd(inMillis(moment.at), 24)}  ${padEnd(WORDS[moment.event], 9)}  `;
    return flow(`${cleanLine(moment.detail)}${moment.computed ? ' (computed)' : ''}`, { width, first: style(first) });
  });
  return `${[head, ...trace, '', ...(lines.length > 0 ? lines : ['nothing is recorded of it'])].join('\n')}\n`;
}

interface Column {
  readonly name: string;
  readonly value: (one: WaitingJson, now: Date) => string;
  /** Only where something failed. */
  readonly ofFailing?: true;
}

const COLUMNS: readonly Column[] = [
  { name: 'ID', value: ({ id }) => id ?? '-' },
  { name: 'STATE', value: ({ state }) => state, ofFailing: true },
  { name: 'TRIES', value: (one) => (isFailing(one) ? triesWords(one) : '-'), ofFailing: true },
  { name: 'NEXT', value: (one, now) => (isFailing(one) ? nextWords(one, now.getTime()) : '-'), ofFailing: true },
  { name: 'SUBJECT', value: ({ subject }) => subject },
  { name: 'QUEUE', value: ({ queue }) => queue },
  { name: 'SEQ', value: ({ seq }) => String(seq) },
  { name: 'WAITS', value: ({ published_at }, now) => ageOf(published_at, now) },
  { name: 'SIZE', value: ({ size }) => String(size) },
  { name: 'WHY', value: ({ detail = '' }) => detail, ofFailing: true },
];
/** What goes first where the terminal is narrow; why it failed is cut, and stays. */
const DROPPED: readonly string[] = ['SIZE', 'SEQ', 'QUEUE', 'STATE', 'SUBJECT', 'WAITS'];
const LEAST_WHY = 16;

const isFailing = (one: WaitingJson): one is WaitingJson & Failed => one.deliveries !== undefined;
type Failed = Required<Pick<WaitingJson, 'deliveries' | 'max_deliver' | 'next_delivery_at'>> & {
  readonly state: 'retry' | 'in_flight';
};

/** Rows of what waits; the first ones decide which columns there are, and how wide they are. */
export function createWaitingTable(
  first: readonly WaitingJson[],
  { theme, width, now }: { theme: Theme; width: number; now: Date },
) {
  const cell = ({ value }: Column, one: WaitingJson): string => cleanLine(value(one, now));
  const hasFailing = first.some(isFailing);
  let columns = COLUMNS.filter(({ ofFailing }) => !ofFailing || hasFailing).map((column) => ({
    ...column,
    width: Math.max(column.name.length, ...first.map((one) => widthOf(cell(column, one)))),
  }));
  const rest = () =>
    width - columns.filter(({ name }) => name !== 'WHY').reduce((sum, one) => sum + one.width + 2, hasFailing ? 0 : -2);
  for (const name of DROPPED) {
    if (rest() >= (hasFailing ? LEAST_WHY : 0)) break;
    columns = columns.filter((column) => column.name !== name);
  }
  const draw = (texts: readonly string[]): string => {
    const line = texts
      .map((text, index) => (columns[index]!.name === 'WHY' ? text : padEnd(text, columns[index]!.width)))
      .join('  ')
      .trimEnd();
    return widthOf(line) > width ? shorten(line, width) : line;
  };
  return {
    header: theme.strong(draw(columns.map(({ name }) => name))),
    row: (one: WaitingJson): string => draw(columns.map((column) => cell(column, one))),
  };
}

export interface WaitingCounts {
  readonly queued: number;
  readonly failing: number;
  readonly more: boolean;
  /** Whether a filter may have left some out. */
  readonly isFiltered: boolean;
  /** How many there are without a filter; absent where nobody counts them. */
  readonly total?: number;
}

/** How many there are, in words; where a filter chose none, that they are none of those. */
export function waitingWords({ queued, failing, more, isFiltered, total = 0 }: WaitingCounts): string {
  const listed = queued + failing;
  const all = counted(total, 'request');
  if (listed === 0 && isFiltered) return total > 0 ? `0 of ${all} match` : 'no request that is asked for waits';
  if (more && isFiltered) return `the first ${listed} that match${total > 0 ? `, of ${all}` : ''}; more do`;
  if (more) return `the first ${listed}${total > 0 ? ` of ${all}` : ''}; more wait`;
  const fails =
    failing === 0
      ? []
      : [`${failing} ${failing === 1 ? 'fails' : 'fail'} and ${failing === 1 ? 'is' : 'are'} tried again`];
  const waits =
    queued === 0 && failing > 0
      ? []
      : [queued === 0 ? 'nothing waits' : queued === 1 ? '1 request waits' : `${queued} requests wait`];
  const words = [...waits, ...fails].join(', ');
  return isFiltered && total > 0 ? `${listed} of ${all} match: ${words}` : words;
}

/** One look of several: a screen where a view is given, else a line. */
export function renderWaiting(
  all: readonly WaitingJson[],
  {
    unnoted,
    ...counts
  }: Pick<WaitingCounts, 'more' | 'isFiltered' | 'total'> & { readonly unnoted: readonly Unnoted[] },
  view?: { readonly theme: Theme; readonly width: number; readonly height: number; readonly now: Date },
): string {
  const queued = all.filter(({ state }) => state === 'queued').length;
  const words = waitingWords({ ...counts, queued, failing: all.length - queued });
  const notes = unnoted.map(
    ({ queue, count, withinSeconds }) => `${clean(queue)}: ${unnotedWords(count, withinSeconds)}`,
  );
  if (!view) return [words, ...notes].join('; ');
  const { theme, width, height, now } = view;
  const table = all.length === 0 ? undefined : createWaitingTable(all, view);
  const end = theme.faint(`${now.toISOString()}; Ctrl-C ends it`);
  const flowed = (lines: readonly string[]) => lines.map((line) => flow(line, { width, first: '' }));
  // A line more than the screen has would scroll it away: the head, one that says how many are shown, and the prompt's.
  const room = Math.max(
    1,
    height -
      3 -
      flowed([words, ...notes, end])
        .join('\n')
        .split('\n').length,
  );
  const cut = all.length > room ? [`the first ${room} are shown`] : [];
  const rows = table ? [table.header, ...all.slice(0, room).map(table.row)] : [];
  return [...rows, ...flowed([words, ...cut, ...notes, end])].join('\n');
}

interface Unnoted {
  readonly queue: string;
  readonly count: number;
  readonly withinSeconds: number;
}

/** What became of each request that somebody wanted back. */
export function renderCancelled(entries: readonly CancelledJson[], theme: Theme): string {
  return entries
    .map(({ id, outcome, queue, seq, detail }) => {
      const place = queue === undefined ? '' : ` (${queue} ${seq})`;
      const sign = outcome === 'cancelled' ? theme.good('✓') : theme.warn('!');
      return `${sign} ${clean(id)}${clean(place)}: ${outcome === 'cancelled' ? 'taken back, ' : ''}${cleanLine(detail)}\n`;
    })
    .join('');
}

/** A fetched request as JSON. */
export const fetchedJson = ({ status, response }: Fetched): Record<string, unknown> => ({
  ...status,
  ...bytesJson('response', response),
});
