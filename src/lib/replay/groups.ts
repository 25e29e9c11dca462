import type { Entry } from '../model/entry.ts';
import type { ReplayGroup } from '../model/replay.ts';

type Growing = { -readonly [K in keyof ReplayGroup]: ReplayGroup[K] };

/** Counts entries by queue, consumer, subject and reason, with the first and last death of each group. */
export class GroupTable {
  readonly #groups = new Map<string, Growing>();

  add({ queue, consumer, subject, reason, died_at: died }: Entry): void {
    const key = JSON.stringify([queue, consumer, subject, reason]);
    const group = this.#groups.get(key) ?? {
      queue,
      consumer,
      subject: subject ?? '',
      reason,
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
