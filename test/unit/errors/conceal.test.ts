import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { conceal, concealAll, isKeptSecret, keepSecret } from '../../../src/lib/errors/conceal.ts';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { errorJson, renderBug, renderError } from '../../../src/lib/ui/render/error.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const seed = `SUA${'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.repeat(2).slice(0, 55)}`;
const jwt = 'eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiJBQkMifQ.c2lnbmF0dXJl-_';
const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIH1x\nAAAA\n-----END PRIVATE KEY-----';
const creds = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;

describe('what has the shape of a secret', () => {
  test.each([
    ['a seed', `cannot read /etc/${seed}: gone`, 'cannot read /etc/***: gone'],
    ['a seed that was cut', `…${seed.slice(0, 44)}`, '…***'],
    ['a seed taken for a host', `nats://${seed.toLowerCase()}:4222`, 'nats://***:4222'],
    ['a JWT taken for a host', `nats://${jwt.toLowerCase()}`, 'nats://***'],
    ['a JWT', `token ${jwt}.`, 'token ***.'],
    ['a key', `before ${pem} after`, 'before *** after'],
    ['a key on one line', pem.replaceAll('\n', ' '), '***'],
    ['a key that was cut', pem.slice(0, 60), '***'],
    ['a credentials file', creds, '***\n\n***\n'],
    ['inline data', 'creds data:;base64,aHVudGVyMg== is', 'creds data:*** is'],
    ['a URL', 'at nats://ada:hunter2@host:4222 now', 'at nats://***@host:4222 now'],
    ['a URL with a token', 'nats://hunter2@host', 'nats://***@host'],
    ['a URL with an @ too many', 'nats://u:p@ss@host', 'nats://***@host'],
    ['a URL with a slash in it', 'nats://u:pa/ss@host', 'nats://***@host'],
    ['URLs with a comma in a password', 'nats://u:p,w@h,nats://a', 'nats://***@h,nats://a'],
  ])('is not shown: %s', (_, text, want) => expect(conceal(text)).toBe(want));

  test.each([
    'nats://host:4222,tls://[::1]:4222',
    'requests.dns at nats://127.0.0.1:4222, account $G',
    'https://github.com/org/repo/actions/runs/12',
    'ada@example.com',
    'or data:;base64,…',
    'SUBJECTS AND SUAVE WORDS',
    'eyJ',
    'at config/prod.yaml:24:5 (queues.REQUESTS)',
    '1b4e28ba-2fa1-11d2-883f-0016d3cca427',
    '--- a/b',
  ])('all else stays as it is: %s', (text) => expect(conceal(text)).toBe(text));
});

describe('a secret that was read', () => {
  const secretText = fc
    .string({ minLength: 4, maxLength: 40, unit: 'grapheme' })
    .filter((text) => text.trim().length >= 4);

  test('is in no error, in no form of it, wherever it was quoted', () => {
    const theme = createTheme({ colour: false });
    fc.assert(
      fc.property(secretText, fc.string(), fc.string(), (core, before, after) => {
        // None of our own words, which stay.
        const secret = `§${core}§`;
        keepSecret(secret);
        const quote = `${before}${secret}${after} ${JSON.stringify(secret)}`;
        const problem = { code: 'X', message: quote, why: quote, hint: quote, file: quote, path: quote };
        const error = new OpsError('USAGE', quote, { where: quote, why: quote, hints: [quote], problems: [problem] });
        const shown = [
          renderError(error, theme),
          JSON.stringify(errorJson(error)),
          renderBug(new TypeError(quote), theme, { OSAPI_OPS_DEBUG: '1' }),
          JSON.stringify(errorJson(new TypeError(quote))),
          JSON.stringify(concealAll({ deep: [{ text: quote }] })),
          String(error),
        ];
        for (const text of shown) {
          expect(text).not.toContain(secret);
          expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
        }
      }),
    );
  });

  test.each([
    ['abc', 'abc', false],
    ['abcd', '***', true],
    ['ab/c?d', '***', true],
  ])('counts from four characters on, since shorter ones are parts of words: %s', (secret, shown, isKept) => {
    keepSecret(secret);
    expect({ shown: conceal(secret), isKept: isKeptSecret(secret) }).toEqual({ shown, isKept });
  });

  test('is known in pieces and in other clothes', () => {
    keepSecret('first line of a secret\nsecond: "quoted" <here>\nthird');
    expect(conceal('only second: "quoted" <here> of it, and third')).toBe('only *** of it, and third');
    expect(conceal('first line of a secret second: "quoted" <here> third')).toBe('***');
    expect(conceal(JSON.stringify('first line of a secret\nsecond: "quoted" <here>\nthird'))).toBe('"***"');
    keepSecret('p@ss wörd');
    expect(conceal('as p%40ss%20w%C3%B6rd or p@ss wörd')).toBe('as *** or ***');
    // A password that a seed happens to hold takes nothing of the seed's shape away, and two that overlap are one.
    keepSecret('abcd');
    keepSecret('cdef');
    expect(conceal(`nats://${seed.toLowerCase()}:4222`)).toBe('nats://***:4222');
    expect(conceal('x abcdef y abcd cdef')).toBe('x *** y *** ***');
    keepSecret('longer-than-that');
    keepSecret('longer');
    expect(conceal('longer-than-that')).toBe('***');
  });
});
