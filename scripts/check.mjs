// What guards main beside the tests: each check is a process; all run at once, and are told in this order.
//   node scripts/check.mjs types lint      these alone
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage } from './check-package.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** @returns {Promise<{status: number, stdout: string, stderr: string}>} 1 as its status where it could not be started */
const run = (command, args, options = {}) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const told = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (part) => {
        told[name] += part;
      });
    child.on('error', (error) => resolve({ status: 1, stdout: '', stderr: `${error.message}\n` }));
    child.on('close', (status) => resolve({ status: status ?? 1, ...told }));
  });
const bin = (name) => join(root, 'node_modules', '.bin', name);

const checks = {
  // All checks run at once: another checker of types would only do again what the first one does.
  types: () => run(bin('tsc'), ['--noEmit', '--checkers', '1']),
  page: () => run(bin('tsc'), ['--noEmit', '-p', 'src/console']),
  browser: () => run(bin('tsc'), ['--noEmit', '-p', 'test/browser']),
  lint: () => run(bin('biome'), ['ci', '--colors=off', '.']),
  arrows: () => run(process.execPath, ['--no-warnings', 'scripts/arrows.ts']),
  unused: () => run(bin('knip'), []),
  package: () => run(bin('publint'), ['--strict']),
  pack: () => checkPackage({ run, tsc: bin('tsc') }),
};

/** Only where it is asked for: what lint and format say of the files that the next commit changes. */
const staged = () => run(bin('biome'), ['check', '--staged', '--no-errors-on-unmatched', '--colors=off']);

const all = { ...checks, staged };
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
const unknown = names.filter((name) => !(name in all));
if (unknown.length > 0) {
  console.error(`there is no check ${unknown.join(', ')}: choose from ${Object.keys(all).join(', ')}`);
  process.exit(64);
}

let failed = 0;
const started = names.map((name) => ({ name, ended: all[name]() }));
for (const { name, ended } of started) {
  const { status, stdout, stderr } = await ended;
  if (status !== 0) {
    failed += 1;
    process.stderr.write(`${stdout}${stderr}`);
  }
  console.log(`check ${name}: ${status === 0 ? 'passed' : 'failed'}`);
}
process.exit(failed === 0 ? 0 : 1);
