import { describe, expect, test } from '@jest/globals';
import { live, want } from '../plan/builders.ts';
import { type Case, findings, line, QUEUE, S, told } from './told.ts';

const OLD = { ...QUEUE, discard: 'old' };
const full = { figures: { messages: 50, bytes: 5000 } };
const LOSS = 'refuse RISK_DATA_LOSS';

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

describe('a lower limit that deletes what is stored', () => {
  const over = (
    field: string,
    value: number,
    more: Partial<Row> = {},
  ): Pick<Row, 'from' | 'to' | 'live'> & Partial<Row> => ({
    from: OLD,
    to: { ...OLD, [field]: value },
    live: full,
    ...more,
  });
  const text = (field: string, value: string, what: string, when = 'at once'): string =>
    `stream S: ${field} ${value} deletes ${what} of 50 ${when}`;
  test.each<Row>([
    {
      name: 'max_msgs one below',
      ...over('max_msgs', 49),
      says: [`${LOSS} max_msgs --allow-data-loss 1: ${text('max_msgs', '49', '1 message')}`],
      hint: 'keep max_msgs where it is, or let the messages be processed first',
    },
    { name: 'max_msgs at what is stored', ...over('max_msgs', 50), says: [] },
    { name: 'max_msgs one above', ...over('max_msgs', 51), says: [] },
    {
      name: 'max_bytes one below, of whatever size they are',
      ...over('max_bytes', 4999),
      says: [`${LOSS} max_bytes --allow-data-loss 50: ${text('max_bytes', '4999B', 'up to 50 messages')}`],
    },
    { name: 'max_bytes at what is stored', ...over('max_bytes', 5000), says: [] },
    { name: 'max_bytes one above', ...over('max_bytes', 5001), says: [] },
    {
      name: 'max_age, unmeasured',
      ...over('max_age', 3600 * S),
      says: [`${LOSS} max_age --allow-data-loss 50: ${text('max_age', '1h', 'up to 50 messages')}`],
    },
    {
      name: 'max_age, measured',
      ...over('max_age', 3600 * S, { losses: [{ field: 'max_age', count: 2, exact: true }] }),
      says: [`${LOSS} max_age --allow-data-loss 2: ${text('max_age', '1h', '2 messages')}`],
    },
    {
      name: 'max_bytes, estimated',
      ...over('max_bytes', 10, { losses: [{ field: 'max_bytes', count: 49, exact: false }] }),
      says: [`${LOSS} max_bytes --allow-data-loss 49: ${text('max_bytes', '10B', 'about 49 messages')}`],
    },
    {
      name: 'measured as none',
      ...over('max_age', 3600 * S, { losses: [{ field: 'max_age', count: 0, exact: true }] }),
      says: [],
    },
    {
      name: 'where another limit was measured',
      ...over('max_msgs', 40, { losses: [{ field: 'max_age', count: 0, exact: true }] }),
      says: [`${LOSS} max_msgs --allow-data-loss 10: ${text('max_msgs', '40', '10 messages')}`],
    },
    {
      name: 'two limits at once',
      from: OLD,
      to: { ...OLD, max_msgs: 49, max_msgs_per_subject: 7 },
      live: full,
      says: [
        `${LOSS} max_msgs --allow-data-loss 1: ${text('max_msgs', '49', '1 message')}`,
        `${LOSS} max_msgs_per_subject --allow-data-loss 50: ${text('max_msgs_per_subject', '7', 'up to 50 messages')}`,
      ],
    },
    {
      name: 'a first limit per subject on a server that looks later',
      ...over('max_msgs_per_subject', 7, { server: { version: '2.13.9' } }),
      says: [
        `${LOSS} max_msgs_per_subject --allow-data-loss 50: ${text('max_msgs_per_subject', '7', 'up to 50 messages', 'at the next message of their subject or the next start of the server')}`,
      ],
    },
    {
      name: 'a first limit per subject on a server that looks at once',
      ...over('max_msgs_per_subject', 7, { server: { version: '2.14.0' } }),
      says: [
        `${LOSS} max_msgs_per_subject --allow-data-loss 50: ${text('max_msgs_per_subject', '7', 'up to 50 messages')}`,
      ],
    },
    {
      name: 'a lower limit per subject, on any server at once',
      ...over('max_msgs_per_subject', 7, { from: { ...OLD, max_msgs_per_subject: 8 }, server: { version: '2.13.9' } }),
      says: [
        `${LOSS} max_msgs_per_subject --allow-data-loss 50: ${text('max_msgs_per_subject', '7', 'up to 50 messages')}`,
      ],
    },
    {
      name: 'another limit on a server that looks later at subjects',
      ...over('max_msgs', 49, { server: { version: '2.13.9' } }),
      says: [`${LOSS} max_msgs --allow-data-loss 1: ${text('max_msgs', '49', '1 message')}`],
    },
    {
      name: 'a limit that is raised',
      from: { ...OLD, max_age: 60 * S },
      to: { ...OLD, max_age: 61 * S },
      live: full,
      says: [],
    },
    {
      name: 'a stream of 3,000 messages',
      ...over('max_msgs', 1000, { live: { figures: { messages: 3000 } } }),
      says: [
        `${LOSS} max_msgs --allow-data-loss 2000: stream S: max_msgs 1000 deletes 2,000 messages of 3,000 at once`,
      ],
    },
    {
      name: 'a bucket’s ttl',
      key: 'bucket b',
      from: {},
      to: { ttl: 60 * S },
      live: full,
      says: [`${LOSS} ttl --allow-data-loss 50: bucket b: ttl 1m deletes up to 50 values of 50 as expired`],
      hint: 'keep ttl where it is, or let the values be processed first',
    },
    {
      name: 'a bucket’s history',
      key: 'bucket b',
      from: { history: 5 },
      to: { history: 4 },
      live: { figures: { messages: 1 } },
      says: [`${LOSS} history --allow-data-loss 1: bucket b: history 4 deletes up to 1 value of 1 at once`],
    },
  ])('$name', check);
});

