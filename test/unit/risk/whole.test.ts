import { describe, expect, test } from '@jest/globals';
import type { Finding, LastApplied } from '../../../src/lib/model/plan.ts';
import { makePlan } from '../../../src/lib/plan/make-plan.ts';
import { coversStream, givenUp } from '../../../src/lib/risk/dead.ts';
import { refusals } from '../../../src/lib/risk/judge.ts';
import { live, server, spec, want } from '../plan/builders.ts';
import { type Case, type Fields, findings, line, QUEUE, S, told } from './told.ts';

interface Row extends Case {
  readonly name: string;
  readonly says: readonly string[];
  readonly hint?: string;
}

const check = ({ says, hint, ...each }: Row): void => {
  const found = findings(each);
  expect(found.map(line)).toEqual(says);
  if (hint !== undefined) expect(found[0]?.hint).toBe(hint);
};

const WORKER = { ack_policy: 'explicit', max_deliver: 10 };
const AGAIN = { ...WORKER, replay_policy: 'original' };
const refuses = (field: string, message: string, of = 'stream S'): string =>
  `refuse RISK_SERVER_REFUSES ${field}: ${of}: ${message}`;

describe('whose it is', () => {
  const to = { ...QUEUE, description: 'new' };
  test.each<Row>([
    {
      name: 'nobody’s',
      from: QUEUE,
      to,
      live: { owner: null },
      says: ['refuse RISK_OWNERSHIP --adopt: stream S exists already and carries no owner mark'],
    },
    {
      name: 'another system’s',
      from: QUEUE,
      to,
      live: { owner: 'billing' },
      says: ['refuse RISK_OWNERSHIP --adopt: stream S belongs to billing'],
      hint: 'ask whoever keeps billing, or take it out of one of the two specs',
    },
    { name: 'ours', from: QUEUE, to, says: [] },
  ])('$name', check);
});

describe('a consumer that is made anew after somebody deleted it', () => {
  const key = 'consumer S/w';
  const text = (
    config: Fields,
    {
      messages = 16,
      applied = true,
      to = {},
      was = {},
      stream = 'stream S' as const,
      workers = 0,
      records = [] as number[],
    } = {},
  ) => {
    const lastApplied = { system: 'osapi', configs: applied ? { [key]: WORKER } : {} } as LastApplied;
    const dlq = { subjects: ['$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.*'] };
    const dlqs = records.map((count, at) => live(`stream S_dlq${at || ''}`, dlq, { figures: { messages: count } }));
    const queue = live(stream, { ...config, ...was }, { figures: { messages, consumer_count: workers } });
    const observed = server(messages < 0 ? [] : [queue, ...dlqs]);
    const wanted = records.map((_, at) => want(`stream S_dlq${at || ''}`, dlq));
    const desired = spec(want(stream, config), ...wanted, want(key, { ...WORKER, ...to }));
    return makePlan({ desired, observed, lastApplied }).findings.map(line);
  };
  const again = (count: number, messages: string, which: string) => [
    `warning RISK_REDELIVERY ${count}: consumer S/w was deleted: created anew it delivers up to ${messages} from the first on, ${which} too, with their delivery count at 1; DLQ entries stay`,
  ];

  test('says what it delivers again, and refuses nothing: that is drift', () => {
    expect(text(QUEUE)).toEqual(again(16, '16 stored messages', 'dead ones'));
    expect(text(QUEUE, { messages: 1 })).toEqual(again(1, '1 stored message', 'dead ones'));
    const limits = { ...QUEUE, retention: 'limits' };
    expect(text(limits)).toEqual(again(16, '16 stored messages', 'dead and acknowledged ones'));
  });

  test('of one that was never applied what the DLQ tells of one before it, or that none does', () => {
    const first = (dead: string) => [
      `warning RISK_REDELIVERY 16: consumer S/w delivers up to 16 stored messages from the first on, with their delivery count at 1: ${dead}`,
    ];
    const known = (count: number) => first(`up to ${count} of them dead by the records in S_dlq`);
    expect(text(QUEUE, { applied: false, records: [15] })).toEqual(known(15));
    expect(text(QUEUE, { applied: false, records: [17] })).toEqual(known(16));
    expect(text(QUEUE, { applied: false, records: [0, 3, 4] })).toEqual(
      first('up to 7 of them dead by the records in S_dlq, S_dlq1, S_dlq2'),
    );
    expect(text({ ...QUEUE, retention: 'limits' }, { applied: false, records: [1] })).toEqual(known(1));
    const untold = first('whether some of them died at a consumer before is not known, for no DLQ tells');
    expect(text(QUEUE, { applied: false })).toEqual(untold);
  });

  test('says nothing where nothing was delivered before, or nothing is', () => {
    expect(text(QUEUE, { messages: 0 })).toEqual([]);
    expect(text({ ...QUEUE, retention: 'limits' }, { applied: false })).toEqual([]);
    expect(text(QUEUE, { applied: false, workers: 1 })).toEqual([]);
    expect(text(QUEUE, { applied: false, records: [0] })).toEqual([]);
    expect(text(QUEUE, { messages: -1 })).toEqual([]);
    const limits = { ...QUEUE, retention: 'limits' };
    expect(text(limits, { to: { deliver_policy: 'new' } })).toEqual([]);
    expect(text(QUEUE, { was: { storage: 'memory' } }).filter((each) => each.includes('REDELIVERY'))).toEqual([]);
  });

  test('says nothing of a stream that is made beside one whose name begins as its own', () => {
    const others = [live('stream S', QUEUE, { figures: { messages: 5 } })];
    expect(told({ key: 'stream ST', to: { subjects: ['other'], retention: 'workqueue' }, others })).toEqual([]);
  });
});

