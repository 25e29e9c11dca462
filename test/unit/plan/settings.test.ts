import { expect, test } from '@jest/globals';
import type { Spec } from '../../../src/lib/model/spec.ts';
import { settingFindings } from '../../../src/lib/plan/settings.ts';

const limit = (warn: number | string | null) => ({ warn, critical: null });
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

/** A spec of these queues with these limits, reached like this. */
const whole = (name: string, health: Record<string, Record<string, unknown>>, connection: object = {}): Spec =>
  ({
    name,
    connection,
    queues: Object.fromEntries(Object.entries(health).map(([queue, limits]) => [queue, { health: limits }])),
  }) as unknown as Spec;

test.each<{ name: string; before: Spec; now: Spec; want: [resource: string, path: string, change: string][] }>([
  {
    name: 'a limit that goes, and one that comes',
    before: whole('s', { Q: { dead: limit(1) } }),
    now: whole('s', { Q: { dead: limit(null), usage: limit(7e9) } }),
    want: [
      ['stream Q', 'queues.Q.health.dead.warn', '1 → unset'],
      ['stream Q', 'queues.Q.health.usage.warn', 'unset → 7000000000'],
    ],
  },
  {
    name: 'an age that is off has no unit, nor has what is only below an age',
    before: whole('s', { Q: { oldest: { warn: 1e9, critical: 'off', 'a.b': 1 } } }),
    now: whole('s', { Q: { oldest: { warn: 'off', critical: 2e9, 'a.b': 2 } } }),
    want: [
      ['stream Q', 'queues.Q.health.oldest.warn', '1s → "off"'],
      ['stream Q', 'queues.Q.health.oldest.critical', '"off" → 2s'],
      ['stream Q', 'queues.Q.health.oldest.a.b', '1 → 2'],
    ],
  },
  {
    name: 'of several queues each its own, whatever its name',
    before: whole('s', { 'a.health.b': { dead: limit(1) }, B: { dead: limit(1) } }),
    now: whole('s', { 'a.health.b': { dead: limit(2) }, B: { dead: limit(3) } }),
    want: [
      ['stream a.health.b', 'queues.a.health.b.health.dead.warn', '1 → 2'],
      ['stream B', 'queues.B.health.dead.warn', '1 → 3'],
    ],
  },
  {
    name: 'the connection stands with the first queue',
    before: whole('s', { A: {}, B: {} }, { user: 'x' }),
    now: whole('s', { A: {}, B: {} }, { user: 'y', token: undefined }),
    want: [['stream A', 'connection.user', '"x" → "y"']],
  },
  {
    name: 'or, where there is none, with the system; also while a queue goes',
    before: whole('s', { A: { dead: limit(1) } }, { user: 'x' }),
    now: whole('s', {}),
    want: [['stream s', 'connection.user', '"x" → unset']],
  },
  {
    name: 'or with a queue that comes',
    before: whole('s', {}, { user: 'x' }),
    now: whole('s', { A: { dead: limit(1) } }),
    want: [['stream A', 'connection.user', '"x" → unset']],
  },
])('a setting is told as a finding of a queue: $name', ({ before, now, want }) => {
  expect(settingFindings(before, now)).toEqual(
    want.map(([resource, field, change]) => ({
      code: 'setting-changes',
      severity: 'info',
      resource,
      field,
      message: `${field} goes into the ledger with it: ${change}`,
    })),
  );
});
