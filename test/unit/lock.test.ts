import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
// @ts-expect-error a script without types
import { missingEntries } from '../../scripts/complete-lock.mjs';

test.each(['.', 'tools/chromium', 'tools/node', 'tools/oclif'].map((dir) => `${dir}/package-lock.json`))(
  '%s describes every optional package',
  (path) => {
    // npm ci refuses a lock that does not: mend it with `npm run lock`.
    expect(missingEntries(JSON.parse(readFileSync(path, 'utf8')))).toEqual({});
  },
);

test('what is missing is described with its platform, so that it is installed nowhere else', () => {
  const lock = {
    packages: {
      'node_modules/tool': {
        dev: true,
        optionalDependencies: { '@tool/linux-x64-musl': '1.2.3', '@tool/win32-arm64': '1.2.3' },
      },
      'node_modules/@tool/win32-arm64': { version: '1.2.3' },
    },
  };
  expect(missingEntries(lock)).toEqual({
    'node_modules/@tool/linux-x64-musl': {
      version: '1.2.3',
      cpu: ['x64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    },
  });
});
