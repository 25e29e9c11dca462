import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program of the tests in one file of `dir`: as it stands it would spend more on loading its modules than on its work. */
export function bundled(program: URL, dir: string): string {
  const file = join(dir, 'program.mjs');
  const args = [
    ...['--bundle', '--platform=node', '--format=esm', '--log-level=warning', `--outfile=${file}`],
    // Packages of the other kind ask for Node's modules by name.
    "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  ];
  const esbuild = fileURLToPath(new URL('../../node_modules/.bin/esbuild', import.meta.url));
  execFileSync(esbuild, [fileURLToPath(program), ...args]);
  return file;
}
