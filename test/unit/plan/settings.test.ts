import { expect, test } from '@jest/globals';
import type { Spec } from '../../../src/lib/model/spec.ts';
import { settingFindings } from '../../../src/lib/plan/settings.ts';

const limit = (warn: number | null) => ({ warn, critical: null });
const spec = (queues: Record<string, number>, oldest = 5e9, servers?: string[]): Spec =>
  ({
    version: 1,
    name: 'osapi',
    connection: { ...(servers && { servers }) },
    queues: Object.fromEntries(
      Object.entries(queues).map(([name, dead]) => [
        name,
        {
          config: {},
          consumers: {},
          health: { dead: limit(dead), backlog: limit(1), oldest: limit(oldest), usage: limit(1) },
        },
      ]),
    ),
    streams: {},
    buckets: {},
  }) as unknown as Spec;

test.each([
  { name: 'nothing', before: spec({ Q: 1 }), now: spec({ Q: 1 }), want: [] },
  {
    name: 'a limit',
    before: spec({ Q: 1 }),
    now: spec({ Q: 5 }),
    want: ['queues.Q.health.dead.warn goes into the ledger with it: 1 → 5'],
  },
  {
    name: 'an age, with its unit',
    before: spec({ Q: 1 }),
    now: spec({ Q: 1 }, 6e10),
    want: ['queues.Q.health.oldest.warn goes into the ledger with it: 5s → 1m'],
  },
  {
    name: 'a server',
    before: spec({ Q: 1 }),
    now: spec({ Q: 1 }, 5e9, ['nats://a']),
    want: ['connection.servers goes into the ledger with it: unset → ["nats://a"]'],
  },
  { name: 'nothing of a queue that came', before: spec({}), now: spec({ Q: 5 }), want: [] },
  { name: 'nothing of a queue that went', before: spec({ Q: 5 }), now: spec({}), want: [] },
])('what goes into the ledger with a plan is told: $name', ({ before, now, want }) => {
  expect(settingFindings(before, now).map(({ message }) => message)).toEqual(want);
});
