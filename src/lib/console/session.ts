import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { OpsError } from '../errors/ops-error.ts';

// A browser sends a cookie to every port of a host, and to whichever page asks: it alone proves nothing. So that a session
// has two halves, the cookie, which no script can read, and a key, which the page keeps for its own origin and sends in a
// header, which no other page can. Of both only digests are kept here.

/** 256 bits. */
const secret = (): string => randomBytes(32).toString('base64url');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether two texts are the same, in a time that tells nothing of where they differ. */
const isSame = (text: string, known: Buffer): boolean => timingSafeEqual(digest(text), known);

/** So long without a request or an open stream, and so long in all, in milliseconds. */
export const IDLE_MS = 30 * 60_000;
const LONGEST_MS = 24 * 3600_000;
/** So many browsers; one more ends the one that was silent for longest. */
const MOST_SESSIONS = 8;
/** What a token of one's own must have at the least: as much as nobody finds by trying. */
export const SHORTEST_TOKEN = 32;

export interface Session {
  readonly id: string;
  readonly begun: number;
  /** When it was heard of last, in milliseconds since 1970. */
  seen: number;
  /** Streams that are open; `end` closes each. */
  readonly streams: Set<() => void>;
}

interface Kept extends Session {
  readonly key: Buffer;
}

export interface SessionOptions {
  readonly port: number;
  /** One's own token, which is good again and again; without one, each of ours is good once. */
  readonly token?: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** A token of ours was used, or the first is made: here is the next. */
  onToken(token: string): void;
}

/** The sessions of one console. */
export class Sessions {
  readonly cookie: string;
  readonly #options: SessionOptions;
  readonly #kept = new Map<string, Kept>();
  #token: Buffer;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.cookie = `osapi_ops_console_${options.port}`;
    this.#token = this.#next();
  }

  #next(): Buffer {
    const token = this.#options.token ?? secret();
    this.#options.onToken(token);
    return digest(token);
  }

  /** Begins a session. @throws OpsError CONSOLE_SESSION for a token that is wrong, or was used */
  begin(token: string): { readonly session: Session; readonly id: string; readonly key: string } {
    if (!isSame(token, this.#token)) throw noSession('the token is not the one that opens this console now');
    if (this.#options.token === undefined) this.#token = this.#next();
    this.sweep();
    const oldest = [...this.#kept.values()].sort((a, b) => a.seen - b.seen)[0];
    if (this.#kept.size >= MOST_SESSIONS && oldest) this.end(oldest);
    const [id, key] = [secret(), secret()];
    const now = this.#options.now();
    const session: Kept = {
      id: digest(id).toString('hex'),
      begun: now,
      seen: now,
      streams: new Set(),
      key: digest(key),
    };
    this.#kept.set(session.id, session);
    return { session, id, key };
  }

  /** The session of both halves; without a `key`, that of the cookie alone. @throws OpsError CONSOLE_SESSION */
  find(cookies: string | undefined, key: string | undefined): Session {
    this.sweep();
    const named = (cookies ?? '').split(/;\s*/).filter((pair) => pair.startsWith(`${this.cookie}=`));
    // Another program on this host may have set one of the same name for a longer path: any of them may be ours.
    for (const pair of named.slice(0, 8)) {
      const session = this.#kept.get(digest(pair.slice(this.cookie.length + 1)).toString('hex'));
      if (!session || (key !== undefined && !isSame(key, session.key))) continue;
      session.seen = this.#options.now();
      return session;
    }
    throw noSession(named.length === 0 ? 'there is no session' : 'the session has ended, or its key is missing');
  }

  end(session: Session): void {
    this.#kept.delete(session.id);
    for (const close of session.streams) close();
  }

  /** Ends those that were silent for too long. */
  sweep(): void {
    const now = this.#options.now();
    for (const session of this.#kept.values()) {
      if (session.streams.size > 0) session.seen = now;
      if (now - session.seen > IDLE_MS || now - session.begun > LONGEST_MS) this.end(session);
    }
  }

  endAll(): void {
    for (const session of [...this.#kept.values()]) this.end(session);
  }

  /** What a browser is told to keep. */
  setCookie = (id: string): string => `${this.cookie}=${id}; Path=/; HttpOnly; SameSite=Strict`;
  dropCookie = (): string => `${this.cookie}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
}

const noSession = (message: string): OpsError =>
  new OpsError('CONSOLE_SESSION', message, {
    why: 'Nothing is shown and nothing done without one.',
    hints: ['open the address that the terminal of the console shows'],
  });