describe('more than one copy', () => {
  const three = { ...QUEUE, num_replicas: 3 };
  const alone = refuses('num_replicas', 'a single server refuses num_replicas 3 (10074)');
  test.each<Row>([
    { name: 'beside another change', from: QUEUE, to: { ...three, description: 'x' }, says: [alone] },
    {
      name: 'of a stream that is made again',
      from: three,
      to: { ...three, storage: 'memory' },
      says: [
        'refuse RISK_REPLACE storage --allow-replace: stream S must be deleted and made again to change storage',
        alone,
      ],
    },

    { name: 'of a new stream', to: three, says: [alone] },
    { name: 'of a new stream, two', to: { ...QUEUE, num_replicas: 2 }, says: [alone.replace('3', '2')] },
    { name: 'of a new stream, one', to: { ...QUEUE, num_replicas: 1 }, says: [] },
    { name: 'in a cluster', to: three, server: { cluster: 'c' }, says: [] },
    { name: 'of a live stream', from: QUEUE, to: three, server: { version: '2.14.0' }, says: [alone] },
    {
      name: 'of a live stream on a server that takes the number',
      from: QUEUE,
      to: three,
      server: { version: '2.13.9' },
      says: [
        'warning RISK_REPLICAS num_replicas: stream S: num_replicas 3 has no effect on a single server: there is still one copy',
      ],
    },
    { name: 'of a new stream on such a server', to: three, server: { version: '2.13.9' }, says: [alone] },
    { name: 'that it has already', from: three, to: { ...three, description: 'x' }, says: [] },
    {
      name: 'of a consumer, on any server',
      key: 'consumer S/w',
      from: WORKER,
      to: { ...WORKER, num_replicas: 3 },
      wanted: [want('stream S', QUEUE)],
      others: [live('stream S', QUEUE)],
      server: { version: '2.13.9' },
      says: [refuses('num_replicas', 'a single server refuses num_replicas 3 (10074)', 'consumer S/w')],
    },
  ])('$name', check);
});

