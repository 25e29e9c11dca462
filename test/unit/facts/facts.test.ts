import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CHECKS_PAGE_FILE, checksPageText } from '../../../scripts/generate/checks-page.ts';
import { CHECK_PAGES, checkCode, withNames } from '../../../src/lib/facts/check-pages.ts';
import { CHECKS } from '../../../src/lib/facts/checks.ts';
import { DEFECTS, defectsOf } from '../../../src/lib/facts/defects.ts';
import { ERR } from '../../../src/lib/facts/err-codes.ts';
import { isKvKey } from '../../../src/lib/facts/kv-key.ts';
import { checkMetric, METRICS } from '../../../src/lib/facts/metrics.ts';
import * as names from '../../../src/lib/facts/names.ts';
import { noRoomOf, ROOM_HINTS } from '../../../src/lib/facts/no-room.ts';
import { CONSUMER_REFUSALS, STREAM_REFUSALS } from '../../../src/lib/facts/refusals.ts';
import { isSubject, SubjectIndex } from '../../../src/lib/facts/subject-index.ts';
import {
  consumerFilters,
  isPlainSubject,
  subjectCovers,
  subjectsOverlap,
  takenSubjects,
} from '../../../src/lib/facts/subjects.ts';
import { isConsumerName, isSeq, isStreamName } from '../../../src/lib/facts/tokens.ts';
import { atLeast, parseVersion } from '../../../src/lib/facts/versions.ts';
import type { Config } from '../../../src/lib/model/json.ts';

describe('subjects', () => {
  test.each([
    { outer: 'a.*', inner: 'a.b', covers: true, overlaps: true },
    { outer: 'a.b', inner: 'a.*', covers: false, overlaps: true },
    { outer: 'a.>', inner: 'a', covers: false, overlaps: false },
    { outer: 'a.>', inner: 'a.b.c', covers: true, overlaps: true },
    { outer: 'a.>', inner: 'b.c', covers: false, overlaps: false },
    { outer: '>', inner: 'a.>', covers: true, overlaps: true },
    { outer: '>', inner: '>', covers: true, overlaps: true },
    { outer: '*', inner: '>', covers: false, overlaps: true },
    { outer: 'a.*', inner: 'a.>', covers: false, overlaps: true },
    { outer: 'a.*.c', inner: '*.b.*', covers: false, overlaps: true },
    { outer: 'a.*.c', inner: 'a.b.d', covers: false, overlaps: false },
    { outer: 'a.b', inner: 'a.b.c', covers: false, overlaps: false },
    { outer: 'a.b.c', inner: 'a.b', covers: false, overlaps: false },
    { outer: 'a.b', inner: 'a.b', covers: true, overlaps: true },
    { outer: 'a.b', inner: 'a.c', covers: false, overlaps: false },
    { outer: 'a', inner: '*', covers: false, overlaps: true },
  ])('$outer against $inner', ({ outer, inner, covers, overlaps }) => {
    expect([subjectCovers(outer, inner), subjectsOverlap(outer, inner), subjectsOverlap(inner, outer)]).toEqual([
      covers,
      overlaps,
      overlaps,
    ]);
  });

  const token = fc.constantFrom('a', 'b', '*');
  const pattern = fc
    .tuple(fc.array(token, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([tokens, isOpen]) => [...tokens, ...(isOpen ? ['>'] : [])].join('.'));

  test('an index finds what a comparison of each with each finds', () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 12 }), fc.oneof(pattern, fc.constant('>')), (all, asked) => {
        const index = new SubjectIndex<number>();
        for (const [at, subject] of all.entries()) index.add(subject, at);
        const found = index.overlapping(asked).map(({ value }) => all[value]);
        expect([...found].sort()).toEqual(all.filter((each) => subjectsOverlap(each, asked)).sort());
      }),
    );
  });

  test('an index gives each of two that were added alike', () => {
    const index = new SubjectIndex<number>();
    index.add('a.b', 1);
    index.add('a.b', 2);
    expect(index.overlapping('a.*')).toEqual([
      { subject: 'a.b', value: 1 },
      { subject: 'a.b', value: 2 },
    ]);
  });

  test.each([
    ['a', true],
    ['a.*.>', true],
    ['>', true],
    ['', false],
    ['.a', false],
    ['a.', false],
    ['a..b', false],
    ['a.>.b', false],
    ['a b', false],
    ['a\tb', false],
    ['a\u0000b', false],
    ['a>', true],
  ])('%j as a subject: %s', (subject, is) => {
    expect(isSubject(subject)).toBe(is);
  });

  test.each([
    ['a', true],
    ['a.b', true],
    ['a*b.c>', true],
    ['', false],
    ['a..b', false],
    ['.a', false],
    ['a.*', false],
    ['a.>', false],
    ['*.a', false],
    ['a b', false],
    ['a\u0000', false],
    ['a\ufffd', false],
    ['a'.repeat(3900), true],
    ['a'.repeat(3901), false],
    ['é'.repeat(1950), true],
    [`${'é'.repeat(1950)}a`, false],
  ])('one message can have the subject %j: %s', (subject, is) => {
    expect(isPlainSubject(subject)).toBe(is);
  });

  test.each<[Config, string[]]>([
    [{}, []],
    [{ filter_subject: '' }, []],
    [{ filter_subject: 'a' }, ['a']],
    [{ filter_subjects: ['a', 'b'] }, ['a', 'b']],
    [{ filter_subject: '', filter_subjects: ['a'] }, ['a']],
  ])('a consumer of %j filters %j', (config, filters) => {
    expect(consumerFilters(config)).toEqual(filters);
  });

  test.each([
    [{ subjects: ['a', 'b'] }, ['a', 'b']],
    [{ subjects: [] }, ['S']],
    [{}, ['S']],
    [{ subjects: 'a' }, ['S']],
  ])('a stream S of %j takes %j', (config, taken) => {
    expect(takenSubjects('S', config)).toEqual(taken);
  });
});