describe('what publishers are told', () => {
  const refused = (field: string, limit: string, used: string): string =>
    `warning RISK_PUBLISH_REFUSED ${field}: stream S: ${field} ${limit} is no more than the ${used}; nothing is deleted, but publishers are refused (10077) until it has drained`;
  const to = (more: Case['to']): Pick<Row, 'from' | 'to' | 'live'> => ({
    from: QUEUE,
    to: { ...QUEUE, ...more },
    live: full,
  });
  test.each<Row>([
    {
      name: 'max_msgs one below',
      ...to({ max_msgs: 49 }),
      says: [refused('max_msgs', '49', '50 messages')],
      hint: 'set max_msgs above 50, or drain first',
    },
    { name: 'max_msgs at what is stored', ...to({ max_msgs: 50 }), says: [refused('max_msgs', '50', '50 messages')] },
    { name: 'max_msgs one above', ...to({ max_msgs: 51 }), says: [] },
    {
      name: 'max_bytes one below',
      ...to({ max_bytes: 4999 }),
      says: [refused('max_bytes', '4999B', '5000B stored')],
      hint: 'set max_bytes above 5000B, or drain first',
    },
    {
      name: 'max_bytes at what is stored',
      ...to({ max_bytes: 5000 }),
      says: [refused('max_bytes', '5000B', '5000B stored')],
    },
    { name: 'max_bytes one above', ...to({ max_bytes: 5001 }), says: [] },
    {
      name: 'a limit that stays as it was',
      from: { ...QUEUE, max_msgs: 50 },
      to: { ...QUEUE, max_msgs: 50, description: 'x' },
      live: full,
      says: [],
    },
    {
      name: 'a limit that begins to refuse',
      from: { ...OLD, max_msgs: 50 },
      to: { ...QUEUE, max_msgs: 50 },
      live: full,
      says: [
        refused('max_msgs', '50', '50 messages'),
        'info RISK_DISCARD discard: stream S: at its limit it will refuse publishers (10077) instead of dropping the oldest',
      ],
    },
    {
      name: 'a limit with discard old',
      from: OLD,
      to: { ...OLD, max_msgs: 50 },
      live: full,
      says: [],
    },
    {
      name: 'a bucket at what is stored',
      key: 'bucket b',
      from: {},
      to: { max_bytes: 5000 },
      live: full,
      says: [
        'warning RISK_PUBLISH_REFUSED max_bytes: bucket b: max_bytes 5000B is no more than the 5000B stored; nothing is deleted, but publishers are refused (10077) until it has drained',
      ],
    },
    { name: 'a new stream', to: { ...QUEUE, max_msgs: 1 }, says: [] },
  ])('of $name', check);

  const drops =
    'stream S: at its limit it will drop the oldest messages, unprocessed ones too, and no publisher will notice';
  test.each<Row>([
    {
      name: 'a workqueue with max_msgs',
      from: { ...QUEUE, max_msgs: 1 },
      to: { ...OLD, max_msgs: 1 },
      says: [`warning RISK_DISCARD discard: ${drops}`],
    },
    {
      name: 'a workqueue with max_bytes',
      from: { ...QUEUE, max_bytes: 1 },
      to: { ...OLD, max_bytes: 1 },
      says: [`warning RISK_DISCARD discard: ${drops}`],
    },
    { name: 'a workqueue without a limit', from: QUEUE, to: OLD, says: [`info RISK_DISCARD discard: ${drops}`] },
    {
      name: 'a stream that is no workqueue',
      from: { ...QUEUE, retention: 'limits', max_msgs: 1 },
      to: { ...OLD, retention: 'limits', max_msgs: 1 },
      says: [`info RISK_DISCARD discard: ${drops}`],
    },
    { name: 'a new stream', to: { ...OLD, max_msgs: 1 }, says: [] },
  ])('when discard changes to old: $name', check);
});