describe('combinations of fields', () => {
  const worker = (to: Case['to'], stream: Case['to'] = QUEUE): Pick<Row, 'key' | 'to' | 'wanted'> => ({
    key: 'consumer S/w',
    to: { ...WORKER, ...to },
    wanted: [want('stream S', stream!)],
  });
  test.each<Row>([
    {
      name: 'a window over max_age',
      to: { ...QUEUE, max_age: S, duplicate_window: 2 * S },
      says: [refuses('duplicate_window', 'duplicate_window 2s is longer than max_age 1s (10052)')],
      hint: 'write 1s or less, or raise max_age',
    },
    {
      name: 'a window the server filled in and a shorter max_age',
      from: { ...QUEUE, duplicate_window: 60 * S },
      to: { ...QUEUE, max_age: 30 * S },
      says: [
        'warning RISK_DUPLICATES duplicate_window: stream S: a request or replay repeated after 30s (until now 1m) is stored twice',
      ],
    },
    {
      name: 'a new sealed stream',
      to: { ...QUEUE, sealed: true },
      says: [refuses('sealed', 'a new stream cannot be sealed (10052)')],
    },
    {
      name: 'a consumer and its stream',
      ...worker({ deliver_policy: 'new', backoff: [S, S], max_deliver: 1 }),
      says: [
        refuses('backoff', 'backoff has 2 steps, but max_deliver is 1 (10116)', 'consumer S/w'),
        refuses('deliver_policy', 'deliver_policy new on a workqueue stream (10101)', 'consumer S/w'),
      ],
    },
    {
      name: 'a consumer of a stream of another kind',
      ...worker({ deliver_policy: 'new' }, { ...QUEUE, retention: 'limits' }),
      says: [],
    },
    { name: 'a bucket', key: 'bucket b', to: { ttl: S }, says: [] },
    { name: 'what is pruned', from: { ...QUEUE, sealed: true }, says: [] },
  ])('$name', check);
});

describe('what another stream keeps', () => {
  const other = (subjects: string[], owner: string | null = null) => live('stream T', { subjects }, { owner });
  const clash = (one: string, each: string, of: string): string =>
    refuses('subjects', `subject ${one} overlaps ${each} of ${of} (10065)`);
  test.each<Row>([
    {
      name: 'the same subject',
      to: { ...QUEUE, subjects: ['a', 'b'] },
      others: [other(['x', 'b'])],
      says: [clash('b', 'b', 'stream T')],
    },
    { name: 'another subject', to: { ...QUEUE, subjects: ['a'] }, others: [other(['b'])], says: [] },
    {
      name: 'one that overlaps',
      to: { ...QUEUE, subjects: ['a.*'] },
      others: [other(['a.1', 'a.2'])],
      says: [clash('a.*', 'a.1', 'stream T')],
    },
    {
      name: 'a bucket’s keys',
      to: { ...QUEUE, subjects: ['$KV.b.x'] },
      others: [live('bucket b', {}, { owner: null })],
      says: [clash('$KV.b.x', '$KV.b.>', 'bucket b')],
    },
    {
      name: 'the keys of a new bucket',
      key: 'bucket b',
      to: {},
      others: [other(['$KV.*.x'])],
      says: [`refuse RISK_SERVER_REFUSES subjects: bucket b: subject $KV.b.> overlaps $KV.*.x of stream T (10065)`],
    },
    {
      name: 'the keys of a bucket that is there',
      key: 'bucket b',
      from: {},
      to: { ttl: S },
      others: [other(['$KV.b.x'])],
      says: [],
    },
    {
      name: 'the keys of a mirror',
      key: 'bucket b',
      to: { mirror: { name: 'c' } },
      others: [other(['$KV.b.x'])],
      says: [],
    },
    {
      name: 'two others',
      to: { ...QUEUE, subjects: ['>'] },
      others: [other(['b']), live('stream U', { subjects: ['c'] }, { owner: null })],
      says: [clash('>', 'b', 'stream T'), clash('>', 'c', 'stream U')],
    },
    {
      name: 'a stream of the spec, which lets it go',
      to: { ...QUEUE, subjects: ['b'] },
      others: [other(['b'], 'osapi')],
      wanted: [want('stream T', { subjects: ['c'] })],
      says: [],
    },
    { name: 'a stream that is pruned', to: { ...QUEUE, subjects: ['b'] }, others: [other(['b'], 'osapi')], says: [] },
    {
      name: 'a subject that it held before',
      from: { ...QUEUE, subjects: ['b'] },
      to: { ...QUEUE, subjects: ['b'], description: 'x' },
      others: [other(['b'])],
      says: [],
    },
    {
      name: 'a subject that a replaced stream held before',
      from: { ...QUEUE, subjects: ['b'] },
      to: { ...QUEUE, subjects: ['b'], storage: 'memory' },
      others: [other(['b'])],
      says: [
        'refuse RISK_REPLACE storage --allow-replace: stream S must be deleted and made again to change storage',
        clash('b', 'b', 'stream T'),
      ],
    },
  ])('$name', check);
});