describe('names', () => {
  test.each([
    ['S', true, true],
    ['S-1_ä', true, true],
    ['s'.repeat(255), true, true],
    ['s'.repeat(256), false, false],
    ['', false, false],
    ['a b', false, false],
    ['a.b', false, false],
    ['a*', false, false],
    ['a>', false, false],
    ['a\u001bb', true, true],
    ['a\u00a0b', true, true],
    ['a\0b', false, false],
    ['a\tb', false, false],
    ['a\fb', false, false],
    ['a\rb', false, false],
    ['a\nb', false, false],
    ['a/b', true, false],
    ['a\\b', true, false],
    [7, false, false],
    [undefined, false, false],
  ])('%j as a stream’s: %s, as a consumer’s: %s', (name, stream, consumer) => {
    expect([isStreamName(name), isConsumerName(name)]).toEqual([stream, consumer]);
  });

  test.each([
    [0, false],
    [1, true],
    [2 ** 53 - 1, true],
    [2 ** 53, false],
    [1.5, false],
    ['1', false],
  ])('%j as a sequence: %s', (seq, is) => {
    expect(isSeq(seq)).toBe(is);
  });

  test.each([
    ['a-b/_=.C9', true],
    ['k'.repeat(512), true],
    ['k'.repeat(513), false],
    ['', false],
    ['.a', false],
    ['a.', false],
    ['a..b', false],
    ['a b', false],
    ['é', false],
    ['a:b', false],
  ])('%j as a key: %s', (key, is) => {
    expect(isKvKey(key)).toBe(is);
  });

  test.each([
    ['JS_MIRROR_abcDEF12', {}, true],
    ['JS_SRC_abcDEF12', {}, true],
    ['JS_SRC_abcDEF1', {}, false],
    ['JS_SRC_abcDEF123', {}, false],
    ['JS_SRC_abcDEF-2', {}, false],
    ['my_JS_SRC_abcDEF12', {}, false],
    ['JS_OTHER_abcDEF12', {}, false],
    ['copier', { ack_policy: 'flow_control' }, true],
    ['copier', { sourcing: true }, true],
    ['copier', { ack_policy: 'explicit', sourcing: false }, false],
    ['copier', undefined, false],
  ])('the consumer %s with %j is the server’s own: %s', (consumer, config, is) => {
    expect(names.isServersOwn(consumer, config)).toBe(is);
  });

  // What is written under these names on a server outlives this version of the tool.
  test('are what they always were', () => {
    expect({
      ...names,
      advisorySubject: names.advisorySubject('terminated', 'Q', 'w'),
      advisoriesOf: names.advisorySubject('max_deliveries', 'Q'),
      bucketStream: names.bucketStream('b'),
      rejectedSubject: names.rejectedSubject('Q', 'w'),
      dlqSubjects: names.dlqSubjects('Q', ['max_deliveries', 'terminated']),
      dlqSubjectsOfOne: names.dlqSubjects('Q', ['max_deliveries']),
      journalSubject: names.journalSubject('Q', 7, '2026-01-02T03:04:05.6Z'),
      journalSubjects: names.journalSubjects('Q'),
      failureKey: names.failureKey('Q', 7),
      bucketSubjects: names.bucketSubjects('b'),
      movingSubject: names.movingSubject('Q/w'),
      movingName: names.movingName('Q'),
      rejectedSubjects: names.rejectedSubject('Q'),
    }).toMatchObject({
      MOVING_PREFIX: 'osapi-ops.moving.',
      MOVING_KEY: 'osapi-ops.moving',
      bucketSubjects: '$KV.b.>',
      movingSubject: 'osapi-ops.moving.Q.w',
      movingName: 'Q_moving',
      rejectedSubjects: 'osapi-ops.rejected.Q.*',
      OWNER_KEY: 'osapi-ops.owner',
      OWN_PREFIX: 'osapi-ops.',
      SERVER_PREFIX: '_nats.',
      MONITOR_PREFIX: 'io.nats.monitor.',
      MONITOR: {
        enabled: 'io.nats.monitor.enabled',
        backlog: 'io.nats.monitor.unprocessed-critical',
        peers: 'io.nats.monitor.peer-expect',
        lag: 'io.nats.monitor.peer-lag-critical',
        seen: 'io.nats.monitor.peer-seen-critical',
      },
      REPLICA_LAG: 200,
      RESPONSES_BUCKET: 'responses',
      LEDGER_BUCKET: 'osapi_ops',
      KV_PREFIX: 'KV_',
      ADVISORY: {
        max_deliveries: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES',
        terminated: '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED',
      },
      REJECTED_PREFIX: 'osapi-ops.rejected',
      REJECT_HEADER: {
        reason: 'Osapi-Reject-Reason',
        stream: 'Osapi-Reject-Stream',
        consumer: 'Osapi-Reject-Consumer',
        seq: 'Osapi-Reject-Seq',
        subject: 'Osapi-Reject-Subject',
        time: 'Osapi-Reject-Time',
        deliveries: 'Osapi-Reject-Deliveries',
      },
      REJECT_KEPT: 'Osapi-Reject-Kept-',
      IMPORT_HEADER: {
        reason: 'Osapi-Import-Reason',
        detail: 'Osapi-Import-Detail',
        published: 'Osapi-Import-Published',
      },
      IMPORT_ID: 'osapi-ops.import.',
      REPLAY_HEADER: { of: 'Osapi-Replay-Of', count: 'Osapi-Replay-Count', originalMsgId: 'Osapi-Original-Msg-Id' },
      advisorySubject: '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.Q.w',
      advisoriesOf: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.Q.*',
      bucketStream: 'KV_b',
      rejectedSubject: 'osapi-ops.rejected.Q.w',
      dlqSubjects: [
        '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.Q.*',
        '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.Q.*',
        'osapi-ops.rejected.Q.*',
      ],
      dlqSubjectsOfOne: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.Q.*'],
      journalSubject: '$KV.osapi_ops.journal.Q.7.202601020304056',
      journalSubjects: '$KV.osapi_ops.journal.Q.>',
      failureKey: 'failure.Q.7',
    });
  });
});

