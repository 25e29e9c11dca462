import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isKeptSecret, keepSecret } from '../../../src/lib/errors/conceal.ts';
import { cleanText } from '../../../src/lib/nats/redact.ts';
import {
  expandPath,
  mayBePath,
  parseCreds,
  parseSeed,
  readLiteral,
  readSecret,
  shownReference,
} from '../../../src/lib/nats/secret.ts';

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
    [`data:;base64,${Buffer.from('gesagt').toString('base64')}`, 'gesagt'],
  ])('is read from %s', (reference, want) => {
    expect(readSecret(reference, 'creds', place)).toBe(want);
  });

  test('is looked for beside the spec that names it', () => {
    expect(readSecret('a.creds', 'creds', { ...place, base: join(dir, 'spec.yaml') })).toBe('inside\n');
    expect(readSecret('a.creds', 'creds', { ...place, cwd: dir, base: 'spec.yaml' })).toBe('inside\n');
  });

  test.each([
    ['op://vault/item', 'op:// references are not read by this build'],
    ['nsc://o/a/u', 'nsc:// references are not read by this build'],
    ['env://UNSET', 'the variable UNSET is not set'],
    ['data:plain', 'inline data must be written as data:;base64,…'],
    ['data:;base64', 'inline data must be written as data:;base64,…'],
    ['data:;base65,x', 'inline data must be written as data:;base64,…'],
  ])('%s is refused with its reason', (reference, why) => {
    expect(() => readSecret(reference, 'creds', place)).toThrow(
      expect.objectContaining({
        code: 'USAGE_FILE',
        message: `creds: ${why}`,
        why: 'The credentials are needed to connect.',
        hints: ['give a file that can be read, env://NAME, or data:;base64,…'],
      }),
    );
  });

  test.each([
    ['data:text/plain; base64 ;x,aSBu', 'i n'],
    ['data:;base64,', ''],
  ])('inline is read from %s', (reference, want) => expect(readSecret(reference, 'creds', place)).toBe(want));

  test.each([
    [16 * 1024, true],
    [16 * 1024 + 1, false],
  ])('of %i bytes is kept from everything that is shown: %s', (length, isKept) => {
    const text = `${length}`.repeat(length).slice(0, length);
    expect(readSecret('env://LONG', 'creds', { ...place, env: { LONG: text } })).toBe(text);
    expect(isKeptSecret(text)).toBe(isKept);
  });

  test.each([
    ['~', homedir()],
    ['~/a', `${homedir()}/a`],
    ['~\\a', `${homedir()}\\a`],
    ['~ada/a', '~ada/a'],
    ['a/~', 'a/~'],
    ['$UNSET/a$SECRET', '/afrom env'],
  ])('is looked for at %s, which is %s', (text, want) => expect(expandPath(text, place.env)).toBe(want));

  const jwt = 'eyJ0eXAi.eyJqdGki-_.c2ln-_';
  const seed = `SU${'AB2C'.repeat(14)}`;
  const file = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
  test.each([
    { name: 'as it is written', text: file },
    { name: 'without its last line break, as a CI system keeps it', text: file.trimEnd() },
    { name: 'with the line breaks of Windows', text: file.replaceAll('\n', '\r\n') },
    { name: 'whose JWT has the shape of a seed in it', text: file.replace(jwt, `eyJ0.${seed.replace('B', 'C')}.c2ln`) },
    { name: 'pasted into one line', text: file.replaceAll('\n', ' ') },
  ])('a credentials file is read $name', ({ text }) => {
    expect(parseCreds(text).seed).toBe(seed);
    expect(text).toContain(parseCreds(text).jwt);
  });

  test.each([
    { name: 'without a seed', text: file.replace(seed, ''), why: 'It has no user seed.' },
    { name: 'without a JWT', text: file.replace(jwt, ''), why: 'It has no user JWT.' },
    { name: 'of something else', text: 'hunter2', why: 'It has no user JWT and no user seed.' },
  ])('a credentials file $name is refused, and nothing of it told', ({ text, why }) => {
    const hints = [expect.stringMatching(/^give the whole file/)];
    expect(() => parseCreds(text)).toThrow(expect.objectContaining({ code: 'USAGE_FILE', why, hints }));
    expect(() => parseCreds(text)).not.toThrow(/hunter2|eyJ/);
  });

  test('a password is itself unless it is a reference', () => {
    expect(readLiteral('p@ss://word', 'password', place)).toBe('p@ss://word');
    expect(readLiteral('xdata:;base64,YQ==', 'password', place)).toBe('xdata:;base64,YQ==');
    expect(readLiteral('env://SECRET', 'password', place)).toBe('from env');
    expect(readLiteral(`file://${join(dir, 'a.creds')}`, 'password', place)).toBe('inside');
    const lines = { ...place, env: { LINES: 'a\r\nb\r\n\n' } };
    expect(readLiteral('env://LINES', 'password', lines)).toBe('a\r\nb');
  });
});

