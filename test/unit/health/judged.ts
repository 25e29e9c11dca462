import { describe, expect, test } from '@jest/globals';
import type { QueueState, Snapshot } from '../../../src/lib/health/snapshot.ts';
import { judgeHealth } from '../../../src/lib/health/verdict.ts';
import type { Check, Health } from '../../../src/lib/model/verdict.ts';
import { queueOf, snapshotOf } from './builders.ts';

export const check = (snapshot: Snapshot, id: string): Check => {
  const found = judgeHealth(snapshot).checks.find((one) => one.id === id);
  if (!found) throw new TypeError(`no check ${id}`);
  return found;
};
export const namesOf = (snapshot: Snapshot): string[] => judgeHealth(snapshot).checks.map(({ name }) => name);
export const queue = (fields: Partial<QueueState>): Snapshot => snapshotOf({ queues: [queueOf(fields)] });

interface Row {
  readonly name: string;
  readonly of: Snapshot;
  readonly status: Health;
  readonly value?: number;
  readonly says: string;
  readonly next?: string;
}

/** All that a check says: `base` is what it says every time, of `next` only where not all is well. */
export const judged = (base: Omit<Check, 'status' | 'summary'>, rows: readonly Row[]) =>
  describe(`the check ${base.id}`, () => {
    test.each(rows)('is $status: $name', ({ of, status, value, says, next }) => {
      expect(check(of, base.id)).toEqual({
        ...base,
        status,
        summary: says,
        value,
        next: status === 'ok' ? undefined : (next ?? base.next),
      });
    });
  });