describe('messages that a stranger’s consumer takes', () => {
  const base = { key: 'consumer S/w', wanted: [want('stream S', QUEUE)] } as const;
  const stranger = (filter: string, owner: string | null = null) =>
    live('consumer S/x', { ...WORKER, ...(filter ? { filter_subject: filter } : {}) }, { owner });
  const clash = (own: string): string =>
    refuses(
      'filter_subject',
      `consumer S/x already takes messages of ${own}; a workqueue gives each message to one consumer (10099, 10100)`,
      'consumer S/w',
    );
  const one = { ...WORKER, filter_subject: 'requests.a' };
  test.each<Row>([
    {
      name: 'two subjects',
      ...base,
      to: { ...WORKER, filter_subjects: ['requests.a', 'requests.b'] },
      others: [live('stream S', QUEUE), stranger('requests.b')],
      says: [clash('requests.a, requests.b')],
    },
    {
      name: 'of a stream by whose name a longer one begins',
      key: 'stream Sx',
      wanted: [want('stream S', QUEUE)],
      to: { subjects: ['x'] },
      others: [live('stream S', QUEUE), stranger('')],
      says: [],
    },

    {
      name: 'all, to copy it',
      ...base,
      to: WORKER,
      others: [
        live('stream S', QUEUE),
        live('consumer S/x', { ...WORKER, ack_policy: 'flow_control', sourcing: true }, { owner: null }),
      ],
      says: [],
    },
    {
      name: 'all',
      ...base,
      to: WORKER,
      others: [live('stream S', QUEUE), stranger('')],
      says: [clash('>')],
      hint: 'narrow one of the filters, or remove consumer S/x',
    },
    {
      name: 'one subject',
      ...base,
      to: one,
      others: [live('stream S', QUEUE), stranger('requests.a')],
      says: [clash('requests.a')],
    },
    { name: 'another subject', ...base, to: one, others: [live('stream S', QUEUE), stranger('requests.b')], says: [] },
    {
      name: 'of another stream',
      ...base,
      to: WORKER,
      others: [live('stream S', QUEUE), live('consumer T/x', WORKER, { owner: null })],
      says: [],
    },
    {
      name: 'of a stream that is no workqueue',
      key: 'consumer S/w',
      wanted: [want('stream S', { ...QUEUE, retention: 'limits' })],
      to: WORKER,
      others: [stranger('')],
      says: [],
    },
    { name: 'that is pruned', ...base, to: WORKER, others: [live('stream S', QUEUE), stranger('', 'osapi')], says: [] },
    {
      name: 'that is of the spec, and lets it go',
      key: 'consumer S/w',
      wanted: [want('stream S', QUEUE), want('consumer S/x', { ...WORKER, filter_subject: 'requests.b' })],
      to: one,
      others: [live('stream S', QUEUE), stranger('', 'osapi')],
      says: [],
    },
    { name: 'of a bucket', key: 'bucket b', to: {}, others: [live('consumer S/x', WORKER, { owner: null })], says: [] },
  ])('$name', check);
});

