import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutUser } from '../../../src/lib/model/server-url.ts';
import { parseServers } from '../../../src/lib/nats/server-url.ts';

const read = (text: string) => parseServers(text, 'NATS_URL');

describe('server URLs', () => {
  test.each([
    ['host', { url: 'nats://host:4222', tls: false }],
    ['host:1', { url: 'nats://host:1', tls: false }],
    ['nats://host:80', { url: 'nats://host:80', tls: false }],
    ['NATS://Host:65535/', { url: 'nats://host:65535', tls: false }],
    ['tls://host', { url: 'tls://host:4222', tls: true }],
    ['[::1]:5000', { url: 'nats://[::1]:5000', tls: false }],
    ['nats://ada:p%40ss@host', { url: 'nats://host:4222', tls: false, user: 'ada', password: 'p@ss' }],
    ['ada:pw@host:1', { url: 'nats://host:1', tls: false, user: 'ada', password: 'pw' }],
    ['nats://token@host', { url: 'nats://host:4222', tls: false, user: 'token' }],
    ['nats://:pw@host', { url: 'nats://host:4222', tls: false, password: 'pw' }],
    ['nats://u:a:b@host', { url: 'nats://host:4222', tls: false, user: 'u', password: 'a:b' }],
    ['nats://@host', { url: 'nats://host:4222', tls: false }],
    ['nats://u:@host', { url: 'nats://host:4222', tls: false, user: 'u' }],
    ['host:00080', { url: 'nats://host:80', tls: false }],
    ['nats://u:%zz@host', { url: 'nats://host:4222', tls: false, user: 'u', password: '%zz' }],
    ['nats://bücher', { url: 'nats://xn--bcher-kva:4222', tls: false }],
  ])('%s is read', (text, want) => expect(read(text)).toEqual([want]));

  test('may be several, with blanks, and users where a scheme says that a URL begins', () => {
    expect(read(' nats://u:p@a , b:1,, tls://v:q@c ').map(({ url, user }) => ({ url, user }))).toEqual([
      { url: 'nats://a:4222', user: 'u' },
      { url: 'nats://b:1', user: undefined },
      { url: 'tls://c:4222', user: 'v' },
    ]);
    expect(read(' , ')).toEqual([]);
  });

  const mixed = 'its user, password and host cannot be told apart';
  test.each([
    ['nats://u:hunter2/x@host', mixed],
    ['nats://u:hunter2@x@host', mixed],
    ['nats://u:hunter2#x@host', mixed],
    ['nats://u:hunter2?x@host', mixed],
    ['nats://u:hunter2 x@host', mixed],
    ['nats://u:hunter2\\x@host', mixed],
    ['u:hunter2,x@host', mixed],
    ['nats://u:1234,hunter2@host', mixed],
    ['nats://a@b,hunter2@host', mixed],
    ['"nats://u:hunter2@host"', 'it stands in quotes'],
    ["'nats://u:hunter2@host'", 'it stands in quotes'],
    ['nats://u:hunter2@host"', 'it stands in quotes'],
    ['foo+tls://u:hunter2@host', 'what stands before its :// is no scheme of NATS'],
    ['hunter2://host', 'what stands before its :// is no scheme of NATS'],
    ['http://u:hunter2@host', '"http" is no scheme of NATS'],
    ['wss://u:hunter2@host', 'websockets are not spoken here'],
    ['nats://admin:hunter2', 'it cannot be read'],
    ['nats://host:65536', 'it cannot be read'],
    ['nats://host:123456', 'it cannot be read'],
    ['nats://host/hunter2', 'it cannot be read'],
    ['nats://', 'it cannot be read'],
    ['nats://[1.2]', 'it cannot be read'],
    ['tls://[hunter2]', 'it cannot be read'],
    ['nats://256.256.256.256', 'it cannot be read'],
    ['ws://hunter2', 'websockets are not spoken here'],
    ['WSS://hunter2', 'websockets are not spoken here'],
    ['x hunter2://host', 'it cannot be read'],
    ['host"hunter2', 'it cannot be read'],
    ['nats://a,http://hunter2@b', 'the 2nd of 2, is not a server URL: "http" is no scheme of NATS'],
  ])('%s is refused, and nothing of it told', (text, why) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(why) }));
    expect(() => read(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });

  test.each(['amqp', 'amqps', 'http', 'https', 'kafka', 'leaf', 'mqtt', 'redis', 'tcp'])(
    'of %s are known to be others',
    (scheme) => {
      expect(() => read(`${scheme.toUpperCase()}://host`)).toThrow(
        `NATS_URL is not a server URL: "${scheme}" is no scheme of NATS`,
      );
    },
  );

  const ESCAPES = /^in a user or a password write \/ @ /;
  const FORM = /^write it as nats:\/\/host:4222/;
  test.each([
    ['nats://', ' is not a server URL: it cannot be read', FORM],
    ['ws://a', ' is not a server URL: websockets', FORM],
    ['"a"', ' is not a server URL: it stands in quotes', /^leave the quotes out/],
    ['nats://u:p/q@a', ' is not a server URL: its user', ESCAPES],
    ['a,u:p@b', ' is not a server URL: its user', ESCAPES],
    ['a,b:x', ', the 2nd of 2, is not a server URL: it cannot be read', FORM],
    ['a:x,b', ', the 1st of 2, is not a server URL: it cannot be read', FORM],
    ['a,b,c:x', ', the 3rd of 3, is not a server URL: it cannot be read', FORM],
    ...([4, 10, 11, 12, 13, 14, 20].map((at) => [at, 'th']) as [number, string][])
      .concat([
        [21, 'st'],
        [22, 'nd'],
        [23, 'rd'],
        [24, 'th'],
        [111, 'th'],
        [113, 'th'],
        [121, 'st'],
      ])
      .map(([at, end]) => [`${'a,'.repeat(at - 1)}b:x`, `, the ${at}${end} of ${at}, is not`, FORM] as const),
  ] as const)('%s is told with its place and what to do', (text, says, hint) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(new RegExp(`^NATS_URL${says}`)),
        where: 'NATS_URL',
        hints: [expect.stringMatching(hint)],
      }),
    );
  });

  test('show no part of a password, whatever is in it and wherever it stands', () => {
    const word = fc.string({ minLength: 5, maxLength: 9, unit: fc.constantFrom(...'QZXJVKWqzxjvkw') });
    const sign = fc.constantFrom(...'/@,:#?%"\'`\\ &=+;!$*()[]{}<>|^~._-', '://', '%40', '');
    const password = fc.array(fc.tuple(word, sign), { minLength: 1, maxLength: 4 });
    const places = fc.constantFrom(
      (p: string) => `nats://user:${p}@host`,
      (p: string) => `user:${p}@host:4222`,
      (p: string) => `tls://${p}@host`,
      (p: string) => `nats://one,nats://user:${p}@host`,
      (p: string) => `nats://user:${p}@host,two`,
      (p: string) => `foo://user:${p}@host`,
      (p: string) => `"nats://user:${p}@host"`,
      (p: string) => `nats://${p}:pw@host/`,
    );
    fc.assert(
      fc.property(password, places, (parts, place) => {
        const text = place(parts.map(([letters, after]) => letters + after).join(''));
        let shown: string;
        try {
          shown = JSON.stringify(read(text).map(({ url }) => url));
        } catch (error) {
          const { message, where, why, hints } = error as {
            message: string;
            where: string;
            why: string;
            hints: string[];
          };
          shown = JSON.stringify({ message, where, why, hints });
        }
        const kept = withoutUser(text) ?? '';
        for (const [letters] of parts) {
          expect(shown.toLowerCase()).not.toContain(letters.toLowerCase());
          expect(kept.toLowerCase()).not.toContain(letters.toLowerCase());
        }
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['nats://ada:pw@host:4222', 'nats://host:4222'],
    ['ada:pw@host', 'nats://host:4222'],
    ['nats://host', 'nats://host'],
    [' nats://host ', 'nats://host'],
    [' nats://ada@host ', 'nats://host:4222'],
    ['host:1', 'host:1'],
    ['nats://u:p/w@host', undefined],
    ['nats://u:p,w@host', undefined],
  ])('%s is kept as %s', (text, want) => expect(withoutUser(text)).toBe(want));
});