describe('a duplicate window', () => {
  const at = (seconds: number) => ({ ...QUEUE, duplicate_window: seconds * S });
  test.each<Row>([
    {
      name: 'shorter',
      from: at(60),
      to: at(59),
      says: [
        'warning RISK_DUPLICATES duplicate_window: stream S: a request or replay repeated after 59s (until now 1m) is stored twice',
      ],
    },
    { name: 'the same', from: at(60), to: at(60), says: [] },
    { name: 'longer', from: at(60), to: at(61), says: [] },
    { name: 'of a new stream', to: at(1), says: [] },
  ])('$name', check);
});

describe('a subject that is no longer stored', () => {
  const from = { ...QUEUE, subjects: ['a', 'b', 'c'] };
  const gone = (what: string): string =>
    `warning RISK_SUBJECTS subjects: stream S: ${what}; publishers there are told "no responders"`;
  const moved = (what: string): string =>
    `warning RISK_SUBJECTS subjects: stream S: ${what} moves; what is stored stays here, and between the two updates publishers are told "no responders"`;
  test.each<Row>([
    { name: 'one that a wider one still stores', from, to: { ...QUEUE, subjects: ['a', 'b', '*'] }, says: [] },
    {
      name: 'one of which a part is still stored',
      from: { ...QUEUE, subjects: ['a.*'] },
      to: { ...QUEUE, subjects: ['a.1'] },
      says: [gone('1 subject no longer stored (a.*)')],
    },
    {
      name: 'two taken over',
      from,
      to: { ...QUEUE, subjects: ['a'] },
      wanted: [want('stream T', { subjects: ['t', 'b'] }), want('stream U', { subjects: ['c'] })],
      says: [moved('b to T, c to U')],
    },

    { name: 'one', from, to: { ...QUEUE, subjects: ['a', 'b'] }, says: [gone('1 subject no longer stored (c)')] },
    { name: 'two', from, to: { ...QUEUE, subjects: ['a'] }, says: [gone('2 subjects no longer stored (b, c)')] },
    { name: 'none, and one more', from, to: { ...QUEUE, subjects: ['a', 'b', 'c', 'd'] }, says: [] },
    {
      name: 'taken over by another stream of the spec',
      from,
      to: { ...QUEUE, subjects: ['a', 'b'] },
      wanted: [want('stream T', { subjects: ['c'] }), want('consumer S/w', { filter_subject: 'c' })],
      says: [moved('c to T')],
      hint: 'publishers that retry lose nothing; those that wait for no confirmation should pause meanwhile',
    },
    {
      name: 'one gone and one taken over by two',
      from: { ...QUEUE, subjects: ['a', 'b', 'c.*'] },
      to: { ...QUEUE, subjects: ['a'] },
      wanted: [
        want('stream T', { subjects: ['c.1'] }),
        want('stream U', { subjects: ['c.2'] }),
        want('stream V', { subjects: ['v'] }),
      ],
      says: [gone('1 subject no longer stored (b)'), moved('c.* to T and U')],
    },
    { name: 'that a new stream never had', to: { ...QUEUE, subjects: ['a'] }, says: [] },
    {
      name: 'everything',
      from: { retention: 'limits', subjects: ['>'] },
      to: { retention: 'limits', subjects: ['a'] },
      says: [gone('1 subject no longer stored (>)')],
    },
  ])('$name', check);

  const ADVISORY = '$JS.EVENT.ADVISORY.CONSUMER';
  const dead = (queue: string) => [`${ADVISORY}.MAX_DELIVERIES.${queue}.*`, `osapi-ops.rejected.${queue}.*`];
  const of = (...queues: string[]) => ({ retention: 'limits', subjects: queues.flatMap(dead) });
  const unheard = (queue: string): string =>
    `warning RISK_SUBJECTS subjects: stream S: what dies in ${queue} is recorded here no more; what is recorded stays`;
  test.each<Row>([
    { name: 'of a queue that stays', from: of('P', 'Q'), to: of('P'), says: [unheard('Q')] },
    { name: 'of two', from: of('P', 'Q', 'R'), to: of('P'), says: [unheard('Q, R')] },
    { name: 'of all', from: of('P', '*'), to: of('P'), says: [unheard('any queue')] },
    {
      name: 'of a queue that is deleted',
      from: of('P', 'Q'),
      to: of('P'),
      others: [live('stream Q', QUEUE)],
      says: [],
    },
    {
      name: 'that another DLQ takes over',
      from: of('P', 'Q'),
      to: of('P'),
      wanted: [want('stream D', of('Q'))],
      says: [
        `warning RISK_SUBJECTS subjects: stream S: ${dead('Q')
          .map((each) => `${each} to D`)
          .join(
            ', ',
          )} moves; what is stored stays here, and between the two updates publishers are told "no responders"`,
      ],
    },
  ])('on which deaths are told: $name', check);
});

