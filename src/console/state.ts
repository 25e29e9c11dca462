// What the whole page knows, as signals: who reads one is drawn anew when it changes.
import { computed, effect, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type Answer, act, ask, askOn, lock, openSession, session } from './client.ts';
import { moment, shortMoment, wholeMoment, withClocks } from './format.ts';
import { type PageName, parseRoute, printRoute } from './route.ts';
import { type Connection, listen, type Told } from './stream.ts';
import type { About, Action, AnswerOf, CommandLine, Envelope, Queues, ReplayRunJson, Run, WireError } from './wire.ts';

export const about = signal<About | undefined>(undefined);
export const server = signal<About['server'] | undefined>(undefined);
export const queues = signal<Queues | undefined>(undefined);
export const replays = signal<readonly ReplayRunJson[]>([]);
export const runs = signal<ReadonlyMap<string, Run>>(new Map());
export const connection = signal<Connection>('connecting');
/** Stopped by a person. */
export const paused = signal(false);
export const hidden = signal(document.hidden);
/** When the last figures came, by this machine's clock. */
export const freshAt = signal(0);
/** Ticks, so that ages move; once a second for all. */
export const now = signal(Date.now());
export const route = signal(parseRoute(location.hash));
/** The line that does what is shown. */
export const command = signal<CommandLine | undefined>(undefined);
/** A word on what was just done, also for who does not see it. */
export const said = signal('');

/** Minutes east of UTC. */
export const east = (ms: number): number => -new Date(ms).getTimezoneOffset();
export const clockOf = (ms: number): string => moment(ms, now.value, east(ms));
export const shortClockOf = (ms: number): string => shortMoment(ms, now.value, east(ms));
/** Times in a text of the process, as clocks of here. */
export const clocksIn = (text: string): string => withClocks(text, now.value, east);
export const wholeClockOf = (ms: number): string => wholeMoment(ms, now.value, east(ms));

export const isStale = computed(
  () => connection.value !== 'live' || (server.value?.state ?? 'starting') !== 'connected',
);

const FEW = 5;

const few = (subjects: readonly string[]): string =>
  [...subjects.slice(0, FEW), ...(subjects.length > FEW ? [`${subjects.length - FEW} more`] : [])].join(', ');

/** Why something may not be done: what is missing, in words; undefined where it may. */
export function whyNot(action: Action): string | undefined {
  const known = about.value;
  if (known === undefined) return 'not connected yet';
  const may = known.may[action];
  if (may?.allowed) return undefined;
  if (known.read_only) return 'this console was started with --read-only';
  return may && may.missing.length > 0 ? `not allowed: this NATS user may not use ${few(may.missing)}` : 'not allowed';
}

export function go(
  page: PageName,
  { id, query, replace }: { id?: string; query?: URLSearchParams; replace?: boolean } = {},
): void {
  const hash = printRoute({ page, id, query });
  if (replace) {
    history.replaceState(null, '', hash);
    route.value = parseRoute(hash);
  } else location.hash = hash;
}

/** Says it to who listens, and shows it for a while. */
export function say(text: string): void {
  said.value = text;
  setTimeout(() => {
    if (said.value === text) said.value = '';
  }, 5000);
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`copied ${what}`);
  } catch {
    say(`this browser does not let the page copy; ${what}: ${text}`);
  }
}

function hear(told: Told): void {
  freshAt.value = Date.now();
  switch (told.event) {
    case 'server':
      server.value = told.data;
      break;
    case 'queues':
      queues.value = told.data;
      break;
    case 'replays':
      replays.value = told.data;
      break;
    case 'run':
      remember(told.data);
      break;
  }
}

export function remember(run: Run): void {
  runs.value = new Map(runs.value).set(run.id, run);
}

async function readAbout(): Promise<void> {
  const got = await ask('/api/about');
  if (got.ok) about.value = got.body;
}

/** Opens the session and keeps listening while somebody looks. */
export async function start(): Promise<void> {
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#token=')) location.reload();
    else route.value = parseRoute(location.hash);
  });
  document.addEventListener('visibilitychange', () => {
    hidden.value = document.hidden;
  });
  const opened = await openSession();
  route.value = parseRoute(location.hash);
  if (opened) {
    about.value = opened;
    server.value = opened.server;
  }
  effect(() => {
    if (session.value !== 'open' || paused.value || hidden.value) {
      connection.value = 'stopped';
      return undefined;
    }
    return listen({
      tell: hear,
      connection: (state) => {
        connection.value = state;
        if (state === 'ended') lock();
      },
    });
  });
  effect(() => {
    if (hidden.value) return undefined;
    now.value = Date.now();
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  });
  // What one may do, and whom one asks, is known only once the server was reached.
  let before = server.peek()?.state;
  effect(() => {
    const state = server.value?.state;
    if (state === 'connected' && before !== state) void readAbout();
    before = state;
  });
}

const NOT_ASKED = {};

export interface Asked<T> {
  /** The newest answer, also while the next is under way. */
  readonly body?: T;
  readonly error?: WireError;
  /** Since when it is waited for; undefined where it is not. */
  readonly since?: number;
}

/** Asks when the path changes, when the server is back, or when `again` changes; takes the command line that is told. */
export function useAsked<const P extends string>(
  path: P | undefined,
  { again, quiet = false }: { again?: unknown; quiet?: boolean } = {},
): Asked<AnswerOf<P>> {
  const box = useRef(signal<Asked<AnswerOf<P>> & { readonly path?: string }>({})).current;
  const isBack = server.value?.state === 'connected';
  useEffect(() => {
    if (path === undefined) {
      box.value = {};
      return undefined;
    }
    const abort = new AbortController();
    const kept = box.value.path === path ? box.value : {};
    box.value = { ...kept, path, since: Date.now() };
    void askOn(path, abort.signal, (answer) => {
      box.value = answer.ok
        ? { path, body: answer.body }
        : { path, ...(kept.body !== undefined && { body: kept.body }), error: answer.error };
      const line = answer.ok ? (answer.body as Partial<Envelope<unknown>>).command : undefined;
      if (!quiet && line !== undefined) command.value = line;
    });
    return () => abort.abort();
  }, [path, again, isBack]);
  // What was answered to another question is none to this one.
  return box.value.path === path ? box.value : NOT_ASKED;
}

/** Does something by a run; gives why not. */
export async function runIt(body: Record<string, unknown>): Promise<Answer<Run>> {
  const answer = await act('/api/runs', body);
  if (answer.ok) remember(answer.body);
  return answer;
}
