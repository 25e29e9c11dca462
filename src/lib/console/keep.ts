import { randomBytes } from 'node:crypto';
import { OpsError } from '../errors/ops-error.ts';

/** Things that are kept for a while after their last use, the newest so many of them. Somebody sweeps now and then. */
export class Keep<T> {
  readonly #kept = new Map<string, { readonly value: T; usedAt: number }>();
  readonly #what: string;
  readonly #most: number;
  readonly #forMs: number;
  readonly #drop: (value: T) => void;

  /** `what` as in "there is no such WHAT any more"; `drop` does away with what is kept no longer. */
  constructor(
    what: string,
    {
      most,
      forMs,
      drop = () => {},
    }: { readonly most: number; readonly forMs: number; readonly drop?: (value: T) => void },
  ) {
    this.#what = what;
    this.#most = most;
    this.#forMs = forMs;
    this.#drop = drop;
  }

  #forget(key: string): void {
    const { value } = this.#kept.get(key)!;
    this.#kept.delete(key);
    this.#drop(value);
  }

  put(value: T): string {
    const id = randomBytes(18).toString('base64url');
    this.#kept.set(id, { value, usedAt: performance.now() });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#forget(oldest);
    return id;
  }

  /** Drops what nobody used for so long. */
  sweep(): void {
    const old = performance.now() - this.#forMs;
    for (const [key, { usedAt }] of this.#kept) if (usedAt < old) this.#forget(key);
  }

  /** @throws OpsError CONSOLE_EXPIRED */
  get(id: unknown): T {
    this.sweep();
    const found = typeof id === 'string' ? this.#kept.get(id) : undefined;
    if (found) {
      found.usedAt = performance.now();
      return found.value;
    }
    throw new OpsError('CONSOLE_EXPIRED', `there is no such ${this.#what} any more`, { hints: ['look again'] });
  }

  /** The same, once. */
  take(id: unknown): T {
    const value = this.get(id);
    this.#kept.delete(id as string);
    return value;
  }
}
