import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { cleanUrl, redact } from '../../../src/lib/nats/redact.ts';
import { parseCreds, readLiteral, readSecret } from '../../../src/lib/nats/secret.ts';

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-secret-'));
writeFileSync(join(dir, 'a.creds'), 'inside\n');
const place = { env: { WHERE: dir, SECRET: 'from env' }, cwd: '/' };

describe('a credential', () => {
  test.each([
    [join(dir, 'a.creds'), 'inside\n'],
    [`file://${join(dir, 'a.creds')}`, 'inside\n'],
    ['$WHERE/a.creds', 'inside\n'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the reference is written so
    ['${WHERE}/a.creds', 'inside\n'],
    ['env://SECRET', 'from env'],
    [`data:;base64,${Buffer.from('inline').toString('base64')}`, 'inline'],
  ])('is read from %s', (reference, want) => {
    expect(readSecret(reference, 'creds', place)).toBe(want);
  });

  test('is looked for beside the spec that names it', () => {
    expect(readSecret('a.creds', 'creds', { ...place, base: join(dir, 'spec.yaml') })).toBe('inside\n');
  });

  test.each(['op://vault/item', 'nsc://o/a/u', 'env://UNSET', '/no/such/file', 'data:plain'])(
    '%s is refused with its reason',
    (reference) => {
      expect(() => readSecret(reference, 'creds', place)).toThrow(expect.objectContaining({ code: 'USAGE_FILE' }));
    },
  );

  const jwt = 'eyJ0eXAi.eyJqdGki-_.c2ln-_';
  const seed = `SU${'AB2C'.repeat(14)}`;
  const file = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  test.each([
    { name: 'as it is written', text: file },
    { name: 'without its last line break, as a CI system keeps it', text: file.trimEnd() },
    { name: 'with the line breaks of Windows', text: file.replaceAll('\n', '\r\n') },
    { name: 'pasted into one line', text: file.replaceAll('\n', ' ') },
  ])('a credentials file is read $name', ({ text }) => {
    expect(parseCreds(text)).toEqual({ jwt, seed });
  });

  test.each([
    { name: 'without a seed', text: file.replace(seed, ''), why: 'It has no user seed.' },
    { name: 'of something else', text: 'hunter2', why: 'It has no user JWT and no user seed.' },
  ])('a credentials file $name is refused, and nothing of it told', ({ text, why }) => {
    expect(() => parseCreds(text)).toThrow(expect.objectContaining({ code: 'USAGE_FILE', why }));
    expect(() => parseCreds(text)).not.toThrow(/hunter2|eyJ/);
  });

  test('a password is itself unless it is a reference', () => {
    expect(readLiteral('p@ss://word', 'password', place)).toBe('p@ss://word');
    expect(readLiteral('env://SECRET', 'password', place)).toBe('from env');
  });
});

describe('what is shown', () => {
  test('has no user and no password of a URL in it', () => {
    expect(cleanUrl('nats://ada:pw@host:4222')).toBe('nats://host:4222');
    expect(cleanUrl('ada:pw@host')).toBe('host');
  });

  test('has no secret and no control characters in it', () => {
    expect(redact('refused\u001b[31m for geheim\nnow', ['geheim'])).toBe('refused[31m for *** now');
  });
});
