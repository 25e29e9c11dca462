import { expect, test } from '@jest/globals';
import type { DeadState, QueueState, StreamState } from '../../../src/lib/health/snapshot.ts';
import type { Config } from '../../../src/lib/model/json.ts';
import type { StreamFigures } from '../../../src/lib/model/resource.ts';
import { consumerOf, deadOf, NOW, streamOf } from './builders.ts';
import { judged, namesOf, queue } from './judged.ts';

const MIB = 1024 ** 2;
const QUEUE = { resource: 'REQUESTS' } as const;
const ONE = { warn: 1, critical: null };
const dead = (state: Partial<DeadState>, fields: Partial<QueueState> = {}) =>
  queue({ deadState: deadOf(state), ...fields });
const named = (name: string, figures: Partial<StreamFigures>, config: Config = {}): StreamState & { name: string } => ({
  name,
  ...streamOf(figures, config),
});

const DEAD = {
  id: 'REQUESTS.dead',
  name: 'dead',
  ...QUEUE,
  threshold: { warn: 1, critical: 100 },
  next: 'osapi-ops dlq stats --queue REQUESTS',
};
const LS = 'osapi-ops dlq ls --queue REQUESTS';
judged(DEAD, [
  { name: 'none', of: dead({}), status: 'ok', value: 0, says: 'nothing is dead' },
  {
    name: 'none, and that by arithmetic',
    of: dead({ exact: false, dying: 1 }),
    status: 'ok',
    value: 0,
    says: 'nothing is dead',
  },
  { name: 'one', of: dead({ dead: 1 }), status: 'warn', value: 1, says: '1 message is dead', next: LS },
  { name: 'a screen', of: dead({ dead: 20 }), status: 'warn', value: 20, says: '20 messages are dead', next: LS },
  { name: 'more than a screen', of: dead({ dead: 21 }), status: 'warn', value: 21, says: '21 messages are dead' },
  { name: '99', of: dead({ dead: 99 }), status: 'warn', value: 99, says: '99 messages are dead' },
  { name: '100', of: dead({ dead: 100 }), status: 'critical', value: 100, says: '100 messages are dead' },
  {
    name: 'one, and since when',
    of: dead({ dead: 1, oldestDiedAt: NOW - 8_040_000, lastHour: 1 }),
    status: 'warn',
    value: 1,
    says: '1 message is dead (the oldest for 2h14m, 1 within the last hour)',
    next: LS,
  },
  {
    name: 'nobody looked at the last hour',
    of: dead({ dead: 1, oldestDiedAt: NOW - 86_400_000 }),
    status: 'warn',
    value: 1,
    says: '1 message is dead (the oldest for 1d)',
    next: LS,
  },
  {
    name: 'of none is told when it died',
    of: dead({ dead: 1, lastHour: 0 }),
    status: 'warn',
    value: 1,
    says: '1 message is dead',
    next: LS,
  },
  {
    name: 'none, and one that was answered is still stored',
    of: dead({ answered: 1 }),
    status: 'ok',
    value: 0,
    says: 'nothing is dead; 1 is answered and still stored (dlq purge --state gone archives and removes it)',
  },
  {
    name: 'some, and some that were answered',
    of: dead({ dead: 2, answered: 2 }),
    status: 'warn',
    value: 2,
    says: '2 messages are dead; 2 are answered and still stored (dlq purge --state gone archives and removes them)',
    next: LS,
  },
  {
    name: 'one rejected',
    of: dead({ rejected: 1 }),
    status: 'warn',
    value: 1,
    says: '1 message is dead (kept in the DLQ with the payload)',
    next: LS,
  },
  {
    name: 'all there is to tell',
    of: dead({
      dead: 57,
      rejected: 40,
      journalled: 3,
      held: 5,
      exact: false,
      steady: false,
      oldestDiedAt: NOW - 45_000,
      lastHour: 7,
    }),
    status: 'critical',
    value: 100,
    says: '100 messages are dead (40 kept in the DLQ with the payload, 3 in the journal of a replay that has not ended, the oldest for 45s, 7 within the last hour, by arithmetic: which were answered was not looked into, up to 5 of them kept for a mirror or source only, about: the figures move)',
  },
  {
    name: 'the dead and the rejected are the limit together',
    of: dead({ dead: 59, rejected: 40 }),
    status: 'warn',
    value: 99,
    says: '99 messages are dead (40 kept in the DLQ with the payload)',
  },
  {
    name: 'all in a journal: the replay goes on',
    of: dead({ journalled: 2 }),
    status: 'warn',
    value: 2,
    says: '2 messages are dead (in the journal of a replay that has not ended)',
    next: 'osapi-ops dlq replay --queue REQUESTS',
  },
]);
judged({ id: 'REQUESTS.dead', name: 'dead', ...QUEUE, next: 'osapi-ops dlq ls --queue REQUESTS' }, [
  {
    name: 'how many is not known',
    of: queue({ dlq: named('dlq', { messages: 5 }), deadState: deadOf({ unknown: '5 records were not looked into' }) }),
    status: 'unknown',
    says: 'how many are dead is not known: 5 records were not looked into',
  },
  {
    name: 'more may be dead than is tolerated',
    of: dead({ unknown: 'x', dead: 1 }, { dlq: named('dlq', { messages: 5 }) }),
    status: 'warn',
    says: 'how many are dead is not known: x',
  },
  {
    name: 'so many are dead for certain that more change nothing',
    of: dead({ unknown: 'x', dead: 200, least: 100 }, { dlq: named('dlq', { messages: 5 }) }),
    status: 'critical',
    says: 'how many are dead is not known, at least 100: x',
  },
  {
    name: 'nobody tells how many',
    of: dead({ unknown: 'there is no DLQ' }),
    status: 'unknown',
    says: 'how many are dead is not known: there is no DLQ',
    next: 'give the queue a dlq in the spec, and apply it',
  },
]);
test('of dead that are not known nothing else is said', () => {
  expect(namesOf(dead({ unknown: 'x', dying: 1 })).filter((name) => /^(dying|orphans|expired)$/.test(name))).toEqual(
    [],
  );
});