describe('versions', () => {
  test.each([
    ['2.15.1', [2, 15, 1]],
    ['v2.12', [2, 12, 0]],
    [' 2.11.0-RC.2 ', [2, 11, 0]],
    ['12.34.56', [12, 34, 56]],
    ['nats 2.12', [0, 0, 0]],
    ['2', [0, 0, 0]],
    ['', [0, 0, 0]],
  ])('%j reads as %j', (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  test.each([
    ['2.9.0', '2.10.0', false],
    ['2.12.10', '2.12.9', true],
    ['2.12.9', '2.12.9', true],
    ['2.12.8', '2.12.9', false],
    ['v2.15.0-RC.1', '2.15.0', true],
    ['3.0.0', '2.15.1', true],
    ['1.99.99', '2.0.0', false],
  ])('%s is at least %s: %s', (version, least, is) => {
    expect(atLeast(version, least)).toBe(is);
  });
});

describe('defects', () => {
  const one = { replicas: 1, clustered: false };
  const cluster = { replicas: 3, clustered: true };

  test.each([
    ['2.9.99', cluster, []],
    ['2.10.25', cluster, ['dead-letters-lost', 'interest-dead-letters-lost', 'redelivered-leaks', 'fields-ignored']],
    ['2.10.25', one, ['redelivered-leaks', 'fields-ignored']],
    [
      '2.10.25',
      { replicas: 2, clustered: false },
      ['interest-dead-letters-lost', 'redelivered-leaks', 'fields-ignored'],
    ],
    ['2.10.26', cluster, ['dead-letters-lost', 'redelivered-leaks', 'fields-ignored']],
    ['2.11.0', one, ['redelivered-leaks', 'ids-forgotten', 'fields-ignored']],
    ['2.11.99', one, ['redelivered-leaks', 'ids-forgotten', 'fields-ignored']],
    ['2.12.0', one, []],
    ['2.12.8', cluster, ['dead-letters-lost']],
    ['2.12.9', cluster, []],
    ['2.12.99', cluster, []],
    ['2.13.0', cluster, ['dead-letters-lost']],
    ['2.14.0', cluster, ['dead-letters-lost']],
    ['2.14.0', one, []],
    ['2.14.1', cluster, []],
    ['2.15.0', one, ['replicas-in-turn']],
    ['2.99.0', one, ['replicas-in-turn']],
  ])('of %s with %j: %j', (version, scope, ids) => {
    expect(defectsOf({ version, ...scope }).map(({ id }) => id)).toEqual(ids);
  });

  test('warn only where messages can be lost', () => {
    expect(DEFECTS.filter(({ severity }) => severity !== 'note').map(({ id, severity }) => [id, severity])).toEqual([
      ['dead-letters-lost', 'warn'],
    ]);
  });
});

test('each check has a title, a sentence and a unit where it counts', () => {
  expect(
    Object.fromEntries(Object.entries(CHECKS).map(([name, check]) => [name, 'unit' in check ? check.unit : ''])),
  ).toMatchObject({
    connection: 'milliseconds',
    server: '',
    defects: 'entries',
    storage: 'percent',
    resources: 'resources',
    drift: 'resources',
    replicas: 'messages',
    usage: 'percent',
    backlog: 'messages',
    oldest: 'seconds',
    in_flight: 'percent',
    pulling: 'seconds',
    paused: '',
    redelivery: 'percent',
    copies: 'messages',
    expired: 'messages',
    uncovered: 'messages',
    dead: 'messages',
    dying: 'messages',
    orphans: 'messages',
    dlq: 'percent',
    responses: 'percent',
  });
  const titles = Object.values(CHECKS).map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  expect(titles.filter((title: string) => title === '')).toEqual([]);
});

test('what is done about each check stands in docs/checks.md (mend: npm run docs)', () => {
  expect(readFileSync(CHECKS_PAGE_FILE, 'utf8')).toBe(checksPageText());
});

test('how long each check may last before somebody is called', () => {
  expect(Object.fromEntries(Object.entries(CHECK_PAGES).map(([name, { patience }]) => [name, patience]))).toEqual({
    ...{ connection: '10m', server: '1h', defects: '1h', storage: '5m', resources: '1m', drift: '15m' },
    ...{ migration: '15m', replicas: '2m', usage: '5m', backlog: '10m', uncovered: '10m', oldest: '5m' },
    ...{ in_flight: '5m', pulling: '5m', paused: '1h', redelivery: '5m', dead: '1m', dying: '15m', orphans: '5m' },
    ...{ expired: '1h', copies: '15m', dlq: '15m', responses: '5m' },
  });
});

test.each([
  ['nats consumer info QUEUE CONSUMER', 'nats consumer info Q w'],
  ['QUEUE QUEUE', 'Q Q'],
  ['MYQUEUE CONSUMERS', 'MYQUEUE CONSUMERS'],
])('the names of a line to type: %s', (text, want) => {
  expect(withNames(text, 'Q', 'w')).toBe(want);
  expect(withNames('a CONSUMER', 'Q')).toBe('a ');
  expect(checkCode('in_flight')).toBe('CHECK_IN_FLIGHT');
});

// Dashboards and alerts of others go by them.
test('gauges are what they always were', () => {
  expect(Object.values(METRICS).map(({ name }) => name.replace('osapi_ops_', ''))).toEqual([
    ...['up', 'health_status', 'check_status', 'drift_changes', 'queue_messages', 'queue_dead_least_messages'],
    ...['queue_parked_messages', 'queue_oldest_waiting_seconds', 'queue_clears_in_seconds', 'queue_full_in_seconds'],
    ...['queue_stalled_seconds', 'queue_responses'],
  ]);
  expect(
    Object.values(METRICS).filter(({ name, help }) => !name.startsWith('osapi_ops_') || !help.endsWith('.')),
  ).toEqual([]);
});

test('no two err_codes are one', () => {
  expect(new Set(Object.values(ERR)).size).toBe(Object.values(ERR).length);
});

test.each([
  [10002, 'insufficient resources', 'account'],
  [10023, 'insufficient resources', 'server'],
  [10028, 'insufficient memory resources', 'server'],
  [10047, 'insufficient storage resources', 'server'],
  [10049, 'error creating store for stream', 'disk'],
  [10049, 'no main key in a restored stream', undefined],
  [10077, 'maximum messages exceeded', 'stream'],
  [10077, 'maximum bytes exceeded', 'stream'],
  [10077, 'the maximum bytes', undefined],
  [10077, 'write: no space left on device', 'disk'],
  [0, 'Disk quota exceeded', 'disk'],
  [10058, 'stream name already in use', undefined],
])('%d %s: there is no room in %s', (code, description, where) => {
  expect(noRoomOf(code, description)).toBe(where);
  if (where)
    expect(ROOM_HINTS[where as keyof typeof ROOM_HINTS].filter((hint) => hint !== '').length).toBeGreaterThan(0);
});

test.each([
  ['connection', 'osapi_ops_connection_seconds', 0.001],
  ['oldest', 'osapi_ops_oldest_seconds', 1],
  ['usage', 'osapi_ops_usage_ratio', 0.01],
  ['dead', 'osapi_ops_dead_messages', 1],
  ['resources', 'osapi_ops_resources_count', 1],
  ['defects', 'osapi_ops_defects_count', 1],
] as const)('the check %s has the gauge %s, its value times %d', (name, gauge, factor) => {
  expect(checkMetric(name)).toEqual({ name: gauge, help: CHECKS[name].doc, factor });
  expect(checkMetric('paused')).toBeUndefined();
});

describe('what every server refuses', () => {
  const first = (found: readonly { field: string; code: number }[]) =>
    found.map(({ field, code }) => `${field} ${code}`);
  test.each<[keyof typeof STREAM_REFUSALS, Config, string[]]>([
    ['windowOverAge', { max_age: 10, duplicate_window: 11 }, ['duplicate_window 10052']],
    ['windowOverAge', { max_age: 10, duplicate_window: 10 }, []],
    ['windowOverAge', { duplicate_window: 11 }, []],
    ['windowOverAge', { max_age: 10 }, []],
    ['perSubjectAlone', { discard_new_per_subject: true, discard: 'new', max_msgs_per_subject: 1 }, []],
    ['perSubjectAlone', { discard_new_per_subject: true, discard: 'new' }, ['discard_new_per_subject 10052']],
    [
      'perSubjectAlone',
      { discard_new_per_subject: true, discard: 'old', max_msgs_per_subject: 1 },
      ['discard_new_per_subject 10052'],
    ],
    ['perSubjectAlone', { discard: 'new' }, []],
    ['rollupWithoutPurge', { deny_purge: true }, []],
    ['rollupWithoutPurge', { allow_rollup_hdrs: true }, []],
    ['rollupWithoutPurge', { deny_purge: true, allow_rollup_hdrs: true }, ['deny_purge 10052']],
    ['rollupWithoutPurge', { deny_purge: true, allow_msg_schedules: true }, ['deny_purge 10052']],
    ['rollupWithoutPurge', { deny_purge: true, subject_delete_marker_ttl: 1 }, ['deny_purge 10052']],
    ['needsDiscardOld', { discard: 'new', allow_msg_schedules: true }, ['allow_msg_schedules 10052']],
    ['needsDiscardOld', { discard: 'new', allow_msg_counter: true }, ['allow_msg_counter 10052']],
    ['needsDiscardOld', { discard: 'old', allow_msg_counter: true }, []],
  ])('of a stream: %s of %j is %j', (rule, config, refused) => {
    expect(first(STREAM_REFUSALS[rule](config))).toEqual(refused);
  });

  const work = { retention: 'workqueue' };
  test.each<[keyof typeof CONSUMER_REFUSALS, Config, Config, string[]]>([
    ['backoffOverTries', { backoff: [1, 2], max_deliver: 1 }, {}, ['backoff 10116']],
    ['backoffOverTries', { backoff: [1, 2], max_deliver: 2 }, {}, []],
    ['backoffOverTries', { backoff: [1, 2], max_deliver: -1 }, {}, []],
    ['backoffOverTries', { backoff: [1, 2] }, {}, []],
    ['backoffOverTries', { max_deliver: 1 }, {}, []],
    ['deliversNotAll', { deliver_policy: 'new' }, work, ['deliver_policy 10101']],
    ['deliversNotAll', { deliver_policy: 'new' }, { retention: 'limits' }, []],
    ['deliversNotAll', {}, work, []],
    ['acksNotEach', { ack_policy: 'all' }, work, ['ack_policy 10098']],
    ['acksNotEach', { ack_policy: 'all' }, {}, []],
    ['acksNotEach', {}, work, []],
    ['overLimits', { max_ack_pending: 11 }, { consumer_limits: { max_ack_pending: 10 } }, ['max_ack_pending 10121']],
    ['overLimits', { max_ack_pending: 10 }, { consumer_limits: { max_ack_pending: 10 } }, []],
    ['overLimits', { max_ack_pending: -1 }, { consumer_limits: { max_ack_pending: 10 } }, []],
    ['overLimits', { max_ack_pending: 11 }, { consumer_limits: { max_ack_pending: 0 } }, []],
    ['overLimits', { max_ack_pending: 11 }, {}, []],
    [
      'overLimits',
      { inactive_threshold: 11 },
      { consumer_limits: { inactive_threshold: 10 } },
      ['inactive_threshold 10153'],
    ],
  ])('of a consumer: %s of %j beside %j is %j', (rule, config, stream, refused) => {
    expect(first(CONSUMER_REFUSALS[rule](config, stream))).toEqual(refused);
  });
});
