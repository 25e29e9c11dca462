import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { contextDirectory, contextNames, readContexts } from '../../../src/lib/nats/contexts.ts';

const home = mkdtempSync(join(tmpdir(), 'osapi-ops-contexts-'));
const nats = join(home, 'nats');
const folder = join(nats, 'context');
mkdirSync(folder, { recursive: true });
const files = {
  prod: '{"url":"nats://a"}',
  dev: '{}',
  list: '[]',
  broken: '{"password":"hunter2"',
  long: `{"url":"${'x'.repeat(64 * 1024 - 10)}"}`,
  longer: `{"url":"${'x'.repeat(64 * 1024 - 9)}"}`,
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.json`), text);
writeFileSync(join(folder, 'json.txt'), '');
mkdirSync(join(folder, 'dir.json'));
writeFileSync(join(nats, 'context.txt'), ' prod\n');
const ENV = { XDG_CONFIG_HOME: home };
const NAMES = ['broken', 'dev', 'dir', 'list', 'long', 'longer', 'prod'];
const empty = mkdtempSync(join(tmpdir(), 'osapi-ops-contexts-'));

test('contexts lie where the nats CLI has them', () => {
  expect(contextDirectory(ENV)).toBe(nats);
  for (const env of [{}, { XDG_CONFIG_HOME: '' }]) {
    expect(contextDirectory(env)).toBe(join(userInfo().homedir, '.config', 'nats'));
  }
  expect(contextNames(ENV)).toEqual(NAMES);
  expect(contextNames({ XDG_CONFIG_HOME: empty })).toEqual([]);
});

test('one of them may be selected', () => {
  expect(readContexts(ENV, '/').selected).toBe('prod');
  expect(readContexts({ XDG_CONFIG_HOME: empty }, '/').selected).toBeUndefined();
  mkdirSync(join(empty, 'none', 'nats'), { recursive: true });
  writeFileSync(join(empty, 'none', 'nats', 'context.txt'), '\n');
  expect(readContexts({ XDG_CONFIG_HOME: join(empty, 'none') }, '/').selected).toBeUndefined();
});

describe('a context', () => {
  test.each([
    ['prod', { url: 'nats://a' }],
    ['nats/context/prod.json', { url: 'nats://a' }],
    [join(folder, 'dev.json'), {}],
    ['long', { url: 'x'.repeat(64 * 1024 - 10) }],
  ])('is read by its name or its path: %s', (name, want) => {
    expect(readContexts(ENV, home).read(name)).toEqual(want);
  });

  test.each([
    ['gone', 'context gone: not found'],
    ['a b-c.d', 'context a b-c.d: not found'],
    ['x'.repeat(100), `context ${'x'.repeat(100)}: not found`],
    ['x'.repeat(101), 'context: not found'],
    ['gone/x.json', 'context gone/x.json: not found'],
    ['data:hunter2.json', 'context: not found'],
    ['hunter2:', 'context: not found'],
    [':hunter2', 'context: not found'],
    ['../context/prod', 'context: a name holds no slash'],
    ['..\\prod', 'context: a name holds no slash'],
    ['dir', 'context dir: it cannot be read: it is a directory (EISDIR)'],
    ['longer', /^context longer: it cannot be read: /],
    ['list', 'context list: it is not a JSON object'],
    ['broken', 'context broken: it is not a JSON object'],
  ])('that is none is told, and nothing that may be a secret: %s', (name, message) => {
    expect(() => readContexts(ENV, home).read(name)).toThrow(
      expect.objectContaining({
        code: 'CONN_CONTEXT',
        message: typeof message === 'string' ? message : expect.stringMatching(message),
        where: folder,
        why: 'A context is a file of the nats CLI that says where to connect and as whom.',
        hints: [`use one of: ${NAMES.join(', ')}`, 'make one with `nats context add`'],
      }),
    );
  });

  test('where there are none, is told so', () => {
    expect(() => readContexts({ XDG_CONFIG_HOME: empty }, '/').read('x')).toThrow(
      expect.objectContaining({
        hints: ['there are no contexts here; give --server instead', 'make one with `nats context add`'],
      }),
    );
  });
});
