import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseArchiveLine, printArchiveLine, restored } from '../../../src/lib/dlq/archive.ts';
import { entry, record, stored } from './builders.ts';

test('a line gives the message and its records back byte for byte', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), fc.string(), (payload, raw, subject) => {
      const message = stored({ payload, subject, headers: [{ name: 'A', value: '\xff b' }] });
      const advisory = stored({ stream: 'dlq', payload: raw });
      const inner = { ...entry().inner, message, original: message, records: [record({ raw: advisory })] };
      const text = printArchiveLine(entry({ inner }));
      expect(text).not.toContain('\n');
      const line = parseArchiveLine(text, 'a:1');
      expect(line.original_in).toBe('stream');
      expect(restored(line.original!)).toEqual({ ...message, headers: Buffer.from(message.headers) });
      expect(Buffer.from(restored(line.records[0]!).payload).equals(Buffer.from(raw))).toBe(true);
    }),
  );
});

test('an entry of which nothing is left is a line without a message', () => {
  const { message: _message, original: _original, ...inner } = entry().inner;
  const line = parseArchiveLine(printArchiveLine(entry({ state: 'gone', inner })), 'a:1');
  expect(line).toMatchObject({ original: null, original_in: null, entry: { state: 'gone' } });
});

test.each([
  { name: 'cut', change: (text: string) => text.slice(0, -5), why: /not JSON/ },
  { name: 'changed in one character', change: (text: string) => text.replace('r7', 'r8'), why: /digest/ },
  {
    name: 'of a newer version',
    change: (text: string) => text.replace('"version":1', '"version":2'),
    why: /version is 2/,
  },
  { name: 'something else', change: () => '[1]', why: /not a JSON object/ },
])('a line that is $name is refused, with its place', ({ change, why }) => {
  const text = printArchiveLine(entry());
  expect(() => parseArchiveLine(change(text), 'dead.ndjson:17')).toThrow(
    expect.objectContaining({ code: 'USAGE_FILE', where: 'dead.ndjson:17', why: expect.stringMatching(why) }),
  );
});
