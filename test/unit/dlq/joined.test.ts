import { describe, expect, test } from '@jest/globals';
import type { Death } from '../../../src/lib/dlq/death.ts';
import { alone, joinDeaths, keyOfDeath, lettersOf } from '../../../src/lib/dlq/told.ts';
import { at, death, record, stored } from './builders.ts';

interface Carried {
  readonly subject?: string;
  /** When it was published. */
  readonly time?: string;
  readonly id?: string;
}

const reject = (seq: number, payload: string, { subject = 'requests.dns', time = '', id }: Carried = {}) =>
  death({
    record: record({ seq, kind: 'rejected', reason: 'rejected', time: at(seq) }),
    carried: stored({ payload, subject, time, ...(id && { headers: [{ name: 'Nats-Msg-Id', value: id }] }) }),
  });
const advisory = (seq: number, time = at(seq)) => death({ record: record({ seq, time }) });

/** Which entries there are, and which records go with each. */
const parted = (of: readonly Death[], ...[message, created]: [ReturnType<typeof stored>?, string?]) =>
  lettersOf(joinDeaths(of), message, created).map(({ death: { id }, records }) => [
    id,
    ...records.map(({ seq }) => seq),
  ]);
const OWN = 'REQUESTS/worker/7';

describe('records of one id', () => {
  test.each([
    { name: 'the same message told twice is one', of: [reject(1, 'a'), reject(2, 'a')], want: [[OWN, 1, 2]] },
    {
      name: 'another payload is another: its record is the only copy',
      of: [reject(1, 'old'), reject(2, 'new')],
      want: [
        [OWN, 2],
        ['dlq/-/1', 1],
      ],
    },
    {
      name: 'so is another subject',
      of: [reject(1, 'a', { subject: 'requests.x' }), reject(2, 'a')],
      want: [
        [OWN, 2],
        ['dlq/-/1', 1],
      ],
    },
    {
      name: 'so is another time',
      of: [reject(1, 'a', { time: at(0) }), reject(2, 'a', { time: at(1) })],
      want: [
        [OWN, 2],
        ['dlq/-/1', 1],
      ],
    },
    {
      name: 'a time told to fewer digits is the same',
      of: [
        reject(1, 'a', { time: '2026-01-02T03:00:00.123456Z' }),
        reject(2, 'a', { time: '2026-01-02T03:00:00.123456789Z' }),
      ],
      want: [[OWN, 1, 2]],
    },
    {
      name: 'so is another header',
      of: [reject(1, 'a', { id: 'x' }), reject(2, 'a')],
      want: [
        [OWN, 2],
        ['dlq/-/1', 1],
      ],
    },
    { name: 'an advisory goes with what it tells of', of: [advisory(1), reject(2, 'a')], want: [[OWN, 1, 2]] },
    {
      name: 'an advisory goes with what died at its moment',
      of: [advisory(3, at(1)), reject(1, 'old'), reject(2, 'new')],
      want: [
        [OWN, 2],
        ['dlq/-/1', 1, 3],
      ],
    },
  ])('$name', ({ of, want }) => {
    expect(parted(of)).toEqual(want);
  });

  test.each([
    {
      name: 'that carries what is stored, by its time',
      of: [reject(5, 'a', { time: at(1) })],
      want: [[OWN, 5]],
    },
    {
      name: 'that carries the like, published at another time',
      of: [reject(5, 'a', { time: at(0) })],
      want: [['dlq/-/5', 5]],
    },
    { name: 'without a time that carries the like', of: [reject(5, 'a')], want: [[OWN, 5]] },
    { name: 'without a time that is as old', of: [reject(1, 'a')], want: [[OWN, 1]] },
    { name: 'without a time that is older', of: [reject(0, 'a')], want: [['dlq/-/0', 0]] },
    {
      name: 'without a time that is older than the stream',
      of: [reject(5, 'a')],
      created: at(6),
      want: [['dlq/-/5', 5]],
    },
    { name: 'without a time that carries another id', of: [reject(5, 'a', { id: 'x' })], want: [['dlq/-/5', 5]] },
    { name: 'that carries another payload', of: [reject(5, 'b')], want: [['dlq/-/5', 5]] },
    {
      name: 'of another, and an advisory of this one',
      of: [reject(0, 'b'), advisory(5)],
      want: [
        [OWN, 5],
        ['dlq/-/0', 0],
      ],
    },
    {
      name: 'of another, and an advisory that is too old for this one',
      of: [advisory(0), reject(5, 'b')],
      want: [['dlq/-/5', 0, 5]],
    },
    { name: 'too old an advisory alone', of: [advisory(0)], want: [[OWN, 0]] },
    {
      name: 'of two others, and this one',
      of: [reject(2, 'b'), reject(3, 'c'), reject(4, 'a'), reject(5, 'b')],
      want: [
        [OWN, 4],
        ['dlq/-/5', 2, 5],
        ['dlq/-/3', 3],
      ],
    },
  ])('where another may be stored: $name', ({ of, created = at(-100), want }) => {
    expect(parted(of, stored({ payload: 'a', time: at(1) }), created)).toEqual(want);
  });

  test('what goes by its place is not looked up by its sequence', () => {
    const [letter] = lettersOf(alone(reject(5, 'b')), stored({ payload: 'a' }), at(-100));
    expect(letter!.death).toMatchObject({ id: 'dlq/-/5', seq: 7, pointsAtOriginal: false });
    const nameless: Death = { ...reject(5, 'b'), id: 'dlq/-/5', pointsAtOriginal: false };
    expect(lettersOf(alone(nameless))).toEqual([{ death: nameless, records: [nameless.record] }]);
  });
});

