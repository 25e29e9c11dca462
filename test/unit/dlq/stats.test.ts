import { describe, expect, test } from '@jest/globals';
import { parseDimensions } from '../../../src/lib/dlq/dimension.ts';
import { createStats } from '../../../src/lib/dlq/stats.ts';
import { lifeOf } from '../../../src/lib/dlq/timeline.ts';
import { type Entry, MOST_REPLAYS } from '../../../src/lib/model/entry.ts';
import { at, consumer, entry, record, stored } from './builders.ts';

describe('what entries are grouped by', () => {
  const line = (name: string, value: string) => ({ name, value });
  const of = (text: string, one: Entry): string | null => parseDimensions([text])[0]!.valueOf(one);
  const withMessage = (message: Parameters<typeof stored>[0]) =>
    entry({ detail: 'no such kind', inner: { ...entry().inner, message: stored(message) } });
  test('a number too large for JavaScript is no null', () => {
    const values = ['1e400', 'null', '2e400', '1'].map((n) => of('json:.n', withMessage({ payload: `{"n":${n}}` })));
    expect(values).toEqual(['1e400', 'null', '2e400', '1']);
  });

  const headers = [line('trace', 'low'), line('Trace', 'exact'), line('Long', 'x'.repeat(201)), line('Text', 'Ã¤')];
  const whole = withMessage({ payload: '{"kind":"dns","n":5,"list":[1],"long":12345678901234567890}', headers });
  const { message: _message, original: _original, ...inner } = entry().inner;
  const nothing = entry({ subject: null, died_at: null, published_at: null, inner });

  test.each([
    { by: 'queue', want: 'REQUESTS', none: 'REQUESTS' },
    { by: 'consumer', want: 'worker', none: 'worker' },
    { by: 'subject', want: 'requests.dns', none: null },
    { by: 'reason', want: 'max_deliveries', none: 'max_deliveries' },
    { by: 'state', want: 'replayable', none: 'replayable' },
    { by: 'day', want: '2026-01-02', none: null },
    { by: 'hour', want: '2026-01-02T03', none: null },
    { by: 'detail', want: 'no such kind', none: null },
    { by: 'header:Trace', want: 'exact', none: null },
    { by: 'header:TRACE', want: 'low', none: null },
    { by: 'header:Long', want: 'x'.repeat(201), none: null },
    { by: 'header:Text', want: 'ä', none: null },
    { by: 'header:None', want: null, none: null },
    { by: 'json:.kind', want: 'dns', none: null },
    { by: 'json:.n', want: '5', none: null },
    { by: 'json:.list', want: '[1]', none: null },
    { by: 'json:.long', want: '12345678901234567890', none: null },
    { by: 'json:.none', want: null, none: null },
  ])('$by', ({ by, want, none }) => {
    expect([of(by, whole), of(by, nothing)]).toEqual([want, none]);
  });

  test.each([
    { payload: `"${'x'.repeat(201)}"`, want: 'x'.repeat(201) },
    { payload: '', want: null },
    { payload: 'no json', want: null },
    { payload: `"${'x'.repeat(4 * 1024 * 1024 - 2)}"`, want: 'x'.repeat(4 * 1024 * 1024 - 2) },
    { payload: `"${'x'.repeat(4 * 1024 * 1024 - 1)}"`, want: null },
  ])('a whole payload', ({ payload, want }) => {
    expect(of('json:.', withMessage({ payload }))).toBe(want);
  });

  test('an orphan by when it was published', () => {
    expect(of('hour', entry({ died_at: null, published_at: '2026-01-01T01:59:59Z' }))).toBe('2026-01-01T01');
  });

  test.each([
    'header:',
    'header:A B',
    'header:A:B',
    'xheader:A',
    'json:a',
    'json:',
    '.a',
    'other.kind',
    'toString',
    '',
    'queue,',
  ])('"%s" is nothing to group by', (text) => {
    const want = { code: 'USAGE', where: '--by', hints: expect.arrayContaining([expect.stringContaining('--by')]) };
    expect(() => parseDimensions([text])).toThrow(
      expect.objectContaining({
        ...want,
        message: expect.stringContaining(`"${text.split(',').at(-1)}"`),
        why: expect.stringContaining('subject, consumer, reason'),
      }),
    );
  });

  test('several, with blanks between', () => {
    expect(parseDimensions([' queue , header:A']).map(({ name }) => name)).toEqual(['queue', 'header:A']);
  });
});