describe('tighter limits of consumers', () => {
  const limits = (value: object): Case['to'] => ({ ...QUEUE, consumer_limits: value as never });
  const worker = (more: Case['to']) => live('consumer S/x', { ...WORKER, ...more }, { owner: null });
  const broken = [refuses('consumer_limits', 'consumer_limits would be broken by consumer S/x as it is now (10069)')];
  const flight = limits({ max_ack_pending: 50 });
  const idle = limits({ inactive_threshold: 60 * S });
  test.each<Row>([
    {
      name: 'the first of two',
      from: QUEUE,
      to: flight!,
      others: [
        worker({ max_ack_pending: 51 }),
        live('consumer S/a', { ...WORKER, max_ack_pending: 1, filter_subject: 'requests.a' }, { owner: null }),
      ],
      says: broken,
    },
    {
      name: 'beside another change',
      from: QUEUE,
      to: { ...flight, description: 'x' },
      others: [worker({ max_ack_pending: 51 })],
      says: broken,
    },
    {
      name: 'tighter than they were',
      from: limits({ max_ack_pending: 60 })!,
      to: flight!,
      others: [worker({ max_ack_pending: 51 })],
      says: broken,
    },

    { name: 'one below', from: QUEUE, to: flight, others: [worker({ max_ack_pending: 49 })], says: [] },
    { name: 'at the limit', from: QUEUE, to: flight, others: [worker({ max_ack_pending: 50 })], says: [] },
    {
      name: 'one above',
      from: QUEUE,
      to: flight,
      others: [worker({ max_ack_pending: 51 })],
      says: broken,
      hint: 'change consumer S/x first, then the limits',
    },
    {
      name: 'the second of two',
      from: QUEUE,
      to: flight,
      others: [
        live('consumer S/a', { ...WORKER, max_ack_pending: 1, filter_subject: 'requests.a' }, { owner: null }),
        worker({ max_ack_pending: 51 }),
      ],
      says: broken,
    },
    {
      name: 'of another stream',
      from: QUEUE,
      to: flight,
      others: [live('consumer T/x', { ...WORKER, max_ack_pending: 51 }, { owner: null })],
      says: [],
    },
    {
      name: 'that stay',
      from: flight!,
      to: { ...flight, description: 'x' },
      others: [worker({ max_ack_pending: 51 })],
      says: [],
    },
    { name: 'of a new stream', to: flight!, others: [worker({ max_ack_pending: 51 })], says: [] },
    { name: 'idle for longer', from: QUEUE, to: idle!, others: [worker({ inactive_threshold: 61 * S })], says: broken },
    {
      name: 'idle for as long',
      from: QUEUE,
      to: idle!,
      others: [worker({ inactive_threshold: 60 * S })],
      server: { version: '2.13.9' },
      says: [],
    },
    {
      name: 'never removed, on a server that minds',
      from: QUEUE,
      to: idle!,
      others: [worker({})],
      server: { version: '2.13.9' },
      says: broken,
    },
    {
      name: 'never removed, on a server that does not',
      from: QUEUE,
      to: idle!,
      others: [worker({})],
      server: { version: '2.14.0' },
      says: [],
    },
    {
      name: 'never removed, where the limit is another',
      from: QUEUE,
      to: limits({ max_ack_pending: 5000 }),
      others: [worker({})],
      server: { version: '2.13.9' },
      says: [],
    },
  ])('$name', check);
});

describe('what has no leader', () => {
  const peers = (...offline: boolean[]) =>
    offline.map((isAway, at) => ({ name: `n${at + 2}`, current: !isAway, offline: isAway, lag: 0 }));
  const lacks = (what: string, of = 'stream S') => [
    `refuse CONN_NO_LEADER: ${of} has ${what}, so the server can change nothing about it`,
  ];
  const at = (leader: string | undefined, ...offline: boolean[]) => ({
    cluster: { ...(leader ? { leader } : {}), replicas: peers(...offline) },
  });
  const to = { ...QUEUE, description: 'new' };
  test.each<Row>([
    {
      name: 'a stream by whose name a longer one begins',
      key: 'stream ST',
      to: { subjects: ['st'] },
      others: [live('stream S', QUEUE, { ...at(undefined, true), owner: null })],
      says: [],
    },

    { name: 'a single server', from: QUEUE, to, says: [] },
    { name: 'nobody away', from: QUEUE, to, live: at('n1', false, false), says: [] },
    { name: 'one of three away', from: QUEUE, to, live: at('n1', true, false), says: [] },
    {
      name: 'two of three away',
      from: QUEUE,
      to,
      live: at('n1', true, true),
      says: lacks('no quorum (offline: n2, n3)'),
    },
    { name: 'two of five away', from: QUEUE, to, live: at('n1', true, true, false, false), says: [] },
    {
      name: 'three of five away',
      from: QUEUE,
      to,
      live: at('n1', true, true, true, false),
      says: lacks('no quorum (offline: n2, n3, n4)'),
    },
    { name: 'no leader, nobody away', from: QUEUE, to, live: at(undefined, false, false), says: lacks('no leader') },
    {
      name: 'no leader, one away',
      from: QUEUE,
      to,
      live: at(undefined, true, false),
      says: lacks('no leader (offline: n2)'),
    },
    { name: 'no leader, one replica', from: QUEUE, to, live: at(undefined), says: lacks('no leader') },
    {
      name: 'the stream of a consumer',
      key: 'consumer S/w',
      to: WORKER,
      wanted: [want('stream S', QUEUE)],
      others: [live('stream S', QUEUE, at(undefined, true))],
      says: lacks('no leader (offline: n2)'),
    },
    {
      name: 'a consumer, not its stream',
      key: 'consumer S/w',
      from: WORKER,
      to: { ...WORKER, max_deliver: 3 },
      live: at(undefined),
      wanted: [want('stream S', QUEUE)],
      others: [live('stream S', QUEUE, at('n1', false))],
      says: lacks('no leader', 'consumer S/w'),
    },
  ])('$name', (row) => check({ ...row, server: { cluster: 'c' } }));

  test('is told as a warning where nothing is to change', () => {
    const plan = makePlan({
      desired: spec(want('stream S', QUEUE), want('stream T', { subjects: ['t'] })),
      observed: server(
        [live('stream S', QUEUE, at(undefined, true)), live('stream T', { subjects: ['t'] }, at('n1', false))],
        { cluster: 'c' },
      ),
    });
    expect(plan.findings.map((each) => `${each.resource} ${line(each)}`)).toEqual([
      'stream S warning CONN_NO_LEADER: stream S has no leader (offline: n2): it is shown as the servers that are left knew it',
    ]);
  });
});

