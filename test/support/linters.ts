// Linters of other languages, where they can be had: on PATH, kept from before, or built. A test that has none says so.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { cacheDir } from '../../src/lib/devserver/cache.ts';

/** As an importable path of Go, pinned. */
const MODULES = {
  actionlint: 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
} as const;

function findTool(name: string): string | undefined {
  const own = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, name));
  return [...own, join(cacheDir(process.env), 'linters', name)].find((path) => existsSync(path));
}

function findOrBuild(name: keyof typeof MODULES): string | undefined {
  const found = findTool(name);
  if (found) return found;
  const dir = join(cacheDir(process.env), 'linters');
  mkdirSync(dir, { recursive: true });
  spawnSync('go', ['install', MODULES[name]], { env: { ...process.env, GOBIN: dir }, timeout: 10 * 60_000 });
  return findTool(name);
}

/** A test that has a linter look at files; skipped with a word where the linter is not to be had. */
function lint(title: string, name: string, tool: string | undefined, args: readonly string[]): void {
  if (!tool) {
    test.skip(`${title} (${name} is not here)`, () => {});
    return;
  }
  test(title, () => {
    const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
    expect({ status, told: stdout + stderr }).toEqual({ status: 0, told: '' });
  });
}

export const lintWorkflows = (title: string, files: readonly string[]): void =>
  lint(title, 'actionlint', findOrBuild('actionlint'), ['-no-color', '-shellcheck=', ...files]);

export const lintShell = (title: string, files: readonly string[]): void =>
  lint(title, 'shellcheck', findTool('shellcheck'), ['--color=never', ...files]);
