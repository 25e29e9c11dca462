import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CopyKind, whyForbidden, whyNotTaken } from '../../../src/lib/nats/address.ts';

const PREFIXES = ['$JS.API', '_INBOX'];
const stream = (subjects: string[] | undefined, more: object = {}) => ({
  name: 'S',
  config: { name: 'S', ...(subjects && { subjects }), ...more },
});

describe('a copy is taken', () => {
  test.each<{ subjects: string[]; subject: string; kind?: CopyKind; more?: object }>([
    { subjects: ['requests.*'], subject: 'requests.dns' },
    { subjects: ['other', 'requests.>'], subject: 'requests.a.b' },
    { subjects: ['requests.*'], subject: 'requests.a*b' },
    { subjects: ['$KV.jobs.>'], subject: '$KV.jobs.a' },
    { subjects: ['$JS.EVENT.ADVISORY.>'], subject: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.Q.w', kind: 'record' },
    { subjects: ['in.>'], subject: 'in.a', kind: 'named', more: { subject_transform: { src: 'in.>', dest: 'x.>' } } },
    { subjects: ['in.>'], subject: 'in.a', more: { subject_transform: { src: 'in.*.*', dest: 'x' } } },
  ])('on $subject by a stream of $subjects ($kind)', ({ subjects, subject, kind = 'stored', more }) => {
    expect(whyNotTaken(stream(subjects, more), subject, kind, PREFIXES)).toBeUndefined();
  });
});

describe('a copy is not taken', () => {
  test.each<{ subjects?: string[]; subject: string; kind?: CopyKind; more?: object; want: string }>([
    { subjects: ['>'], subject: '$JS.API.STREAM.DELETE.OTHER', want: "the server's own" },
    { subjects: ['>'], subject: '$JS', want: "the server's own" },
    { subjects: ['>'], subject: '$SYS.REQ.SERVER.PING', want: "the server's own" },
    { subjects: ['>'], subject: '_INBOX.x', want: "the server's own" },
    { subjects: ['$JS.EVENT.>'], subject: '$JS.EVENT.x', want: "the server's own" },
    { subjects: ['$JS.>'], subject: '$JS.API.INFO', kind: 'record', want: "the server's own" },
    { subjects: ['$KV.b.>'], subject: '$KV.b.k', kind: 'named', want: "the server's own" },
    { subjects: ['_x.>'], subject: '_x.y', kind: 'named', want: "the server's own" },
    { subjects: ['*.b.>'], subject: '$KV.b.k', want: 'does not take' },
    { subjects: ['requests.*'], subject: 'requests.a.b', want: 'it takes requests.*' },
    { subject: 'requests.a', want: 'nothing from publishers' },
    { subjects: ['>'], subject: '', want: 'none that a message can have' },
    { subjects: ['>'], subject: 'a..b', want: 'none that a message can have' },
    { subjects: ['>'], subject: 'a.*', want: 'none that a message can have' },
    { subjects: ['>'], subject: 'a.>', want: 'none that a message can have' },
    { subjects: ['>'], subject: 'a b', want: 'none that a message can have' },
    { subjects: ['>'], subject: 'a\r\nPUB x 0', want: 'none that a message can have' },
    { subjects: ['>'], subject: 'a\u0007', want: 'none that a message can have' },
    { subjects: ['>'], subject: 'a\ufffd', want: 'none that a message can have' },
    { subjects: ['in.>'], subject: 'in.a', more: { subject_transform: { src: 'in.*' } }, want: 'subject_transform' },
    { subjects: ['in.>'], subject: 'in.a', more: { subject_transform: { dest: 'x' } }, want: 'subject_transform' },
  ])('on $subject by a stream of $subjects ($kind)', ({ subjects, subject, kind = 'stored', more, want }) => {
    expect(whyNotTaken(stream(subjects, more), subject, kind, PREFIXES)).toContain(want);
  });

  test.each([
    [3900, true],
    [3901, false],
  ])('a subject of %i bytes fits into a line of the protocol: %s', (length, fits) => {
    expect(whyForbidden('x'.repeat(length), 'stored', PREFIXES) === undefined).toBe(fits);
  });
});

test('whatever a message says, nothing that a server obeys is published on', () => {
  const part = fc.oneof(fc.constantFrom('$JS', '$SYS', 'API', 'STREAM', 'DELETE', '*', '>', '', '_INBOX'), fc.string());
  const kind = fc.constantFrom<CopyKind>('stored', 'named', 'record');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), kind, (parts, as) => {
      const subject = parts.join('.');
      if (whyNotTaken(stream(['>', '$JS.>', '$SYS.>', '_INBOX.>']), subject, as, PREFIXES) !== undefined) return;
      expect(subject).not.toMatch(/^(?:\$SYS|_INBOX)(?:\.|$)|[\s\p{Cc}]/u);
      if (subject.startsWith('$JS.')) expect(`${as} ${subject}`).toMatch(/^record \$JS\.EVENT\./);
    }),
  );
});