describe('groups', () => {
  const count = (entries: readonly Entry[], by = 'subject') => {
    const stats = createStats(parseDimensions([by]), { words: [], filter: {} });
    for (const one of entries) stats.add(one);
    return stats.result();
  };
  const one = (id: string, died: string | null, subject = 's') =>
    entry({ id, subject, died_at: died, published_at: null });

  test('come by their size, those of one size by their sample', () => {
    const entries = ['c', 'a', 'b', 'b', 'd'].map((subject) => one(subject, at(1), subject));
    expect(count(entries).groups.map(({ sample }) => sample)).toEqual(['b', 'a', 'c', 'd']);
    expect(count([...entries].reverse()).groups.map(({ sample }) => sample)).toEqual(['b', 'a', 'c', 'd']);
  });

  test.each([
    { name: 'no time known', times: [null, null], want: [null, null, '0'] },
    { name: 'the second known', times: [null, at(1)], want: [at(1), at(1), '1'] },
    { name: 'the first known', times: [at(1), null], want: [at(1), at(1), '0'] },
    { name: 'the later first', times: [at(2), at(1)], want: [at(1), at(2), '0'] },
    { name: 'the later last', times: [at(1), at(2)], want: [at(1), at(2), '1'] },
    { name: 'both at once: the first is the sample', times: [at(1), at(1)], want: [at(1), at(1), '0'] },
  ])('have their first and last death: $name', ({ times, want }) => {
    const [group] = count(times.map((time, index) => one(String(index), time))).groups;
    expect([group!.first_seen, group!.last_seen, group!.sample]).toEqual(want);
    expect(group!.count).toBe(2);
  });

  test('at one moment in two spellings keep the first', () => {
    const spelled = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z'];
    const [group] = count(spelled.map((time, index) => one(String(index), time))).groups;
    expect([group!.first_seen, group!.last_seen]).toEqual([spelled[0], spelled[0]]);
  });

  test.each([
    { values: 20_000, want: { total: 20_000, groups: 20_000, others: undefined } },
    { values: 20_002, want: { total: 20_002, groups: 20_000, others: 2 } },
  ])('of $values values', ({ values, want }) => {
    const { total, groups, others } = count(
      Array.from({ length: values }, (_, index) => one('i', null, String(index))),
    );
    expect({ total, groups: groups.length, others }).toEqual(want);
  });
});

describe('the line that replays a group', () => {
  const lineOf = (entries: readonly Partial<Entry>[], limit?: number) => {
    const filter = { queues: ['Q'], ...(limit !== undefined && { limit }) };
    const stats = createStats(parseDimensions(['subject']), { words: ['replay'], filter });
    entries.forEach((one, index) => void stats.add(entry({ id: String(index), subject: 's', ...one })));
    return stats.result().groups[0]!.replay;
  };
  const many = (count: number) => Array.from({ length: count }, () => ({}));

  test.each<{ name: string; of: readonly Partial<Entry>[]; limit?: number; want: string | null }>([
    { name: 'fresh ones', of: many(2), want: 'replay --queue Q --where subject=s' },
    { name: 'nothing that is left', of: [{ state: 'gone' }], want: null },
    {
      name: 'what is gone beside others',
      of: [{ state: 'gone', replays: 9 }, {}],
      want: 'replay --queue Q --where subject=s',
    },
    { name: 'just not parked', of: [{ replays: MOST_REPLAYS - 1 }], want: 'replay --queue Q --where subject=s' },
    { name: 'parked', of: [{ replays: MOST_REPLAYS }], want: 'replay --queue Q --where subject=s --max-replays 4' },
    {
      name: 'parked among others',
      of: [{}, { replays: 5 }, {}],
      want: 'replay --queue Q --where subject=s --max-replays 6',
    },
    { name: 'fewer than the limit', of: many(2), limit: 3, want: 'replay --queue Q --where subject=s' },
    {
      name: 'as many as the limit',
      of: [{}, { state: 'gone' }, { replays: 3 }],
      limit: 3,
      want: 'replay 0 2 --max-replays 4',
    },
    { name: 'the most that are named', of: many(20), limit: 20, want: `replay ${[...many(20).keys()].join(' ')}` },
    { name: 'more than are named', of: many(21), limit: 21, want: null },
  ])('of $name', ({ of, limit, want }) => {
    expect(lineOf(of, limit)).toBe(want);
  });
});