judged(
  {
    id: 'REQUESTS.dying',
    name: 'dying',
    ...QUEUE,
    threshold: ONE,
    next: 'start a worker: what is due dies with its first question, and can be replayed then',
  },
  [
    { name: 'none', of: dead({}), status: 'ok', value: 0, says: 'nothing is dying' },
    {
      name: 'one',
      of: dead({ dying: 1 }),
      status: 'warn',
      value: 1,
      says: 'up to 1 message is past the last ack wait: dead when the next worker asks',
    },
    {
      name: 'two',
      of: dead({ dying: 2 }),
      status: 'warn',
      value: 2,
      says: 'up to 2 messages are past the last ack wait: dead when the next worker asks',
    },
  ],
);

const ORPHANS = { id: 'REQUESTS.orphans', name: 'orphans', ...QUEUE, threshold: { warn: null, critical: 1 } };
const withDlq = { dlq: named('dlq', { messages: 1 }, { subjects: ['$JS.EVENT.ADVISORY.CONSUMER.*.REQUESTS.*'] }) };
judged({ ...ORPHANS, next: 'osapi-ops dlq rebuild' }, [
  { name: 'nothing dead', of: dead({}, withDlq), status: 'ok', value: 0, says: 'nothing is dead' },
  {
    name: 'nothing dead in the queue, and that by arithmetic',
    of: dead({ rejected: 9, orphans: undefined, exact: false }, withDlq),
    status: 'ok',
    says: 'nothing is dead',
  },
  { name: 'none', of: dead({ dead: 1 }, withDlq), status: 'ok', value: 0, says: 'all dead have an entry' },
  {
    name: 'one',
    of: dead({ dead: 2, orphans: 1 }, withDlq),
    status: 'critical',
    value: 1,
    says: '1 of 2 dead have no entry in the DLQ',
  },
  {
    name: 'one by arithmetic',
    of: dead({ dead: 2, orphans: 1, exact: false }, withDlq),
    status: 'critical',
    value: 1,
    says: 'at least 1 of 2 dead have no entry in the DLQ',
  },
]);
judged({ ...ORPHANS, next: 'give the queue a dlq in the spec, and apply it' }, [
  {
    name: 'without a DLQ',
    of: dead({ dead: 2, orphans: 2 }),
    status: 'critical',
    value: 2,
    says: '2 of 2 dead have no DLQ to have an entry in',
  },
  ...[['requests_dlq-stream'], ['$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.REQUESTS.*'], []].map((subjects) => ({
    name: `with a stream of ${subjects} alone, which takes no entry`,
    of: dead({ dead: 2, orphans: 1 }, { dlq: named('requests_dlq-stream', { messages: 1 }, { subjects }) }),
    status: 'critical' as const,
    value: 1,
    says: '1 of 2 dead have no DLQ to have an entry in',
  })),
]);
judged(
  { ...ORPHANS, next: 'osapi-ops dlq ls --queue REQUESTS' },
  [
    { orphans: 0, exact: false },
    { orphans: undefined, exact: false },
    { orphans: undefined, exact: true },
  ].map((state) => ({
    name: `${state.orphans} found, exact: ${state.exact}`,
    of: dead({ dead: 9, ...state }),
    status: 'unknown',
    says: 'whether all 9 dead have an entry was not looked into',
  })),
);
test.each([
  ['limits', false],
  ['interest', false],
  ['workqueue', true],
])('that the dead of a stream of retention %s have entries is judged: %s', (retention, isJudged) => {
  expect(namesOf(dead({}, { stream: streamOf({}, { retention }) })).includes('orphans')).toBe(isJudged);
});
test('a queue that went while it was looked at has dead, and no orphans', () => {
  expect(namesOf(dead({}, { stream: undefined }))).not.toContain('orphans');
});

