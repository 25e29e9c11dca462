// The entries of a choice, as pages from the process: those near to what is in view are kept, the others are asked for again.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { askOn } from './client.ts';
import { server } from './state.ts';
import type { AnswerOf, CommandLine, EntryJson, Note, WireError } from './wire.ts';

export const PAGE = 200;
const MOST_PAGES = 20;

export interface Entries {
  /** How many are known to be there; one more page while there may be more. */
  readonly count: number;
  readonly isWhole: boolean;
  readonly error?: WireError;
  readonly notes: readonly Note[];
  /** The line that lists them. */
  readonly command?: CommandLine | undefined;
  readonly since?: number;
  at(index: number): EntryJson | undefined;
  need(first: number, last: number): void;
}

/** Entries of a query; anew when it changes, when the server is back, or when `again` changes. */
export function useEntries(query: string | undefined, again: number): Entries {
  const version = useRef(signal(0)).current;
  const isBack = server.value?.state === 'connected';
  const store = useRef<ReturnType<typeof makeStore>>(undefined);
  useEffect(() => {
    if (query === undefined) return undefined;
    const before = store.current?.query === query && store.current.count > 0 ? store.current : undefined;
    const made = makeStore(query, () => {
      // What was there last stays until there is something newer.
      if (made.isTold || before === undefined) store.current = made;
      version.value += 1;
    });
    if (before === undefined) store.current = made;
    made.need(0, 0);
    return () => made.close();
  }, [query, again, isBack]);
  void version.value;
  return store.current ?? NONE;
}

const NONE: Entries = { count: 0, isWhole: false, notes: [], at: () => undefined, need: () => {} };

function makeStore(
  query: string,
  changed: () => void,
): Entries & { readonly query: string; readonly isTold: boolean; close(): void } {
  const pages = new Map<number, readonly EntryJson[]>();
  /** Where each page begins; null after the last. */
  const cursors: (string | null)[] = [''];
  const asking = new Set<number>();
  const abort = new AbortController();
  let seen = 0;
  let error: WireError | undefined;
  let notes: readonly Note[] = [];
  let command: CommandLine | undefined;
  let since: number | undefined = Date.now();

  const load = async (page: number): Promise<void> => {
    const cursor = cursors[page];
    if (cursor === undefined || cursor === null || asking.has(page) || pages.has(page)) return;
    asking.add(page);
    const at = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    await askOn(`/api/dlq/ls?${query}&rows=${PAGE}${at}`, abort.signal, (answer) => {
      since = undefined;
      if (answer.ok) take(page, answer.body);
      else error = answer.error;
      changed();
    });
    asking.delete(page);
  };
  const take = (page: number, { result, next, notes: told, command: line }: AnswerOf<'/api/dlq/ls'>): void => {
    pages.set(page, result);
    cursors[page + 1] = next;
    seen = Math.max(seen, page * PAGE + result.length);
    if (page === 0) {
      notes = told;
      command = line;
    }
    error = undefined;
    for (const old of [...pages.keys()]
      .sort((a, b) => Math.abs(b - page) - Math.abs(a - page))
      .slice(0, Math.max(0, pages.size - MOST_PAGES)))
      pages.delete(old);
  };

  return {
    query,
    get isTold() {
      return pages.size > 0;
    },
    get count() {
      return seen + (cursors.at(-1) === null || cursors.length === 1 ? 0 : 20);
    },
    get isWhole() {
      return cursors.at(-1) === null;
    },
    get error() {
      return error;
    },
    get command() {
      return command;
    },
    get notes() {
      return notes;
    },
    get since() {
      return since;
    },
    at: (index) => pages.get(Math.floor(index / PAGE))?.[index % PAGE],
    need(first, last) {
      for (let page = Math.floor(first / PAGE); page <= Math.floor((last + 40) / PAGE); page += 1) void load(page);
    },
    close: () => abort.abort(),
  };
}
