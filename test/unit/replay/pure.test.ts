import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Entry } from '../../../src/lib/model/entry.ts';
import type { StoredMessage } from '../../../src/lib/model/message.ts';
import { parseStreamInfo } from '../../../src/lib/nats/info.ts';
import { headerValue } from '../../../src/lib/nats/raw-headers.ts';
import { frontOf } from '../../../src/lib/nats/removal.ts';
import { editorWords, parseEdited, printForEdit } from '../../../src/lib/replay/edit-text.ts';
import { createPacer, timeLeft } from '../../../src/lib/replay/pace.ts';
import { toQueueFacts } from '../../../src/lib/replay/queue-facts.ts';
import { whySkipped } from '../../../src/lib/replay/select.ts';

describe('the front of a DLQ that can go as one purge', () => {
  test.each([
    { name: 'all of it', first: 5, stored: [5, 6, 7], ours: [5, 6, 7], want: 7 },
    { name: 'over holes, where nothing is stored', first: 5, stored: [5, 6, 9], ours: [5, 6, 9], want: 9 },
    { name: 'up to the first that stays', first: 5, stored: [5, 6, 7, 8], ours: [5, 6, 8], want: 6 },
    { name: 'nothing where the first one stays', first: 5, stored: [5, 6], ours: [6], want: 0 },
    { name: 'nothing where something lies before', first: 4, stored: [5, 6, 7], ours: [5, 6, 7], want: 0 },
    { name: 'nothing of nothing', first: 1, stored: [], ours: [], want: 0 },
  ])('$name', ({ first, stored, ours, want }) => {
    expect(frontOf(first, stored, new Set(ours))).toBe(want);
  });

  test('never reaches beyond what is to go', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), fc.func(fc.boolean()), (stored, isOurs) => {
        const ours = new Set(stored.filter(isOurs));
        const last = frontOf(Math.min(...stored), stored, ours);
        for (const seq of stored) if (seq <= last) expect(ours.has(seq)).toBe(true);
      }),
    );
  });
});

describe('the pace', () => {
  test('gives every message its moment, and saves nothing up over a pause', () => {
    let now = 0;
    const wait = createPacer(10, () => now);
    expect([wait(), wait(), wait()]).toEqual([0, 100, 200]);
    now = 10_000;
    expect([wait(), wait()]).toEqual([0, 100]);
  });

  test.each([
    { done: 0, total: 10, elapsed: 5000, want: '' },
    { done: 10, total: 110, elapsed: 10_000, want: '100s left' },
    { done: 10, total: 1010, elapsed: 10_000, want: '17m left' },
    { done: 10, total: 10, elapsed: 10_000, want: '' },
  ])('after $done of $total in $elapsed ms: "$want"', ({ done, total, elapsed, want }) => {
    expect(timeLeft(done, total, elapsed)).toBe(want);
  });
});

const message = (change: Partial<StoredMessage> = {}): StoredMessage => ({
  stream: 'REQUESTS',
  seq: 7,
  subject: 'requests.dns',
  time: '2026-11-24T08:00:00Z',
  headers: Buffer.from('NATS/1.0\r\nX: \xff\xfe\r\nY: 1\r\n\r\n', 'latin1'),
  payload: Buffer.from('{"id":"r7"}'),
  ...change,
});

describe('an entry', () => {
  const original = message();
  const base = {
    id: 'REQUESTS/w/7',
    replays: 0,
    inner: { records: [], original, message: original, streamCreated: '' },
  } as unknown as Entry;
  const selection = { maxReplays: 3, lastSeq: 10, filter: {} };

  test.each([
    { name: 'is moved', entry: base, want: undefined },
    {
      name: 'of which nothing is left is not',
      entry: {
        ...base,
        inner: { ...base.inner, original: undefined, message: undefined, cause: 'expired' },
      } as unknown as Entry,
      want: 'gone',
    },
    {
      name: 'that came after the run began is left to the next',
      entry: { ...base, inner: { ...base.inner, original: message({ seq: 11 }) } },
      want: 'new',
    },
    {
      name: 'that may be in flight is left alone',
      entry: base,
      more: { isDoubtful: () => true },
      want: 'uncertain',
    },
    {
      name: 'that its consumer does not take is left alone',
      entry: { ...base, inner: { ...base.inner, untaken: true as const } },
      want: 'untaken',
    },
    {
      name: 'that its consumer does not take is left alone where ids are given and none is there',
      entry: { ...base, inner: { ...base.inner, untaken: true as const } },
      more: { filter: { ids: [] } },
      want: 'untaken',
    },
    {
      name: 'that its consumer does not take moves where it is named',
      entry: { ...base, inner: { ...base.inner, untaken: true as const } },
      more: { filter: { ids: [{ text: '7', seq: 7 }] } },
      want: undefined,
    },
    { name: 'that keeps dying is parked', entry: { ...base, replays: 3 }, want: 'parked' },
    { name: 'one replay below the limit is moved', entry: { ...base, replays: 2 }, want: undefined },
    {
      name: 'in the journal is on its way',
      entry: { ...base, inner: { ...base.inner, journalled: true as const } },
      want: 'journalled',
    },
  ])('$name', ({ entry, more, want }) => {
    expect(whySkipped(entry, { ...selection, ...more })?.why).toBe(want);
  });
});