judged(
  {
    id: 'REQUESTS.expired',
    name: 'expired',
    ...QUEUE,
    threshold: ONE,
    next: 'osapi-ops dlq ls --queue REQUESTS --state gone',
  },
  [
    { name: 'nobody looked', of: dead({}), status: 'ok', says: 'what died and expired was not looked into' },
    { name: 'none', of: dead({ expired: 0 }), status: 'ok', value: 0, says: 'nothing that died has expired' },
    {
      name: 'one',
      of: dead({ expired: 1 }),
      status: 'warn',
      value: 1,
      says: '1 request died and expired (max_age): nothing is left to bring back',
    },
  ],
);

const copied = (pending: number, ackPending: number) =>
  dead({}, { copies: [consumerOf({ name: 'mirror', pending, ackPending })] });
judged(
  {
    id: 'REQUESTS/mirror.copies',
    name: 'copies',
    resource: 'REQUESTS/mirror',
    threshold: ONE,
    next: 'nats stream info REQUESTS',
  },
  [
    { name: 'none behind', of: copied(0, 0), status: 'ok', value: 0, says: 'the mirror or source has all' },
    {
      name: 'one to take',
      of: copied(1, 0),
      status: 'warn',
      value: 1,
      says: 'a mirror or source is 1 message behind: what it has not taken stays stored, answered or not',
    },
    {
      name: 'some to take, some on the way',
      of: copied(3, 2),
      status: 'warn',
      value: 5,
      says: 'a mirror or source is 5 messages behind: what it has not taken stays stored, answered or not',
    },
  ],
);

const DLQ = { id: 'dlq.dlq', name: 'dlq', resource: 'dlq', next: 'osapi-ops dlq ls --queue REQUESTS' };
const dlq = (figures: Partial<StreamFigures>, config: Config = {}, state?: Partial<DeadState>) =>
  queue({ dlq: named('dlq', figures, config), deadState: state && deadOf(state) });