describe('a stream that is made again', () => {
  const to = { ...QUEUE, storage: 'memory' };
  const must = 'refuse RISK_REPLACE storage --allow-replace: stream S must be deleted and made again to change storage';
  test.each<Row>([
    {
      name: 'with consumers, two of its own and one of the spec',
      from: QUEUE,
      to,
      live: { figures: { consumer_count: 3 } },
      wanted: [
        want('consumer S/w', WORKER),
        want('consumer T/w', WORKER),
        want('consumer T/v', WORKER),
        want('stream Sx', { subjects: ['x'] }),
      ],
      says: [
        must,
        'warning RISK_REPLACE 3: stream S: its 3 consumers and all delivery counts go with it; the spec makes 1 of them again',
      ],
    },
    {
      name: 'with a lower limit',
      from: { ...QUEUE, discard: 'old' },
      to: { ...to, discard: 'old', max_msgs: 1 },
      live: { figures: { messages: 2 } },
      says: [must, 'refuse RISK_DATA_LOSS --allow-data-loss 2: stream S: replacing it deletes all 2 messages'],
    },

    { name: 'empty', from: QUEUE, to, says: [must] },
    {
      name: 'with a message',
      from: QUEUE,
      to,
      live: { figures: { messages: 1 } },
      says: [must, 'refuse RISK_DATA_LOSS --allow-data-loss 1: stream S: replacing it deletes all 1 message'],
    },
    {
      name: 'with consumers, one of them of the spec',
      from: QUEUE,
      to,
      live: { figures: { consumer_count: 2 } },
      wanted: [want('consumer S/w', WORKER), want('consumer T/w', WORKER), want('bucket S')],
      says: [
        must,
        'warning RISK_REPLACE 2: stream S: its 2 consumers and all delivery counts go with it; the spec makes 1 of them again',
      ],
    },
    {
      name: 'for two fields, and a third that is taken in place',
      from: QUEUE,
      to: { ...to, retention: 'limits', description: 'x' },
      says: [
        'refuse RISK_REPLACE retention, storage --allow-replace: stream S must be deleted and made again to change retention, storage',
      ],
    },
    {
      name: 'a bucket',
      key: 'bucket b',
      from: {},
      to: { storage: 'memory' },
      live: { figures: { messages: 2, consumer_count: 1 } },
      says: [
        'refuse RISK_REPLACE storage --allow-replace: bucket b must be deleted and made again to change storage',
        'refuse RISK_DATA_LOSS --allow-data-loss 2: bucket b: replacing it deletes all 2 values',
      ],
    },
  ])('$name', check);

  test('says the way round for each kind', () => {
    const hintOf = (each: Case): string | undefined => findings(each)[0]?.hint;
    expect(hintOf({ from: QUEUE, to })).toMatch(/under another name/);
    const consumer = {
      key: 'consumer S/w',
      from: WORKER,
      to: AGAIN,
      wanted: [want('stream S', QUEUE)],
      others: [live('stream S', QUEUE)],
    } as const;
    expect(hintOf(consumer)).toMatch(/stop the workers/);
  });
});

