// Where one is, as the address says it: a page, what of it, and filters as the CLI writes them.

export const PAGES = ['queues', 'dead', 'replay', 'request', 'plan', 'history'] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  readonly page: PageName;
  /** What of it: a replay, a request. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** What an address of ours says; the first page for anything else. */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [name = '', id = ''] = path.split(/\/(.*)/s);
  const page = PAGES.find((one) => one === name) ?? 'queues';
  return { page, id: page === name ? decoded(id) : '', query: new URLSearchParams(search) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function printRoute({ page, id = '', query }: { page: PageName; id?: string; query?: URLSearchParams }): string {
  const search = query === undefined || query.size === 0 ? '' : `?${query}`;
  return `#/${page}${id === '' ? '' : `/${encodeURIComponent(id)}`}${search}`;
}

/** The filters of every dlq verb, in the order in which they are shown. */
export const FILTERS: readonly string[] = [
  ...['queue', 'consumer', 'subject', 'since', 'until', 'older-than', 'reason', 'state', 'where', 'match'],
  ...['request-id', 'limit'],
];
/** Of these one value holds; of the others any of several. */
const SINGLE = new Set(['since', 'until', 'older-than', 'match', 'limit']);

/** Only what filters, of an address. */
export function filtersOf(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([key]) => FILTERS.includes(key)));
}

export function withFilter(query: URLSearchParams, key: string, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  if (SINGLE.has(key)) next.set(key, value);
  else if (!next.getAll(key).includes(value)) next.append(key, value);
  for (const gone of ['pick', 'id']) next.delete(gone);
  return next;
}

export function withoutFilter(query: URLSearchParams, key: string, value: string): URLSearchParams {
  const next = new URLSearchParams(query);
  next.delete(key, value);
  for (const gone of ['pick', 'id']) next.delete(gone);
  return next;
}

/** Filters as a body of JSON has them. */
export function filterBody(query: URLSearchParams): Record<string, string | string[]> {
  const keys = [...new Set(query.keys())];
  return Object.fromEntries(keys.map((key) => [key, SINGLE.has(key) ? query.get(key)! : query.getAll(key)]));
}

const TERM = new RegExp(
  `[\\s,]+(?=(?:${FILTERS.join('|')}):|(?:subject|consumer|reason|detail|day|hour)!?=|(?:header:|json:\\.)[^=\\s]+=)`,
);

/** Each filter of what was typed: `queue:REQUESTS since:1h` are two. A blank elsewhere belongs to its value. */
export const parseTypedAll = (text: string): { key: string; value: string }[] =>
  text.split(TERM).flatMap((term) => parseTyped(term) ?? []);

/** What was typed into the filter: `queue:REQUESTS`, `since:1h`, `detail=timeout*`; other text is looked for in payloads. */
export function parseTyped(text: string): { key: string; value: string } | undefined {
  const typed = text.trim();
  if (typed === '') return undefined;
  const [, name = '', value = ''] = /^--?([a-z-]+)[ =](.*)$/s.exec(typed) ?? /^([a-z-]+):(.*)$/s.exec(typed) ?? [];
  if (FILTERS.includes(name) && value !== '') return { key: name, value };
  // A dimension of `stats --by` is a condition of `--where`.
  if (/^(?:subject|consumer|reason|detail|day|hour|header:[^=]+|json:\.?[^=]*)!?=/.test(typed)) {
    return { key: 'where', value: typed };
  }
  return { key: 'match', value: typed };
}
