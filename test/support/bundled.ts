import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const made = new Map<string, string>();

/** A program of the tests in one file: as it stands it would spend more on loading its modules than on its work. */
export function bundled(program: URL): string {
  const known = made.get(program.href);
  if (known !== undefined) return known;
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-program-'));
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'program.mjs');
  const args = [
    ...['--bundle', '--platform=node', '--format=esm', '--log-level=warning', `--outfile=${file}`],
    // Packages of the other kind ask for Node's modules by name.
    "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  ];
  const esbuild = fileURLToPath(new URL('../../node_modules/.bin/esbuild', import.meta.url));
  execFileSync(esbuild, [fileURLToPath(program), ...args]);
  made.set(program.href, file);
  return file;
}
