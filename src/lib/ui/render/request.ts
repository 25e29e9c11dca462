import { asBuffer } from '../../model/bytes.ts';
import type {
  CancelledJson,
  Fetched,
  Moment,
  MomentKind,
  RequestStatus,
  TimelineJson,
  WaitingJson,
} from '../../model/request.ts';
import { clean } from '../sanitize.ts';
import { flow, padEnd } from '../text.ts';
import type { Theme } from '../theme.ts';
import { ageOf } from './dlq.ts';

/** `JSON.rawJSON`, which TypeScript's library does not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

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

/** A number that JavaScript would round is printed as it was written. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value;
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
  const why = status.detail === undefined ? '' : `: ${status.detail}`;
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
    return flow(`${clean(moment.detail)}${moment.computed ? ' (computed)' : ''}`, { width, first: style(first) });
  });
  return `${[head, ...trace, '', ...(lines.length > 0 ? lines : ['nothing is recorded of it'])].join('\n')}\n`;
}

/** Rows of what waits; the first ones decide how wide the columns are. */
export function createWaitingTable(first: readonly WaitingJson[], { theme, now }: { theme: Theme; now: Date }) {
  const titles = ['ID', 'SUBJECT', 'QUEUE', 'SEQ', 'WAITS', 'SIZE'];
  const cells = (one: WaitingJson): string[] => [
    clean(one.id ?? '-'),
    clean(one.subject),
    clean(one.queue),
    String(one.seq),
    ageOf(one.published_at, now),
    `${one.size}`,
  ];
  const widths = titles.map((title, index) => Math.max(title.length, ...first.map((one) => cells(one)[index]!.length)));
  const draw = (texts: readonly string[]): string =>
    texts
      .map((text, index) => padEnd(text, widths[index]!))
      .join('  ')
      .trimEnd();
  return { header: theme.strong(draw(titles)), row: (one: WaitingJson): string => draw(cells(one)) };
}

/** What became of each request that somebody wanted back. */
export function renderCancelled(entries: readonly CancelledJson[], theme: Theme): string {
  return entries
    .map(({ id, outcome, queue, seq, detail }) => {
      const place = queue === undefined ? '' : ` (${queue} ${seq})`;
      const sign = outcome === 'cancelled' ? theme.good('✓') : theme.warn('!');
      return `${sign} ${clean(id)}${clean(place)}: ${outcome === 'cancelled' ? 'taken back, ' : ''}${clean(detail)}\n`;
    })
    .join('');
}

/** A fetched request as JSON. */
export const fetchedJson = ({ status, response }: Fetched): Record<string, unknown> => ({
  ...status,
  ...bytesJson('response', response),
});