describe('records of one message, as one', () => {
  const told = (fields: Parameters<typeof record>[0]) => death({ record: record(fields) });
  const removal = { reason: 'terminated', detail: 'Message deleted by stream limits' } as const;
  test.each([
    {
      name: 'the newest by time',
      of: [told({ seq: 2, time: at(1) }), told({ seq: 1, time: at(2) })],
      speaks: 1,
      order: [2, 1],
    },
    { name: 'at one time, the one stored later', of: [told({ seq: 2 }), told({ seq: 1 })], speaks: 2, order: [1, 2] },
    {
      name: 'that it went later says nothing',
      of: [told({ seq: 1, time: at(1) }), told({ seq: 2, time: at(2), ...removal })],
      speaks: 1,
      order: [1, 2],
    },
    {
      name: 'unless nothing else is told',
      of: [1, 2, 3].map((seq) => told({ seq, time: at(seq), ...removal })),
      speaks: 3,
      order: [1, 2, 3],
    },
  ])('speak by $name', ({ of, speaks, order }) => {
    const [letter] = lettersOf(joinDeaths(of));
    expect(letter!.death.record.seq).toBe(speaks);
    expect(letter!.records.map(({ seq }) => seq)).toEqual(order);
  });

  test('keep the newest copy, where the newest of them has none', () => {
    const newest = told({ seq: 3, time: at(3) });
    const letterOf = (of: readonly Death[]) => lettersOf(joinDeaths(of))[0]!.death;
    expect(letterOf([reject(1, 'old'), reject(2, 'new'), newest])).toEqual({
      ...newest,
      carried: stored({ payload: 'new', time: '' }),
    });
    expect(letterOf([told({ seq: 1 })])).not.toHaveProperty('carried');
    expect(letterOf([reject(1, 'old'), reject(2, 'new')]).carried).toEqual(stored({ payload: 'new', time: '' }));
  });

  test('are of one message by stream and consumer, or by where they lie', () => {
    expect(keyOfDeath(death())).toBe('REQUESTS/worker');
    expect(keyOfDeath(death({ pointsAtOriginal: false, id: 'dlq/-/7' }))).toBe('dlq//');
    expect(alone(death())).toEqual({ deaths: [death()] });
  });
});