describe('what no later apply turns back', () => {
  const once = (field: string, what: string): string =>
    `warning RISK_ONE_WAY ${field}: stream S: ${field} is for good: ${what}`;
  test.each<Row>([
    {
      name: 'deny_delete',
      from: QUEUE,
      to: { ...QUEUE, deny_delete: true },
      says: [once('deny_delete', 'messages can never again be deleted one by one, so dead letters cannot be replayed')],
    },
    {
      name: 'deny_purge',
      from: QUEUE,
      to: { ...QUEUE, deny_purge: true },
      says: [once('deny_purge', 'the stream can never again be purged')],
    },
    {
      name: 'allow_msg_ttl',
      from: QUEUE,
      to: { ...QUEUE, allow_msg_ttl: true },
      says: [once('allow_msg_ttl', 'it cannot be turned off again')],
    },
    {
      name: 'allow_msg_schedules',
      from: { ...OLD, allow_rollup_hdrs: true },
      to: { ...OLD, allow_rollup_hdrs: true, allow_msg_schedules: true },
      says: [once('allow_msg_schedules', 'it cannot be turned off again')],
    },
    {
      name: 'one that was on',
      from: { ...QUEUE, deny_purge: true },
      to: { ...QUEUE, deny_purge: true, description: 'x' },
      says: [],
    },
    { name: 'one of a new stream', to: { ...QUEUE, deny_delete: true }, says: [] },
    {
      name: 'sealed',
      from: { ...QUEUE, deny_delete: true, deny_purge: true },
      to: { ...QUEUE, sealed: true },
      says: [
        'refuse RISK_ONE_WAY sealed --allow-data-loss: stream S: sealed is for good: publishers, acks and every later change are refused (10109)',
      ],
    },
    {
      name: 'sealed already',
      from: { ...QUEUE, sealed: true },
      to: { ...QUEUE, sealed: true, description: 'x' },
      says: [],
    },
    { name: 'a bucket', key: 'bucket b', from: {}, to: { limit_marker_ttl: 5 * S }, says: [] },
  ])('$name', check);
});

describe('a stream that turns to interest', () => {
  const limits = { ...QUEUE, retention: 'limits' };
  const to = { ...QUEUE, retention: 'interest' };
  const deletes = (count: number, what: string): string =>
    `refuse RISK_DATA_LOSS retention --allow-data-loss ${count}: stream S: retention interest deletes ${what} that no consumer waits for`;
  test.each<Row>([
    {
      name: 'with messages and no consumer',
      from: limits,
      to,
      live: { figures: { messages: 2 } },
      says: [deletes(2, 'all 2 messages')],
    },
    {
      name: 'with one message and one consumer',
      from: limits,
      to,
      live: { figures: { messages: 1, consumer_count: 1 } },
      says: [deletes(1, 'up to 1 message')],
    },
    { name: 'empty', from: limits, to, says: [] },
    { name: 'back', from: to, to: limits, live: full, says: [] },
    { name: 'at its creation', to, says: [] },
  ])('$name', check);
});