describe('what a replay has to know of a stream', () => {
  const info = (config: object, consumers = 1) =>
    parseStreamInfo('', {
      config: { name: 'Q', discard: 'new', ...config },
      state: { last_seq: 9, consumer_count: consumers },
    });

  test.each([
    {
      name: 'a work queue gives its original away',
      info: info({ retention: 'workqueue' }),
      want: { removesOriginal: true, drops: false },
    },
    {
      name: 'so does an interest stream of one consumer',
      info: info({ retention: 'interest' }),
      want: { removesOriginal: true },
    },
    {
      name: 'one of two keeps it for the other',
      info: info({ retention: 'interest' }, 2),
      want: { removesOriginal: false },
    },
    {
      name: 'but a copy that is the same takes its place',
      info: info({ retention: 'interest' }, 2),
      want: { movesSame: true },
    },
    {
      name: 'a limits stream of one gives it away',
      info: info({ retention: 'limits' }),
      want: { removesOriginal: true, movesSame: true },
    },
    {
      name: 'of two it keeps it',
      info: info({ retention: 'limits' }, 2),
      want: { removesOriginal: false, movesSame: true },
    },
    {
      name: 'and what denies deletes keeps it always',
      info: info({ retention: 'limits', deny_delete: true }),
      want: { removesOriginal: false, movesSame: false },
    },
    {
      name: 'a work queue that denies deletes is found out by asking',
      info: info({ retention: 'workqueue', deny_delete: true }),
      want: { removesOriginal: true, movesSame: true },
    },
    {
      name: 'one that discards its oldest at a limit drops',
      info: info({ discard: 'old', max_msgs: 10 }),
      want: { drops: true },
    },
    {
      name: 'without a limit it drops nothing',
      info: info({ discard: 'old', max_msgs: -1, max_bytes: -1 }),
      want: { drops: false },
    },
  ])('$name', ({ info: given, want }) => {
    expect(toQueueFacts(given)).toMatchObject({ lastSeq: 9, ...want });
  });
});

