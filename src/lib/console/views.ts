import { randomBytes } from 'node:crypto';
import { OpsError } from '../errors/ops-error.ts';
import type { EntryJson } from '../model/entry.ts';
import type { Event } from '../model/io.ts';

// Pages of a list that may have a million rows. A list is read once, newest first, and stands still where the last page
// ended; what was read before is found again by its ids. So a page costs the same however far down it is, and rows stay
// where they are while somebody reads them.

type Looked = ReadonlyMap<string, undefined>;

/** Gives out rows one after the other; waits where a promise is returned. With `looked` only those. */
export type ReadRows = (
  looked: Looked | undefined,
  tools: { readonly signal: AbortSignal; tell(event: Event): void },
  onRow: (row: EntryJson) => Promise<void> | undefined,
) => Promise<unknown>;

export interface Page {
  readonly rows: readonly EntryJson[];
  readonly from: number;
  /** Null where this is the end. */
  readonly next: string | null;
  readonly told: readonly Event[];
}

/** So many lists are kept open, and so long after their last use, in milliseconds. */
const MOST_VIEWS = 8;
const KEPT_MS = 2 * 60_000;

/** The ids of the rows that were given out, at twelve bytes each. */
class Given {
  readonly #prefixes: string[] = [];
  readonly #known = new Map<string, number>();
  #at = new Uint32Array(256);
  #seqs = new Float64Array(256);
  length = 0;

  push({ id, seq }: EntryJson): void {
    if (this.length === this.#seqs.length) {
      const [at, seqs] = [new Uint32Array(this.length * 2), new Float64Array(this.length * 2)];
      at.set(this.#at);
      seqs.set(this.#seqs);
      [this.#at, this.#seqs] = [at, seqs];
    }
    const prefix = id.slice(0, id.lastIndexOf('/'));
    const index = this.#known.get(prefix) ?? this.#prefixes.push(prefix) - 1;
    this.#known.set(prefix, index);
    this.#at[this.length] = index;
    this.#seqs[this.length] = seq;
    this.length += 1;
  }

  idsFrom(from: number, to: number): string[] {
    const length = Math.max(0, Math.min(to, this.length) - from);
    return Array.from(
      { length },
      (_, index) => `${this.#prefixes[this.#at[from + index]!]}/${this.#seqs[from + index]}`,
    );
  }
}

/** One list, as far as it was read. */
class View {
  readonly id = randomBytes(6).toString('base64url');
  readonly #read: ReadRows;
  readonly #abort = new AbortController();
  readonly #given = new Given();
  #rows: EntryJson[] = [];
  #told: Event[] = [];
  #from = 0;
  #wanted = 0;
  #proceed: (() => void) | undefined;
  /** Settles when there are as many as are wanted, or no more. */
  #full = Promise.withResolvers<void>();
  #ended = false;
  #busy: Promise<unknown> = Promise.resolve();
  usedAt = performance.now();

  constructor(read: ReadRows) {
    this.#read = read;
  }

  /** One page after the other: a list has one end. */
  page(from: number, limit: number): Promise<Page> {
    const next = this.#busy.then(() => this.#page(from, limit));
    this.#busy = next.catch(() => {});
    return next;
  }

  async #page(from: number, limit: number): Promise<Page> {
    // Until it is read, however long that takes.
    this.usedAt = Number.POSITIVE_INFINITY;
    const isBack = from < this.#given.length;
    const rows = isBack ? await this.#again(from, limit) : await this.#further(from, limit);
    this.usedAt = performance.now();
    const to = isBack ? Math.min(from + limit, this.#given.length) : from + rows.length;
    const isEnd = this.#ended && to >= this.#given.length;
    const told = this.#told;
    this.#told = [];
    return { rows, from, next: isEnd ? null : `${this.id}:${to}`, told };
  }

  /** What was given before, as it is now; what went since is left out. */
  async #again(from: number, limit: number): Promise<EntryJson[]> {
    const ids = this.#given.idsFrom(from, from + limit);
    const found = new Map<string, EntryJson>();
    const tools = { signal: this.#abort.signal, tell: () => {} };
    await this.#read(new Map(ids.map((id) => [id, undefined])), tools, (row) => void found.set(row.id, row));
    return ids.flatMap((id) => found.get(id) ?? []);
  }

  async #further(from: number, limit: number): Promise<EntryJson[]> {
    [this.#from, this.#wanted] = [from, from + limit];
    if (!this.#ended) {
      this.#full = Promise.withResolvers();
      if (this.#proceed) this.#proceed();
      else this.#start();
      await this.#full.promise;
    }
    return this.#rows.splice(0);
  }

  #start(): void {
    const tools = { signal: this.#abort.signal, tell: (event: Event) => void this.#told.push(event) };
    this.#proceed = () => {};
    this.#read(undefined, tools, (row) => {
      this.#given.push(row);
      if (this.#given.length > this.#from) this.#rows.push(row);
      if (this.#given.length < this.#wanted) return undefined;
      this.#full.resolve();
      return new Promise((resolve) => {
        this.#proceed = resolve;
      });
    }).then(
      () => {
        this.#ended = true;
        this.#full.resolve();
      },
      (error: unknown) => {
        this.#ended = true;
        this.#full.reject(error);
        this.#full.promise.catch(() => {});
      },
    );
  }

  close(): void {
    this.#abort.abort(new OpsError('INTERRUPTED', 'the list was closed'));
    this.#proceed?.();
  }
}

/** The lists of a console. */
export class Views {
  readonly #views = new Map<string, View>();
  readonly #timer = setInterval(() => this.#sweep(), KEPT_MS / 4).unref();

  /** `cursor` is that of the page before; where its list is closed meanwhile it is read anew up to there. */
  async page(read: ReadRows, cursor: string | undefined, limit: number): Promise<Page> {
    const [, id = '', start = '0'] = /^([\w-]+):(\d{1,15})$/.exec(cursor ?? '') ?? [];
    if (cursor !== undefined && id === '') {
      throw new OpsError('USAGE', `cursor: ${JSON.stringify(cursor.slice(0, 40))} is none`, {
        hints: ['give `next` of the page before'],
      });
    }
    const view = this.#views.get(id) ?? new View(read);
    this.#views.delete(view.id);
    this.#views.set(view.id, view);
    this.#sweep();
    try {
      return await view.page(Number(start), limit);
    } catch (error) {
      this.#drop(view);
      throw error;
    }
  }

  #sweep(): void {
    const old = performance.now() - KEPT_MS;
    const views = [...this.#views.values()];
    const tooMany = views.slice(0, Math.max(0, views.length - MOST_VIEWS));
    for (const view of [...tooMany, ...views.filter(({ usedAt }) => usedAt < old)]) this.#drop(view);
  }

  #drop(view: View): void {
    this.#views.delete(view.id);
    view.close();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const view of [...this.#views.values()]) this.#drop(view);
  }
}