describe('messages that a change of filters leaves without a worker', () => {
  const stream = (more = {}) =>
    live('stream S', { ...QUEUE, subjects: ['q.>'], ...more }, { figures: { messages: 50 } });
  const queue = want('stream S', { ...QUEUE, subjects: ['q.>'] });
  const consumer = (more: Partial<Row> = {}): Omit<Row, 'name' | 'says'> => ({
    key: 'consumer S/w',
    from: { ack_policy: 'explicit', filter_subject: 'q.1' },
    to: { ack_policy: 'explicit', filter_subjects: ['q.1', 'q.2'] },
    live: { figures: { delivered_stream_seq: 1 } },
    others: [stream()],
    wanted: [queue],
    ...more,
  });
  const behind = (count: number, what: string, on = 'q.2'): string =>
    `refuse RISK_STRANDED filter_subject --allow-data-loss ${count}: consumer S/w: up to ${what} on ${on} lie behind what it has delivered, so no worker gets them`;
  const left = (count: number, what: string): string =>
    `refuse RISK_STRANDED filter_subject --allow-data-loss ${count}: consumer S/w: no consumer takes ${what} any more that this one took until now`;
  const figures = (gained: number, dropped: number) => [
    { field: 'gained', count: gained, exact: false },
    { field: 'dropped', count: dropped, exact: true },
  ];
  test.each<Row>([
    {
      name: 'one figure of the two',
      ...consumer({ losses: figures(2, 3).slice(1) }),
      says: [behind(50, '50 messages'), left(3, '3 stored messages')],
    },
    {
      name: 'the other figure of the two',
      ...consumer({ losses: figures(2, 3).slice(0, 1) }),
      says: [behind(2, '2 messages')],
    },
    {
      name: 'the figures in another order',
      ...consumer({ losses: figures(2, 3).reverse() }),
      says: [behind(2, '2 messages'), left(3, '3 stored messages')],
    },
    {
      name: 'two that it gains',
      ...consumer({ to: { ack_policy: 'explicit', filter_subjects: ['q.1', 'q.2', 'q.3'] } }),
      says: [behind(50, '50 messages', 'q.2, q.3')],
    },
    {
      name: 'where it held two and keeps one',
      ...consumer({
        from: { ack_policy: 'explicit', filter_subjects: ['q.1', 'q.2'] },
        to: { ack_policy: 'explicit', filter_subject: 'q.2' },
      }),
      says: [],
    },
    {
      name: 'where it is made again',
      ...consumer({ to: { ack_policy: 'explicit', filter_subjects: ['q.1', 'q.2'], replay_policy: 'original' } }),
      says: [
        'refuse RISK_REPLACE replay_policy --allow-replace: consumer S/w must be deleted and made again to change replay_policy',
        'warning RISK_REDELIVERY 50: consumer S/w: re-creating it redelivers up to 50 messages that it gave up, answered since or not, with their delivery count at 1; their DLQ entries stay',
      ],
    },

    { name: 'unmeasured: all', ...consumer(), says: [behind(50, '50 messages')] },
    { name: 'measured', ...consumer({ losses: figures(1, 0) }), says: [behind(1, '1 message')] },
    { name: 'measured as none', ...consumer({ losses: figures(0, 0) }), says: [] },
    {
      name: 'dropped',
      ...consumer({ losses: figures(0, 1) }),
      says: [left(1, '1 stored message')],
      hint: 'let it finish them first, or give another consumer their subjects',
    },
    {
      name: 'both',
      ...consumer({ losses: figures(2, 3) }),
      says: [behind(2, '2 messages'), left(3, '3 stored messages')],
    },
    { name: 'where it has delivered nothing yet', ...consumer({ live: {} }), says: [] },
    {
      name: 'where it gains nothing',
      ...consumer({ to: { ack_policy: 'explicit', filter_subject: 'q.1', max_deliver: 3 } }),
      says: [],
    },
    {
      name: 'where it held what it gains in a wider filter',
      ...consumer({ from: { ack_policy: 'explicit', filter_subject: 'q.*' } }),
      says: [],
    },
    {
      name: 'in an empty stream',
      ...consumer({ others: [live('stream S', { ...QUEUE, subjects: ['q.>'] })] }),
      says: [],
    },
    {
      name: 'in a stream that is no workqueue',
      ...consumer({
        others: [stream({ retention: 'limits' })],
        wanted: [want('stream S', { ...QUEUE, subjects: ['q.>'], retention: 'limits' })],
      }),
      says: [],
    },
    {
      name: 'of a consumer that is new',
      ...consumer({
        from: undefined as never,
        others: [live('stream S', { ...QUEUE, subjects: ['q.>'] }, { figures: { messages: 50, consumer_count: 1 } })],
      }),
      says: [],
    },
  ])('$name', check);
});

describe('what stands behind a bucket', () => {
  test('is told where it is not as it must be', () => {
    const stream = live('bucket b');
    const odd = { ...stream, config: { ...stream.config, discard: 'old', no_ack: true } };
    expect(told({ key: 'bucket b', to: {}, others: [odd as typeof stream] })).toEqual([
      "warning RISK_BACKING: bucket b: its stream is not as a bucket's must be (backing.discard, backing.no_ack)",
    ]);
  });
});
