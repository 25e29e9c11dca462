import { OpsError } from '../errors/ops-error.ts';
import type { Entry } from '../model/entry.ts';
import type { FieldChange } from '../model/replay.ts';
import { asCopied, type CopyOptions } from './copy.ts';
import type { Edited } from './edit-text.ts';
import { NOTHING_MOVED, type Transform } from './transform.ts';
import { transformChanges } from './transformed.ts';

/** What a module makes of an entry, and what differs. */
export interface Made {
  readonly edited: Edited;
  readonly changes: readonly FieldChange[];
}

/** So many faults of a module are told with their entries. */
const SHOWN = 5;

/** A module that is asked for all before anything moves: its faults are told together. */
export class Asked {
  readonly #transform: Transform;
  readonly #signal: AbortSignal;
  readonly #faults: OpsError[] = [];
  #count = 0;
  #failed = 0;

  constructor(transform: Transform, signal: AbortSignal) {
    this.#transform = transform;
    this.#signal = signal;
  }

  /**
   * What comes of an entry, and how its copy differs: null where it is skipped, undefined where the module failed.
   * @throws OpsError USAGE_FILE where the module is over; the reason of the signal
   */
  async ask(entry: Entry, how: Omit<CopyOptions, 'edited'>): Promise<Made | null | undefined> {
    this.#count += 1;
    try {
      const edited = await this.#transform.apply(entry, this.#signal);
      return edited && { edited, changes: transformChanges(entry.inner.message!, edited, (one) => asCopied(one, how)) };
    } catch (error) {
      if (!(error instanceof OpsError) || error.code !== 'USAGE_FILE') throw error;
      const fault = error.with({ why: NOTHING_MOVED });
      if (this.#transform.isOver) throw fault;
      this.#failed += 1;
      if (this.#failed <= SHOWN) this.#faults.push(fault);
      return undefined;
    }
  }

  /** To be called when all were asked. @throws OpsError USAGE_FILE where it failed for any */
  judge(): void {
    const [first] = this.#faults;
    if (!first) return;
    if (this.#failed === 1) throw first;
    const more = this.#failed > SHOWN ? `, of which the first ${SHOWN} are told` : '';
    throw first.with({
      message: `--transform: it fails for ${this.#failed} of ${this.#count}${more}`,
      where: this.#transform.file,
      problems: this.#faults.map(({ code, message, where = '' }) => ({ code, message, path: where })),
    });
  }
}
