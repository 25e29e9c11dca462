// Questions to the console's process. Nothing throws: an answer is what was asked for, or why not.
import { signal } from '@preact/signals';
import { againIn } from './again.ts';
import type { About, AnswerOf, DeedOf, Uploaded, WireError } from './wire.ts';

export type Answer<T> =
  | { readonly ok: true; readonly body: T }
  | { readonly ok: false; readonly status: number; readonly error: WireError };

/** Whether this page may ask: it has a key, it looks for one, or somebody has to open the printed address. */
export const session = signal<'opening' | 'open' | 'locked'>('opening');
export const lockedWhy = signal<WireError | undefined>(undefined);

const KEY = 'osapi-ops-key';
const channel = new BroadcastChannel('osapi-ops-console');

/** The process does not answer at all. */
const AWAY: WireError = {
  code: 'CONSOLE_AWAY',
  message: 'the console itself does not answer',
  why: 'Its process was stopped, or this machine cannot reach it.',
  hint: 'start osapi-ops console again where it ran; this page goes on by itself',
};

interface How {
  readonly signal?: AbortSignal;
}

/** Asks what there is at an address. */
export const ask = <const P extends string>(path: P, how: How = {}): Promise<Answer<AnswerOf<P>>> => send(path, how);

/** Asks, and tells each answer: after one that may be another in a while it is asked again, until it is stopped. */
export async function askOn<const P extends string>(
  path: P,
  signal: AbortSignal,
  told: (answer: Answer<AnswerOf<P>>) => void,
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask(path, { signal });
    if (signal.aborted) return;
    told(answer);
    const wait = answer.ok ? undefined : againIn({ status: answer.status, code: answer.error.code }, tries);
    if (wait === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (signal.aborted) return;
  }
}

/** Asks for something to be done. */
export const act = <const P extends string>(path: P, body: object, how: How = {}): Promise<Answer<DeedOf<P>>> =>
  send(path, {
    ...how,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Sends a file as it is. */
export const upload = (path: '/api/archives', file: File): Promise<Answer<Uploaded>> =>
  send(`${path}?name=${encodeURIComponent(file.name)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/x-ndjson' },
    body: file,
  });

async function send<T>(path: string, request: RequestInit): Promise<Answer<T>> {
  try {
    const headers = { ...keyHeader(), ...(request.headers as Record<string, string>) };
    const response = await fetch(path, { ...request, credentials: 'same-origin', headers });
    const answer: unknown = await response.json();
    if (response.ok) return { ok: true, body: answer as T };
    const { error } = answer as { error: WireError };
    if (response.status === 401) lock(error);
    return { ok: false, status: response.status, error };
  } catch {
    return { ok: false, status: 0, error: AWAY };
  }
}

export const keyHeader = (): Record<string, string> => ({ 'x-osapi-ops-key': sessionStorage.getItem(KEY) ?? '' });

/** No more questions until somebody opens the printed address. */
export function lock(error?: WireError): void {
  sessionStorage.removeItem(KEY);
  lockedWhy.value = error;
  session.value = 'locked';
}

/** A key of another tab of this browser, where one has it; the cookie, which is the other half, it has as well. */
function keyOfAnotherTab(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), 150);
    channel.addEventListener('message', ({ data }: MessageEvent<{ key?: unknown }>) => {
      if (typeof data?.key !== 'string') return;
      clearTimeout(timer);
      resolve(data.key);
    });
    channel.postMessage({ wants: 'key' });
  });
}

channel.addEventListener('message', ({ data }: MessageEvent<{ wants?: unknown }>) => {
  const key = sessionStorage.getItem(KEY);
  if (data?.wants === 'key' && key !== null) channel.postMessage({ key });
});

/** Opens the session by what the address carries, what this tab has, or what another tab has. */
export async function openSession(): Promise<About | undefined> {
  const [, token] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (token !== undefined) {
    // Not in the history, nor in what somebody copies from the address line.
    history.replaceState(null, '', `${location.pathname}#/queues`);
    const got = await act('/api/session', { token: decodeURIComponent(token) });
    if (!got.ok) {
      lock(got.error);
      return undefined;
    }
    sessionStorage.setItem(KEY, got.body.key);
    session.value = 'open';
    return got.body.about;
  }
  if (sessionStorage.getItem(KEY) === null) {
    const key = await keyOfAnotherTab();
    if (key === undefined) {
      lock();
      return undefined;
    }
    sessionStorage.setItem(KEY, key);
  }
  const about = await ask('/api/about');
  if (!about.ok) {
    if (about.status !== 401) lock(about.error);
    return undefined;
  }
  session.value = 'open';
  return about.body;
}

/** Saves bytes as a file: by an address that holds once, for a link sends no header. */
export async function download(path: string): Promise<WireError | undefined> {
  const ticket = await act('/api/tickets', { path });
  if (!ticket.ok) return ticket.error;
  location.assign(ticket.body.url);
  return undefined;
}