describe('a life', () => {
  const told = (...args: Parameters<typeof lifeOf>) =>
    lifeOf(...args).map(({ at: time, event, detail }) => `${time} ${event}: ${detail}`);
  const advisory = (fields: Parameters<typeof record>[0]) => record({ deliveries: null, ...fields });
  const { message: _message, original: _original, ...inner } = entry().inner;

  test.each([
    { name: 'given up', of: advisory({}), want: 'died: given up' },
    { name: 'given up after one', of: advisory({ deliveries: 1 }), want: 'died: given up after 1 delivery' },
    { name: 'given up after two', of: advisory({ deliveries: 2 }), want: 'died: given up after 2 deliveries' },
    {
      name: 'terminated with words',
      of: advisory({ reason: 'terminated', deliveries: 2, detail: 'no' }),
      want: 'died: terminated by the worker after 2 deliveries: no',
    },
    {
      name: 'rejected',
      of: advisory({ kind: 'rejected', reason: 'rejected' }),
      want: 'died: rejected by the worker',
    },
    {
      name: 'let go by the server',
      of: advisory({ reason: 'terminated', detail: 'Message deleted by stream limits' }),
      want: expect.stringMatching(/^removed: not there any more/),
    },
  ])('ends as its record tells: $name', ({ of, want }) => {
    const [, last] = lifeOf(entry({ deliveries: null, inner: { ...entry().inner, records: [of] } }), undefined);
    expect(`${last!.event}: ${last!.detail}`).toEqual(want);
    expect(last!.at).toBe(at(60));
  });

  test.each([
    {
      name: 'a copy',
      header: 'REQUESTS/worker/3',
      want: 'replayed: replayed 2× before, last as a copy of REQUESTS/worker/3',
    },
    { name: 'one that does not say of what', header: undefined, want: 'replayed: replayed 2× before' },
  ])('begins with what it is a copy of: $name', ({ header, want }) => {
    const headers = header === undefined ? [] : [{ name: 'Osapi-Replay-Of', value: header }];
    const lines = told(
      entry({ replays: 2, deliveries: null, inner: { ...entry().inner, message: stored({ headers }) } }),
      undefined,
    );
    expect(lines.slice(0, 2)).toEqual([`null ${want}`, `${at(0)} published: this copy was published on requests.dns`]);
  });

  test('of one that was never replayed begins with its publishing', () => {
    expect(told(entry({ deliveries: null }), undefined)).toEqual([
      `${at(0)} published: published on requests.dns`,
      `${at(60)} died: given up after 3 deliveries`,
    ]);
  });

  test('of which nothing is left says why, unless its record has words', () => {
    const gone = (detail?: string) =>
      told(
        entry({
          published_at: null,
          replays: 1,
          detail: detail ?? null,
          inner: { ...inner, cause: 'acked_or_removed' },
        }),
        consumer(),
      );
    const died = `${at(60)} died: given up after 3 deliveries`;
    expect(gone()).toEqual([died, 'null died: the original is not there: acked or removed']);
    expect(gone('x')).toEqual([died]);
  });

  test('of one death with two records, the server’s and one that carries the message, tells it once', () => {
    const carried = record({ kind: 'rejected', seq: 2 });
    const again = record({ time: at(90), seq: 3 });
    const records = [record({}), carried, again, record({ reason: 'terminated', seq: 4 })];
    const deaths = lifeOf(entry({ inner: { ...entry().inner, records } }), undefined).filter(
      ({ event }) => event === 'died',
    );
    expect(deaths.map(({ at: time, detail }) => `${time} ${detail}`)).toEqual([
      `${at(60)} given up after 3 deliveries`,
      `${at(90)} given up after 3 deliveries`,
      `${at(60)} terminated by the worker after 3 deliveries`,
    ]);
  });

  test('has no delivery before one that failed, however late a worker came', () => {
    const failures = [{ at: at(40), delivery: 2, reason: 'no route', next_delivery_at: at(45) }];
    const lines = told(entry({ deliveries: 3 }), consumer({ waits: [5e9] }), failures);
    expect(lines.slice(1, 4)).toEqual([
      `${at(0)} delivered: delivery 1 of 3, no ack within 5s, or a nak`,
      `${at(40)} delivered: delivery 2 of 3 failed: no route`,
      `${at(45)} delivered: delivery 3 of 3, no ack within 5s, or a nak`,
    ]);
  });

  test('of an orphan ends without a time', () => {
    expect(told(entry({ deliveries: null, inner: { ...entry().inner, records: [] } }), undefined).at(-1)).toBe(
      'null died: died without an advisory: nobody knows when',
    );
  });

  const delivered = (one: Entry, waits?: number[]) =>
    lifeOf(one, waits && consumer({ waits })).filter(({ event }) => event === 'delivered');
  test.each([
    { name: 'no consumer', one: entry(), waits: undefined, want: 0 },
    { name: 'no count', one: entry({ deliveries: null }), waits: [1e9], want: 0 },
    { name: 'a count of 0', one: entry({ deliveries: 0 }), waits: [1e9], want: 0 },
    { name: 'no time of publishing', one: entry({ published_at: null }), waits: [1e9], want: 0 },
    { name: 'another reason', one: entry({ reason: 'rejected' }), waits: [1e9], want: 0 },
    { name: 'twelve', one: entry({ deliveries: 12 }), waits: [1e9], want: 12 },
    { name: 'thirteen: the twelfth is left out', one: entry({ deliveries: 13 }), waits: [1e9], want: 12 },
    { name: 'fourteen: two are', one: entry({ deliveries: 14 }), waits: [1e9], want: 12 },
  ])('has its deliveries: $name', ({ one, waits, want }) => {
    expect(delivered(one, waits)).toHaveLength(want);
  });

  test('tells each delivery with its wait; the last wait goes for all that follow', () => {
    expect(delivered(entry({ deliveries: 4 }), [5e9, 10e9]).map(({ at: time, detail }) => `${time} ${detail}`)).toEqual(
      [
        `${at(0)} delivery 1 of 4, no ack within 5s, or a nak`,
        `${at(5)} delivery 2 of 4, no ack within 10s, or a nak`,
        `${at(15)} delivery 3 of 4, no ack within 10s, or a nak`,
        `${at(25)} delivery 4 of 4, no ack within 10s, or a nak`,
      ],
    );
    expect(delivered(entry({ deliveries: 13 }), [1e9]).at(-1)!.detail).toMatch(/^delivery 13 of 13/);
    expect(delivered(entry({ deliveries: 1 }), []).map(({ at: time }) => time)).toEqual([at(0)]);
  });
});

test('a life is told in order, the deliveries computed from the waits', () => {
  const events = lifeOf(entry(), consumer({ waits: [5e9, 10e9] }));
  expect(events.map(({ at: time, event, computed }) => `${time} ${event}${computed ? '?' : ''}`)).toEqual([
    `${at(0)} published`,
    `${at(0)} delivered?`,
    `${at(5)} delivered?`,
    `${at(15)} delivered?`,
    `${at(60)} died`,
  ]);
});
