import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isStreamName } from '../../../src/lib/facts/tokens.ts';
import { type Intent, parseIntent, parseJournal, printIntent } from '../../../src/lib/ledger/journal.ts';
import { printHeaders } from '../../../src/lib/nats/raw-headers.ts';

const time = '2026-01-02T03:04:05.6Z';
const text = fc.string({ minLength: 1 }).filter(isStreamName);
const name = fc.oneof(fc.constantFrom('REQUESTS', '__proto__', 'constructor', 'toString'), text);
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

describe('an intent', () => {
  test('is read as it was written, whatever its streams are called', () => {
    const seen = (created: string) =>
      fc.record({ stream: name, seq, time: fc.constant(time), created: fc.constant(created) });
    const move = fc.record({
      msgId: fc.string(),
      original: seen('c1'),
      records: fc.array(seen('c1')),
      requestId: fc.string(),
    });
    const target = fc.record({ stream: name, created: fc.string(), after: fc.nat() });
    fc.assert(
      fc.property(fc.array(move), target, (moves, to) => {
        const intent: Intent = { moves, target: to };
        expect(parseIntent(printIntent(intent))).toEqual(intent);
      }),
    );
  });

  test('of 0.1.0 names no time of making; a record without its time is not one that may go', () => {
    const old = {
      moves: [
        { msgId: 'm', subject: 's', original: { stream: 'Q', seq: 1, time }, records: [{ stream: 'D', seq: 2 }] },
      ],
      after: { Q: 7 },
    };
    expect(parseIntent(JSON.stringify(old))).toEqual({
      moves: [{ msgId: 'm', original: { stream: 'Q', created: '', seq: 1, time }, records: [] }],
      target: { stream: 'Q', created: '', after: 7 },
    });
  });

  test('or a journal message of any other text is none, and nothing is thrown', () => {
    const message = { stream: 'KV_osapi_ops', seq: 1, subject: 'k', time, payload: Buffer.from('{}') };
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        parseIntent(text);
        const value = text.replace(/[^ -~]/g, '');
        parseJournal({ ...message, headers: printHeaders([{ name: 'Osapi-Journal', value }]) });
      }),
    );
    expect(parseIntent('[]')).toBeUndefined();
    for (const original of [
      { stream: 'Q', seq: 0, time },
      { stream: 'Q', seq: 1.5, time },
      { stream: 'Q', seq: 1, time: '' },
      { seq: 1, time },
    ]) {
      const facts = Buffer.from(JSON.stringify({ id: 'i', msgId: 'm', subject: 's', original }));
      const headers = printHeaders([{ name: 'Osapi-Journal', value: `${facts.byteLength} 0` }]);
      expect(parseJournal({ ...message, payload: facts, headers })).toBeUndefined();
    }
  });
});
