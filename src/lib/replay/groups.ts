import { causeOf } from '../dlq/cause.ts';
import type { Entry } from '../model/entry.ts';
import type { ReplayGroup } from '../model/replay.ts';
import { inOneLine } from '../model/visible.ts';

type Growing = { -readonly [K in keyof ReplayGroup]: ReplayGroup[K] };

/** Of so many groups why they died tells no more of them apart: what others wrote takes no memory without end. */
const MOST_CAUSED = 1000;

/** Counts entries by queue, consumer, subject, reason and cause, with the first and last death of each group. */
export class GroupTable {
  readonly #groups = new Map<string, Growing>();

  add({ queue, consumer, subject, reason, detail, died_at: died }: Entry): void {
    const keyOf = (cause: string | null) => JSON.stringify([queue, consumer, subject, reason, cause]);
    const own = detail === null ? null : causeOf(inOneLine(detail));
    const cause = this.#groups.has(keyOf(own)) || this.#groups.size < MOST_CAUSED ? own : null;
    const key = keyOf(cause);
    const group = this.#groups.get(key) ?? {
      queue,
      consumer,
      subject: subject ?? '',
      reason,
      detail: cause,
      count: 0,
      first_died_at: died,
      last_died_at: died,
    };
    group.count += 1;
    if (died !== null) {
      if (group.first_died_at === null || Date.parse(died) < Date.parse(group.first_died_at))
        group.first_died_at = died;
      if (group.last_died_at === null || Date.parse(died) > Date.parse(group.last_died_at)) group.last_died_at = died;
    }
    this.#groups.set(key, group);
  }

  /** The largest first. */
  groups(): ReplayGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count);
  }
}
