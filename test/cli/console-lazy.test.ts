import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { ROOT } from '../support/cli.ts';

/** Tells at the end which modules of the console were loaded. */
const LISTENING = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
const seen = [];
registerHooks({
  load(url, context, next) {
    if (/\\/src\\/(?:lib\\/|commands\\/)?console\\b/.test(url)) seen.push(url.slice(url.lastIndexOf('/src/')));
    return next(url, context);
  },
});
process.on('exit', () => process.stderr.write('\\nSEEN ' + JSON.stringify(seen)));
`)}`;

/** What a command has loaded before it does anything, from the sources, where a module is a file. */
function loadedBy(command: string): string[] {
  const file = pathToFileURL(join(ROOT, 'src', 'commands', command)).href;
  const args = ['--no-warnings', '--import', LISTENING, '--input-type=module', '--eval', `await import('${file}')`];
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: ROOT });
  return JSON.parse(/SEEN (.*)$/.exec(stderr)![1]!) as string[];
}

test('nothing of the console is loaded by another command', () => {
  expect(loadedBy('console.ts')).toContain('/src/lib/console/host.ts');
  expect(loadedBy('status.ts')).toEqual([]);
});
