import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ArchiveLine, parseArchiveLine, printArchiveLine, restored } from '../../../src/lib/dlq/archive.ts';
import { carryOriginal, restoreRecord } from '../../../src/lib/replay/imported.ts';
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

const sealed = (content: object): string =>
  JSON.stringify({ ...content, digest: createHash('sha256').update(JSON.stringify(content)).digest('hex') });
const advisory = stored({ stream: 'dlq' });
const full = () => {
  const { digest: _digest, ...content } = JSON.parse(
    printArchiveLine(entry({ inner: { ...entry().inner, records: [record({ raw: advisory })] } })),
  );
  return content;
};

test.each<{ path: string; bad: unknown[]; good?: unknown[] }>([
  { path: 'stream_created', bad: [5, null], good: [''] },
  { path: 'records', bad: [null, {}], good: [[]] },
  { path: 'records.0', bad: [null, 'x'] },
  { path: 'records.0.kind', bad: [5, undefined] },
  { path: 'records.0.seq', bad: ['1', 1.5] },
  { path: 'records.0.stream', bad: [1] },
  { path: 'records.0.subject', bad: [1] },
  { path: 'records.0.time', bad: [1], good: [''] },
  { path: 'records.0.headers', bad: [1], good: [''] },
  { path: 'records.0.payload', bad: [1], good: [''] },
  { path: 'original', bad: ['x', {}], good: [null] },
  { path: 'entry', bad: [null, []] },
  { path: 'entry.queue', bad: ['A.B'] },
  { path: 'entry.consumer', bad: ['a/b'] },
  { path: 'entry.seq', bad: [0] },
  { path: 'entry.id', bad: [1] },
  { path: 'entry.state', bad: [null] },
  { path: 'entry.reason', bad: [null] },
  { path: 'entry.subject', bad: [1, undefined], good: [null] },
  { path: 'entry.request_id', bad: [1], good: [null] },
  { path: 'entry.died_at', bad: [1], good: [null] },
  { path: 'entry.published_at', bad: [1], good: [null] },
  { path: 'entry.deliveries', bad: ['3'], good: [null, 0] },
  { path: 'entry.detail', bad: [3, {}], good: [null, undefined, 'words'] },
  { path: 'entry.size', bad: ['3'], good: [null, 0] },
  { path: 'entry.replays', bad: ['0', null], good: [0] },
])('a line whose digest fits has a $path of its kind', ({ path, bad, good = [] }) => {
  const reads = (value: unknown): boolean => {
    const content = full();
    const keys = path.split('.');
    const last = keys.pop()!;
    keys.reduce((at, key) => at[key], content)[last] = value;
    try {
      parseArchiveLine(sealed(content), 'a:1');
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'USAGE_FILE', hints: [expect.any(String)] });
      return false;
    }
  };
  expect(bad.map(reads)).toEqual(bad.map(() => false));
  expect(good.map(reads)).toEqual(good.map(() => true));
});

test.each([
  { version: undefined, why: 'Its version is null, not 1.' },
  { version: 'x'.repeat(30), why: `Its version is "${'x'.repeat(19)}, not 1.` },
])('a version that is none is told in few letters', ({ version, why }) => {
  expect(() => parseArchiveLine(sealed({ ...full(), version }), 'a:1')).toThrow(expect.objectContaining({ why }));
});

test('a message that only its record carried is told apart from one of the queue', () => {
  const { original: _original, ...inner } = entry().inner;
  expect(parseArchiveLine(printArchiveLine(entry({ inner })), 'a:1').original_in).toBe('record');
});

test('a line that was forged, its digest too, is refused or can be imported; nothing else is thrown', () => {
  const message = stored();
  const inner = { ...entry().inner, message, original: message, records: [record({ raw: stored({ stream: 'dlq' }) })] };
  const whole = JSON.parse(printArchiveLine(entry({ inner })));
  const paths = ['entry', 'records', 'original', 'original_in', 'stream_created']
    .map((key) => [key])
    .concat(Object.keys(whole.entry).map((key) => ['entry', key]))
    .concat(Object.keys(whole.original).map((key) => ['original', key]))
    .concat(Object.keys(whole.records[0]).map((key) => ['records', '0', key]));
  const forged = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(undefined, '__proto__', 2 ** 60, -1, '\u0007', '$JS.API.INFO'),
  );
  fc.assert(
    fc.property(fc.constantFrom(...paths), forged, (path, value) => {
      const { digest: _digest, ...content } = structuredClone(whole);
      const last = path.at(-1)!;
      path.slice(0, -1).reduce((at, key) => at[key], content)[last] = value;
      const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
      let line: ArchiveLine;
      try {
        line = parseArchiveLine(JSON.stringify({ ...content, digest }), 'a:1');
      } catch (error) {
        expect(error).toMatchObject({ code: 'USAGE_FILE' });
        return;
      }
      carryOriginal(line)?.headers('id');
      for (const [index, one] of line.records.entries()) restoreRecord(line, one, index).headers('id');
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['', true],
  ['YQ==', true],
  ['YWI=', true],
  ['YWJj', true],
  ['YW+/', true],
  ['YWJ', false],
  ['YQ', false],
  ['Y===', false],
  ['YW-_', false],
  ['YW Jj', false],
  ['not base64!!', false],
])('a payload %j in an archive is base64: %p', (payload, isWhole) => {
  const { digest: _, ...content } = JSON.parse(printArchiveLine(entry())) as ArchiveLine;
  const changed = { ...content, original: { ...content.original!, payload } };
  const digest = createHash('sha256').update(JSON.stringify(changed)).digest('hex');
  const read = () => parseArchiveLine(JSON.stringify({ ...changed, digest }), 'a:1');
  if (isWhole) expect(read().original!.payload).toBe(payload);
  else expect(read).toThrow('this is no line of an archive');
});