describe('where a path belongs', () => {
  const seed = `SU${'AB2C'.repeat(14)}`;
  const files = { a: join(dir, 'a.creds'), folder: join(dir, 'folder') };
  mkdirSync(files.folder);

  const messageOf = (reference: string): string => {
    try {
      readSecret(reference, 'creds (NATS_CREDS)', place);
    } catch (error) {
      const {
        message,
        where = '',
        why = '',
        hints,
      } = error as { message: string; where?: string; why?: string; hints: string[] };
      return [message, where, why, ...hints].join('\n');
    }
    throw new TypeError('it was read');
  };

  test.each([
    [
      'the creds themselves',
      `-----BEGIN NATS USER JWT-----\neyJhbGciOiJl.eyJqdGki.c2ln\n------END NATS USER JWT------\n\n${seed}\n`,
    ],
    ['a seed', seed],
    ['a key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIH1x\n-----END PRIVATE KEY-----'],
    ['a URL', 'nats://u:hunter2@host'],
  ])('the secret itself is not shown: %s', (_, text) => {
    expect(messageOf(text)).toMatch(/^creds \(NATS_CREDS\): the secret itself stands where a path belongs\n/);
    expect(messageOf(text)).not.toMatch(/MC4C|eyJ|SUAB|hunter2/);
  });

  test.each([
    ['hunter2'],
    ['hunter2\nhunter3'],
    ['hunter2/hunter3'],
    ['/hunter2'],
    ['$SECRET'],
    ['~hunter2'],
    ['x'.repeat(5000)],
    ['../hunter2/x'],
    ['hun"ter2 with blanks'],
    ['hunter2.pem.hunter3'],
    ['hunter2\n.pem'],
    [`hunter2${'x'.repeat(1020)}.pem`],
  ])('what is no file here may be a secret, and is not shown: %j', (text) => {
    expect(messageOf(text)).toBe(
      [
        'creds (NATS_CREDS): it names no file that is here',
        '',
        'What it holds is not shown: it may be a secret.',
        'give the path of a file, env://NAME for what is in a variable, or data:;base64,…',
      ].join('\n'),
    );
    expect(messageOf(text)).not.toMatch(/hunter|xxx|from env|SECRET/);
  });

  test.each([
    ['gone.creds', '/gone.creds cannot be read: no such file or directory (ENOENT)'],
    [join(dir, 'gone'), `${join(dir, 'gone')} cannot be read: no such file`],
    ['$WHERE/gone.creds', '$WHERE/gone.creds cannot be read'],
    [files.folder, `${files.folder} cannot be read: it is a directory (EISDIR)`],
    [`file://${dir}/gone.nk`, `${dir}/gone.nk cannot be read`],
    ['env://UNSET', 'the variable UNSET is not set'],
    ['env://two words', 'the variable that it names is not set'],
  ])('what can only be a path is shown: %s', (text, says) => expect(messageOf(text)).toContain(says));

  test.each([
    ['a.creds', '(not shown: it is no file here)', '/'],
    ['a.creds', files.a, dir],
    ['env://SECRET', 'env://SECRET', dir],
    ['data:;base64,aHVudGVyMg==', '(inline)', dir],
    [seed, '(not shown: it is no file here)', dir],
    ['hunter2', '(not shown: it is no file here)', dir],
    ['op://vault/item', 'op://vault/item', dir],
    ['xop://vault/item', '(not shown: it is no file here)', dir],
    ['op://hunter 2', '(not shown: it is no file here)', dir],
    [`env://${'x'.repeat(101)}`, '(not shown: it is no file here)', dir],
    [`file://${files.a}`, files.a, dir],
    [`${dir}/gone`, `${dir}/gone`, '/'],
    ['xfile:///a', '(not shown: it is no file here)', '/'],
  ])('%s is told as %s', (text, want, cwd) => {
    expect(shownReference(text, { ...place, cwd })).toBe(cwd === '/' && text === 'a.creds' ? '/a.creds' : want);
  });

  test.each([
    ['./ci.creds', true],
    ['ci', true],
    ['env://X', true],
    ['a\nb', false],
    ['x'.repeat(1024), true],
    ['x'.repeat(1025), false],
    [seed, false],
    ['data:;base64,x', false],
    ['x-data:', true],
  ])('%j may be kept: %s', (text, want) => expect(mayBePath(text)).toBe(want));

  test('a seed is found among comments, and nothing of another text is told', () => {
    expect(parseSeed(`# mine\n${seed}\n`, 'nkey')).toBe(seed);
    expect(() => parseSeed('hunter2', 'nkey (NATS_NKEY)')).toThrow('nkey (NATS_NKEY): this is no nkey seed');
  });
});

test('text of a server has no secret and no control characters in it', () => {
  keepSecret('geheim');
  expect(cleanText('refused\u001b[31m for geheim\nnow')).toBe('refused[31m for *** now');
  expect(cleanText(`${'x'.repeat(498)}geheim`)).toBe(`${'x'.repeat(498)}**…`);
});