describe('a consumer that is made again', () => {
  const stream = (config = QUEUE, figures: object = { messages: 12, consumer_count: 1 }) =>
    live('stream S', config, { figures });
  const consumer = (figures: object, more: Partial<Row> = {}): Omit<Row, 'name' | 'says'> => ({
    key: 'consumer S/w',
    from: WORKER,
    to: AGAIN,
    live: { figures },
    wanted: [want('stream S', QUEUE)],
    others: [stream()],
    ...more,
  });
  const must =
    'refuse RISK_REPLACE replay_policy --allow-replace: consumer S/w must be deleted and made again to change replay_policy';
  const dead = (count: number, what: string): string =>
    `warning RISK_REDELIVERY ${count}: consumer S/w: re-creating it redelivers ${what} that it gave up, answered since or not, with their delivery count at 1; their DLQ entries stay`;
  const flight = (count: number, what: string): string =>
    `warning RISK_REDELIVERY ${count}: consumer S/w: ${what} in flight will be delivered again, and acks of the present deliveries are lost`;
  const limits = { ...QUEUE, retention: 'limits' };
  test.each<Row>([
    {
      name: 'that begins with what is new, one waiting and one in flight',
      ...consumer(
        { num_pending: 1, num_ack_pending: 1 },
        { to: { ...WORKER, deliver_policy: 'new' }, wanted: [want('stream S', limits)], others: [stream(limits)] },
      ),
      says: [
        must.replaceAll('replay_policy', 'deliver_policy'),
        'refuse RISK_REDELIVERY --allow-data-loss 2: consumer S/w: with deliver_policy new, 2 messages waiting or in flight are never delivered by it',
      ],
    },

    {
      name: 'with the dead',
      ...consumer({ num_pending: 8, num_ack_pending: 0 }),
      says: [must, dead(4, '4 messages')],
    },
    {
      name: 'with one dead, one in flight',
      ...consumer({ num_pending: 10, num_ack_pending: 1 }),
      says: [must, dead(1, '1 message'), flight(1, '1 message')],
    },
    {
      name: 'with none dead',
      ...consumer({ num_pending: 10, num_ack_pending: 2 }),
      says: [must, flight(2, '2 messages')],
    },
    { name: 'with nothing at all', ...consumer({ num_pending: 12 }), says: [must] },
    {
      name: 'beside another consumer',
      ...consumer({ num_pending: 8 }, { others: [stream(QUEUE, { messages: 12, consumer_count: 2 })] }),
      says: [must, dead(4, 'up to 4 messages')],
    },
    {
      name: 'of a stream that is no workqueue',
      ...consumer({ num_pending: 1 }, { wanted: [want('stream S', limits)], others: [stream(limits)] }),
      says: [
        must,
        'warning RISK_REDELIVERY 12: consumer S/w: re-creating it delivers up to 12 stored messages again, acknowledged ones too',
      ],
    },
    {
      name: 'of such a stream, empty',
      ...consumer({}, { wanted: [want('stream S', limits)], others: [stream(limits, {})] }),
      says: [must],
    },
    {
      name: 'that begins with what is new',
      ...consumer(
        { num_pending: 2, num_ack_pending: 1 },
        { to: { ...WORKER, deliver_policy: 'new' }, wanted: [want('stream S', limits)], others: [stream(limits)] },
      ),
      says: [
        must.replaceAll('replay_policy', 'deliver_policy'),
        'refuse RISK_REDELIVERY --allow-data-loss 3: consumer S/w: with deliver_policy new, 3 messages waiting or in flight are never delivered by it',
      ],
    },
    {
      name: 'that begins with what is new, and nothing waits',
      ...consumer(
        {},
        { to: { ...WORKER, deliver_policy: 'new' }, wanted: [want('stream S', limits)], others: [stream(limits, {})] },
      ),
      says: [must.replaceAll('replay_policy', 'deliver_policy')],
    },
    {
      name: 'because its stream is, whose messages go with it',
      ...consumer(
        { num_pending: 8, num_ack_pending: 1 },
        { to: WORKER, wanted: [want('stream S', { ...QUEUE, storage: 'memory' })] },
      ),
      says: ['refuse RISK_REPLACE --allow-replace: consumer S/w must be deleted and made again'],
    },
    { name: 'whose stream is gone', ...consumer({ num_ack_pending: 5 }, { others: [] }), says: [must] },
  ])('$name', check);
});

