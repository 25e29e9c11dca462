import { describe, expect, test } from '@jest/globals';
import { Held } from '../../../src/lib/dlq/held.ts';
import { parseIds } from '../../../src/lib/dlq/id.ts';
import type { JournalEntry } from '../../../src/lib/ledger/journal.ts';
import { at, death, record } from './builders.ts';

// The stream of now was made in second 100, another before it in second 10.
const NOW = at(100);
const CREATED = new Map([
  ['REQUESTS', NOW],
  ['GONE', ''],
]);

const held = (seq: number, created: string, fields: Partial<JournalEntry> = {}, stream = 'REQUESTS'): JournalEntry => ({
  ...({ headers: new Uint8Array(0), payload: new Uint8Array(0), subject: 'requests.dns', msgId: '' } as JournalEntry),
  id: `${stream}/worker/${seq}`,
  original: { stream, seq, time: at(5), created },
  records: [],
  stored: [{ seq: 900 + seq }] as unknown as JournalEntry['stored'],
  ...fields,
});

const current = held(7, NOW);
const former = held(7, at(10));
const ofOne = (time: number, fields: Parameters<typeof death>[0] = {}) =>
  death({ record: record({ seq: 50, time: at(time), stored: at(time + 1) }), ...fields });

test('what a replay holds is of the stream as it is, or of one before', () => {
  const all = new Held(
    [current, former, held(8, ''), held(9, at(1), {}, 'GONE'), held(9, at(1), {}, 'UNKNOWN')],
    CREATED,
  );
  expect(all.size).toBe(5);
  expect(['7', '8'].map((seq) => all.current(`REQUESTS/worker/${seq}`)?.original.created)).toEqual([NOW, '']);
  // Of a queue that is not there, or of which nobody knows when it was made, it is the message of that number.
  expect([all.current('GONE/worker/9')?.id, all.current('UNKNOWN/worker/9')?.id]).toEqual([
    'GONE/worker/9',
    'UNKNOWN/worker/9',
  ]);
  expect(all.current('REQUESTS/worker/9')).toBeUndefined();
  expect(new Held([former], CREATED).current(former.id)).toBeUndefined();
});

describe('a death', () => {
  const named = held(7, at(10), { records: [{ stream: 'dlq', seq: 50, time: at(201), created: '' }] });
  test.each([
    ['that was told before the stream of now was made', former, ofOne(99.999), true],
    ['that was told when it was made', former, ofOne(100), false],
    ['that was told after', former, ofOne(200), false],
    ['whose record was written down with it', named, ofOne(200), true],
    [
      'whose record has another number',
      held(7, at(10), { records: [{ ...named.records[0]!, seq: 51 }] }),
      ofOne(200),
      false,
    ],
    [
      'whose record is in another DLQ',
      held(7, at(10), { records: [{ ...named.records[0]!, stream: 'd' }] }),
      ofOne(200),
      false,
    ],
    [
      'whose record is of another time',
      held(7, at(10), { records: [{ ...named.records[0]!, time: at(1) }] }),
      ofOne(200),
      false,
    ],
    ['that does not tell its sequence', former, ofOne(0, { pointsAtOriginal: false }), false],
    ['of another id', former, ofOne(0, { id: 'REQUESTS/worker/8' }), false],
    ['where only the message of now is held', current, ofOne(0), false],
  ])('%s is of a former stream: %#', (_, one, of, want) => {
    expect(new Held([one], CREATED).isFormer(of)).toBe(want);
  });

  test('of two streams before goes to the one that its record was written down with', () => {
    const both = new Held([named, former], CREATED);
    const [newer, old, now] = [
      ofOne(200),
      ofOne(20, { record: record({ seq: 40, time: at(20) }) }),
      ofOne(300, { record: record({ seq: 60, time: at(300) }) }),
    ];
    const { former: parts, rest } = both.part({ deaths: [old, newer, now], wasTold: true });
    expect(parts).toEqual([{ held: named, deaths: [old, newer] }]);
    expect(rest).toEqual({ deaths: [now], wasTold: true });
    expect(both.part({ deaths: [now] })).toEqual({ former: [], rest: { deaths: [now] } });
    expect(new Held([], CREATED).part({ deaths: [old] })).toEqual({ former: [], rest: { deaths: [old] } });
  });
});

test('what no record spoke of is left, queue by queue', () => {
  const other = held(7, at(1), {}, 'GONE');
  const all = new Held([current, former, other], CREATED);
  expect(all.untold('REQUESTS')).toEqual([current, former]);
  expect([all.tell(current), all.tell(current)]).toEqual([true, false]);
  expect(all.untold('REQUESTS')).toEqual([former]);
  expect(all.untold('GONE')).toEqual([other]);
  expect(all.untold('NONE')).toEqual([]);
});

test('what is named by its place in the journal is looked for under its id', () => {
  const all = new Held([current, former, held(8, at(10))], CREATED);
  const ids = (...texts: string[]) => all.placed(parseIds(texts)).map(({ text }) => text);
  expect(ids('KV_osapi_ops/-/907')).toEqual(['REQUESTS/worker/7']);
  expect(ids('908', '907')).toEqual(['REQUESTS/worker/7', 'REQUESTS/worker/8']);
  expect(ids('KV_osapi_ops/-/900', 'REQUESTS/worker/7')).toEqual([]);
});
