import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
// @ts-expect-error a script without types
import { bundledPackages, licencesPage } from '../../scripts/licences.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'osapi-ops-licences-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function install(folder: string, files: Record<string, string>): void {
  const dir = join(root, 'node_modules', folder);
  mkdirSync(dir, { recursive: true });
  const name = folder.split('node_modules/').at(-1);
  const all = { 'package.json': JSON.stringify({ name, version: '1.2.3', license: 'MIT' }), ...files };
  for (const [file, text] of Object.entries(all)) writeFileSync(join(dir, file), text);
}

/** What esbuild says of one output. */
const made = (inputs: Record<string, number>) => ({
  outputs: {
    'dist/main.js': {
      inputs: Object.fromEntries(Object.entries(inputs).map(([path, bytesInOutput]) => [path, { bytesInOutput }])),
    },
  },
});

describe('the page of licences', () => {
  test('is about the packages whose code is in the bundle, those within others too, and no more', () => {
    const metafile = made({
      'src/main.ts': 10,
      'node_modules/plain/lib/a.js': 5,
      'node_modules/plain/lib/b.js': 5,
      'node_modules/@scope/name/index.js': 5,
      'node_modules/plain/node_modules/inner/index.js': 5,
      'node_modules/shaken-off/index.js': 0,
    });
    expect(bundledPackages(metafile)).toEqual([
      'node_modules/@scope/name',
      'node_modules/plain',
      'node_modules/plain/node_modules/inner',
    ]);
  });

  test('holds each text once, under all whose it is, and what a NOTICE asks to pass on', () => {
    install('one', { LICENSE: 'MIT, by Ann' });
    install('two', { 'license.md': 'MIT, by Ann\r\n' });
    install('three', { 'LICENSE-APACHE.txt': 'Apache', NOTICE: 'made by Eve' });
    const page = licencesPage(
      root,
      made({ 'node_modules/one/a.js': 1, 'node_modules/two/a.js': 1, 'node_modules/three/a.js': 1 }),
    );
    expect(page).toContain('one 1.2.3  MIT\nthree 1.2.3  MIT\ntwo 1.2.3  MIT\n');
    expect(page).toContain('one 1.2.3, two 1.2.3:\n\nMIT, by Ann\n');
    expect(page).toContain('three 1.2.3:\n\nmade by Eve\n');
  });

  test('is refused while a package in it ships no text', () => {
    install('bare', {});
    expect(() => licencesPage(root, made({ 'node_modules/bare/a.js': 1 }))).toThrow(
      'node_modules/bare (MIT) would be bundled, but ships no licence text',
    );
  });
});