judged({ ...DLQ, threshold: { warn: 70, critical: 90 } }, [
  {
    name: 'room',
    of: dlq({ messages: 699 }, { max_msgs: 1000 }),
    status: 'ok',
    value: 69.9,
    says: '699 of max_msgs 1000 (69.9 %)',
  },
  {
    name: 'little room',
    of: dlq({ messages: 700 }, { max_msgs: 1000 }),
    status: 'warn',
    value: 70,
    says: '700 of max_msgs 1000 (70 %); new entries are lost when it is full',
  },
  {
    name: 'nearly full, and it drops its oldest',
    of: dlq({ messages: 900 }, { max_msgs: 1000, discard: 'old' }),
    status: 'critical',
    value: 90,
    says: '900 of max_msgs 1000 (90 %); the oldest entries go when it is full',
  },
  {
    name: 'of two limits the nearest, the first',
    of: dlq({ messages: 8, bytes: MIB }, { max_msgs: 10, max_bytes: 10 * MIB }),
    status: 'warn',
    value: 80,
    says: '8 of max_msgs 10 (80 %); new entries are lost when it is full',
  },
  {
    name: 'of two limits the nearest, the second',
    of: dlq({ messages: 1, bytes: 2.5 * MIB }, { max_msgs: 10, max_bytes: 10 * MIB }),
    status: 'ok',
    value: 25,
    says: '2.5 MiB of max_bytes 10.0 MiB (25 %)',
  },
]);
const aged = (age: number, config: Config = { max_age: 100e9 }) =>
  dlq({ messages: 1 }, config, { oldestDiedAt: NOW - age });
judged(DLQ, [
  { name: 'no limit', of: dlq({ messages: 1 }), status: 'ok', says: '1 record, no limit' },
  {
    name: 'limits of none',
    of: dlq({ messages: 2, bytes: 5 }, { max_msgs: 0, max_bytes: -1 }),
    status: 'ok',
    says: '2 records, no limit',
  },
  {
    name: 'one that is no dead letter',
    of: dlq({ messages: 2 }, {}, { foreign: 1 }),
    status: 'ok',
    says: '2 records, no limit; 1 message in it is no dead letter',
  },
  {
    name: 'two of them',
    of: dlq({ messages: 2 }, {}, { foreign: 2 }),
    status: 'ok',
    says: '2 records, no limit; 2 messages in it are no dead letter',
  },
  { name: 'none of them', of: dlq({ messages: 2 }, {}, { foreign: 0 }), status: 'ok', says: '2 records, no limit' },
  { name: 'nine tenths of max_age', of: aged(90_000), status: 'ok', says: '1 record, no limit' },
  {
    name: 'more of max_age',
    of: aged(90_001),
    status: 'warn',
    says: '1 record, no limit; the oldest entry is forgotten in 10s (max_age)',
  },
  { name: 'a max_age of none', of: aged(90_001, { max_age: 0 }), status: 'ok', says: '1 record, no limit' },
  { name: 'no max_age', of: aged(90_001, {}), status: 'ok', says: '1 record, no limit' },
  { name: 'nothing dead', of: dlq({ messages: 1 }, { max_age: 1 }, {}), status: 'ok', says: '1 record, no limit' },
]);
judged({ ...DLQ, threshold: { warn: 70, critical: 90 } }, [
  {
    name: 'both full and old',
    of: dlq({ messages: 9 }, { max_msgs: 10, max_age: 100e9 }, { oldestDiedAt: NOW - 95_000 }),
    status: 'critical',
    value: 90,
    says: '9 of max_msgs 10 (90 %); new entries are lost when it is full; the oldest entry is forgotten in 5s (max_age)',
  },
]);

const RESPONSES = { id: 'answers.responses', name: 'responses', resource: 'answers', next: 'nats kv status answers' };
const bucket = (figures: Partial<StreamFigures>, config: Config = {}) =>
  queue({ responses: named('answers', figures, config) });
judged({ ...RESPONSES, threshold: { warn: 70, critical: 90 } }, [
  {
    name: 'room',
    of: bucket({ bytes: 699 }, { max_bytes: 1000 }),
    status: 'ok',
    value: 69.9,
    says: '699 B of max_bytes 1000 B (69.9 %)',
  },
  {
    name: 'little room',
    of: bucket({ bytes: 700 }, { max_bytes: 1000 }),
    status: 'warn',
    value: 70,
    says: '700 B of max_bytes 1000 B (70 %); a full bucket takes no more responses (10077)',
  },
]);
judged(RESPONSES, [{ name: 'no limit', of: bucket({ messages: 1 }), status: 'ok', says: '1 response kept, no limit' }]);

test('a queue whose dead nobody can tell has no check of them', () => {
  const without = namesOf(queue({})).filter((name) => !/^(dead|dying|orphans|expired)$/.test(name));
  expect(namesOf(queue({ deadState: undefined }))).toStrictEqual(without);
});