describe('what is pruned', () => {
  test.each<Row>([
    { name: 'an empty stream', from: QUEUE, says: [] },
    {
      name: 'a stream',
      from: QUEUE,
      live: { figures: { messages: 1 } },
      says: ['refuse RISK_DATA_LOSS --allow-data-loss 1: stream S: deleting it deletes 1 message'],
    },
    {
      name: 'a bucket',
      key: 'bucket b',
      from: {},
      live: { figures: { messages: 2 } },
      says: ['refuse RISK_DATA_LOSS --allow-data-loss 2: bucket b: deleting it deletes 2 values'],
    },
    { name: 'an idle consumer', key: 'consumer S/w', from: WORKER, says: [] },
    {
      name: 'a consumer',
      key: 'consumer S/w',
      from: WORKER,
      live: { figures: { num_pending: 2, num_ack_pending: 1 } },
      says: [
        'warning RISK_DELETE 3: consumer S/w: nobody delivers its 3 waiting messages any more; they stay in the stream',
      ],
    },
  ])('$name', check);
});

describe('how many are dead', () => {
  const figures = (messages: number, consumer_count = 1) =>
    ({
      config: { subjects: ['a.*'] },
      figures: {
        messages,
        bytes: 0,
        first_seq: 1,
        last_seq: 1,
        first_ts: '',
        last_ts: '',
        consumer_count,
        num_subjects: 1,
      },
    }) as const;
  const worker = (num_pending: number, num_ack_pending: number, config = {}) => ({
    config,
    figures: {
      num_pending,
      num_ack_pending,
      num_redelivered: 0,
      num_waiting: 0,
      delivered_stream_seq: 0,
      ack_floor_stream_seq: 0,
      paused: false,
    },
  });
  test.each([
    { name: 'none', stream: figures(5), consumer: worker(3, 2), want: { count: 0, exact: true } },
    { name: 'one', stream: figures(6), consumer: worker(3, 2), want: { count: 1, exact: true } },
    {
      name: 'less than none, for the figures are of two moments',
      stream: figures(4),
      consumer: worker(3, 2),
      want: { count: 0, exact: true },
    },
    { name: 'none, of two consumers', stream: figures(5, 2), consumer: worker(3, 2), want: { count: 0, exact: true } },
    {
      name: 'one at most, of two consumers',
      stream: figures(6, 2),
      consumer: worker(3, 2),
      want: { count: 1, exact: false },
    },
    {
      name: 'one at most, of a part of the stream',
      stream: figures(6),
      consumer: worker(3, 2, { filter_subject: 'a.b' }),
      want: { count: 1, exact: false },
    },
  ])('$name', ({ stream, consumer, want: wanted }) => {
    expect(givenUp(stream, consumer)).toEqual(wanted);
  });

  test.each<{ filters: Fields; subjects: string[] | undefined; covers: boolean }>([
    { filters: {}, subjects: ['a'], covers: true },
    { filters: { filter_subject: '' }, subjects: ['a'], covers: true },
    { filters: { filter_subject: 'a.*' }, subjects: ['a.b', 'a.*'], covers: true },
    { filters: { filter_subject: 'a.*' }, subjects: ['a.b', 'b'], covers: false },
    { filters: { filter_subjects: ['a.*', 'b'] }, subjects: ['b', 'a.c'], covers: true },
    { filters: { filter_subjects: ['a', 'b'] }, subjects: ['b', 'c'], covers: false },
    { filters: { filter_subject: 'a' }, subjects: undefined, covers: true },
  ])('$filters covers $subjects: $covers', ({ filters, subjects, covers }) => {
    expect(coversStream(filters, subjects ? { subjects } : {})).toBe(covers);
  });
});

test('only a refusal that no given flag allows stands in the way', () => {
  const base = { code: 'X', resource: 'stream S', message: '' } as const;
  const all: Finding[] = [
    { ...base, severity: 'info' },
    { ...base, severity: 'warning', needs: 'adopt' },
    { ...base, severity: 'refuse' },
    { ...base, severity: 'refuse', needs: 'adopt' },
    { ...base, severity: 'refuse', needs: 'allow-replace' },
  ];
  expect(refusals({ findings: all }, new Set())).toEqual(all.slice(2));
  expect(refusals({ findings: all }, new Set(['adopt']))).toEqual([all[2], all[4]]);
});
