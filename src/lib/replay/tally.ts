import { causeOf } from '../dlq/cause.ts';
import type { ReplayFate, ReplayOutcome, ReplayResult } from '../model/replay.ts';
import type { FinishedRun, RunFailure, RunFigures } from '../model/replay-run.ts';
import type { Followed } from './fates.ts';
import type { Moved } from './protocol.ts';
import type { Skipped } from './select.ts';

/** So many failures are kept to be shown. */
const MOST_FAILURES = 100;

/** Gathers what became of everything in one run. */
export class Tally {
  replayed = 0;
  skipped = 0;
  failed = 0;
  remaining = 0;
  /** How many were chosen when the run began; absent where that is not known yet. */
  chosen?: number;
  late = 0;
  /** Copies that an earlier run had published, and that were worked on, or removed, since. */
  before = 0;
  readonly skips: Record<string, number> = {};
  readonly errors: Record<string, number> = {};
  readonly fates: Record<ReplayFate, number> = { answered: 0, acked: 0, died: 0, unknown: 0 };
  readonly deaths: Record<string, number> = {};
  sameReason = 0;
  /** The first of those that failed or died again. */
  readonly failures: RunFailure[] = [];
  /** What earlier runs had begun, and this one finished. */
  readonly finished: FinishedRun[] = [];
  readonly #entries = new Map<string, ReplayOutcome>();
  readonly #keep: boolean;
  #followed = false;

  /** `keep` holds on to an outcome for each entry: for `--json`, which prints them all. */
  constructor(keep: boolean) {
    this.#keep = keep;
  }

  #note(outcome: ReplayOutcome): void {
    if (this.#keep) this.#entries.set(outcome.id, { ...this.#entries.get(outcome.id), ...outcome });
  }

  skip({ entry, why, text }: Skipped): void {
    this.skipped += 1;
    this.skips[why] = (this.skips[why] ?? 0) + 1;
    this.#note({ id: entry.id, outcome: 'skipped', error: text });
  }

  moved({ move, outcome, newSeq, error, before, late }: Moved): void {
    if (outcome === 'moved') {
      this.replayed += 1;
      if (before === 'left') this.before += 1;
      if (late) this.late += 1;
      this.#note({ id: move.id, outcome: 'replayed', new_seq: newSeq });
      return;
    }
    const why = error ?? 'unknown';
    if (outcome === 'failed') {
      this.fail(move.id, why);
      return;
    }
    this.remaining += 1;
    this.#countError(why);
    this.#note({ id: move.id, outcome: 'remaining', error: why });
  }

  /** One that cannot be moved as things are. */
  fail(id: string, why: string): void {
    this.failed += 1;
    this.#countError(why);
    this.#noteFailure(id, why);
    this.#note({ id, outcome: 'failed', error: why });
  }

  #noteFailure(id: string, error: string, newSeq?: number): void {
    if (this.failures.length >= MOST_FAILURES) return;
    this.failures.push({ id, error, ...(newSeq !== undefined && { new_seq: newSeq }) });
  }

  #countError(why: string): void {
    this.errors[why] = (this.errors[why] ?? 0) + 1;
  }

  /** One that waited in the journal is in after all. */
  arrived(id: string, newSeq: number | undefined): void {
    this.remaining -= 1;
    this.replayed += 1;
    if (this.#keep) this.#entries.delete(id);
    this.#note({ id, outcome: 'replayed', new_seq: newSeq });
  }

  left(id: string, why: string): void {
    this.remaining += 1;
    this.#countError(why);
    this.#note({ id, outcome: 'remaining', error: why });
  }

  wouldReplay(id: string): void {
    this.remaining += 1;
    this.#note({ id, outcome: 'would_replay' });
  }

  followed({ copy, fate, reason }: Followed): void {
    this.#followed = true;
    this.fates[fate] += 1;
    if (reason !== undefined) {
      const cause = causeOf(reason);
      this.deaths[cause] = (this.deaths[cause] ?? 0) + 1;
      if (cause === causeOf(copy.died ?? '')) this.sameReason += 1;
      this.#noteFailure(copy.id, `died again: ${reason}`, copy.newSeq);
    }
    if (this.#keep) this.#note({ ...this.#entries.get(copy.id)!, fate });
  }

  /** How far it is by now. */
  figures(): RunFigures {
    const { chosen = 0, replayed, skipped, failed, fates, failures, finished } = this;
    const { answered, acked, died } = fates;
    const waiting = this.#left();
    const done = finished.length > 0 && { finished_for: finished };
    return { chosen, replayed, answered, acked, died, skipped, failed, waiting, failures, ...done };
  }

  /** All was come to: what was chosen and is not there any more is some other run's. */
  settle(): void {
    this.chosen = this.replayed + this.failed + this.remaining;
  }

  /** The result of a run that ended before its time: what it never came to remains as well. */
  cut(): ReplayResult {
    return { ...this.result(), remaining: this.#left() };
  }

  #left(): number {
    return Math.max(this.remaining, (this.chosen ?? 0) - this.replayed - this.failed);
  }

  result(): ReplayResult {
    return {
      replayed: this.replayed,
      skipped: this.skipped,
      failed: this.failed,
      remaining: this.remaining,
      ...(this.#followed && { fates: this.fates }),
      ...(this.fates.died > 0 && { deaths: this.deaths, same_reason: this.sameReason }),
      ...(this.late > 0 && { late: this.late }),
      entries: [...this.#entries.values()],
    };
  }
}
