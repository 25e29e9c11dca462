import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { cleanUrl, redact } from '../../../src/lib/nats/redact.ts';
import { readLiteral, readSecret } from '../../../src/lib/nats/secret.ts';

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