describe('an edit', () => {
  test('that changes nothing gives the same bytes back, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 8 })),
        (payload, values) => {
          const lines = values.map(
            (value, index) =>
              `H${index}: ${Buffer.from(value)
                .toString('latin1')
                .replace(/[\r\n]/g, '.')
                .trim()}\r\n`,
          );
          const before = message({
            payload,
            headers: lines.length > 0 ? Buffer.from(`NATS/1.0\r\n${lines.join('')}\r\n`, 'latin1') : new Uint8Array(0),
          });
          const edited = parseEdited(printForEdit('id', before), before);
          expect(edited).toMatchObject({ subject: 'requests.dns' });
          if (typeof edited !== 'object') throw new Error('not read');
          expect(Buffer.from(edited.payload).equals(Buffer.from(payload))).toBe(true);
          expect(edited.headers).toHaveLength(lines.length);
        },
      ),
    );
  });

  test('changes subject, headers and payload, and keeps the bytes of a header it did not touch', () => {
    const text = printForEdit('id', message())
      .replace('requests.dns', 'requests.tcp')
      .replace('Y: 1', 'Z: ä')
      .replace('r7', 'r8');
    const edited = parseEdited(text, message());
    if (typeof edited !== 'object') throw new Error(String(edited));
    expect(edited.subject).toBe('requests.tcp');
    expect(headerValue(edited.headers, 'X')).toBe('\xff\xfe');
    expect(headerValue(edited.headers, 'Z')).toBe('Ã¤');
    expect(Buffer.from(edited.payload).toString()).toBe('{"id":"r8"}');
  });

  const HEAD = 'Subject: a\n';
  test.each([
    { name: 'as it was', text: 'Subject: a\nX: 1\n\nbody\n', want: ['a', ['X: 1'], 'body'] },
    { name: 'from another system', text: 'Subject: a\r\nX: 1\r\n\r\nbody\r\n', want: ['a', ['X: 1'], 'body'] },
    {
      name: 'with a comment among the headers',
      text: '# c\nSubject: a\n# c\nX: 1\n\n# body',
      want: ['a', ['X: 1'], '# body'],
    },
    { name: 'without headers or payload', text: 'Subject: a\n\n', want: ['a', [], ''] },
    { name: 'with empty lines in its payload', text: `${HEAD}\na\n\nb\n\n`, want: ['a', [], 'a\n\nb\n'] },
    { name: 'with blanks around its subject', text: 'Subject:   a  \n\n', want: ['a', [], ''] },
    { name: 'without a blank before its subject', text: 'Subject:a\n\n', want: ['a', [], ''] },
    { name: 'as base64', text: 'Subject: a (base64)\n\nYWI=\n', want: ['a', [], 'ab'] },
    { name: 'with such a word in its text', text: `${HEAD}\n(base64)`, want: ['a', [], '(base64)'] },
    {
      name: 'with headers in many forms',
      text: `${HEAD}X-Long:  a: b\nY:\nZ:1\n\n`,
      want: ['a', ['X-Long: a: b', 'Y: ', 'Z: 1'], ''],
    },
    { name: 'in UTF-8', text: `${HEAD}\nä`, want: ['a', [], 'ä'] },
  ])('is read $name', ({ text, want }) => {
    const edited = parseEdited(text, message({ headers: new Uint8Array(0) }));
    if (typeof edited !== 'object') throw new Error(String(edited));
    const { subject, headers, payload } = edited;
    const lines = headers.map(({ name, value }) => `${name}: ${value}`);
    expect([subject, lines, Buffer.from(payload).toString()]).toEqual(want);
  });

  test.each([
    { payload: 'text', want: 'Subject: requests.dns\n\ntext\n' },
    { payload: '\ufeffmark', want: 'Subject: requests.dns\n\n\ufeffmark\n' },
    { payload: 'a\0', want: 'Subject: requests.dns (base64)\n\nYQA=\n' },
    { payload: 'a\r', want: 'Subject: requests.dns (base64)\n\nYQ0=\n' },
    { payload: Uint8Array.of(0xff), want: 'Subject: requests.dns (base64)\n\n/w==\n' },
  ])('shows a payload as text where it is one: $payload', ({ payload, want }) => {
    const text = printForEdit('Q/w/7', message({ headers: new Uint8Array(0), payload: Buffer.from(payload) }));
    expect(
      text
        .split('\n')
        .filter((line) => !line.startsWith('#'))
        .join('\n'),
    ).toBe(want);
    expect(text.split('\n')[0]).toBe('# Q/w/7');
  });

  test.each([
    { text: 'XSubject: a\n\n', want: 'the first line is no subject: XSubject: a' },
    { text: '\nbody', want: 'the first line is no subject: ' },
    { text: 'Subject: a\n!X Y: 1\n\n', want: 'this is no header: !X Y: 1' },
    { text: 'Subject: a\n: 1\n\n', want: 'this is no header: : 1' },
    { text: 'Subject: a\n \t\n', want: 'this is no header:  \t' },
    { text: '# \n \n\t\n', want: undefined },
    { text: '', want: undefined },
  ])('refuses %j with the line', ({ text, want }) => {
    expect(parseEdited(text, message())).toBe(want);
  });

  test.each([
    { name: 'an emptied text leaves the entry', text: '\n', want: undefined },
    { name: 'only comments leave it too', text: '# a\n# b\n', want: undefined },
    { name: 'no subject is refused', text: 'X: 1\n\nbody\n', want: /first line is no subject/ },
    { name: 'a wildcard is no subject', text: 'Subject: requests.*\n\nbody\n', want: /no subject/ },
    { name: 'a broken header is refused', text: 'Subject: a\nnot a header\n\nbody\n', want: /no header/ },
    { name: 'a missing empty line is refused', text: 'Subject: a', want: /no empty line/ },
  ])('$name', ({ text, want }) => {
    const edited = parseEdited(text, message());
    if (want) expect(edited).toMatch(want);
    else expect(edited).toBeUndefined();
  });

  test.each([
    { command: 'vi', want: ['vi'] },
    { command: 'code --wait', want: ['code', '--wait'] },
    { command: '"/Program Files/ed" -x', want: ['/Program Files/ed', '-x'] },
    { command: "ed '-c a b'", want: ['ed', '-c a b'] },
    { command: 'vi; rm -rf $HOME `x`', want: ['vi;', 'rm', '-rf', '$HOME', '`x`'] },
    { command: '  ', want: [] },
    { command: `a'b c'd"e f"g`, want: ['ab cde fg'] },
    { command: `ed "" ''`, want: ['ed', '', ''] },
  ])('the editor’s command $command is words, and never a shell’s', ({ command, want }) => {
    expect(editorWords(command)).toEqual(want);
  });
});
