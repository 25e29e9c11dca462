// What guards main beside the tests: each check is a process; all run at once, and are told in this order.
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
  types: () => run(bin('tsc'), ['--noEmit']),
  lint: () => run(bin('biome'), ['ci', '--colors=off', '.']),
  unused: () => run(bin('knip'), []),
  package: () => run(bin('publint'), ['--strict']),
  pack: () => checkPackage({ run, tsc: bin('tsc') }),
};

let failed = 0;
const started = Object.entries(checks).map(([name, check]) => ({ name, ended: check() }));
for (const { name, ended } of started) {
  const { status, stdout, stderr } = await ended;
  if (status !== 0) {
    failed += 1;
    process.stderr.write(`${stdout}${stderr}`);
  }
  console.log(`check ${name}: ${status === 0 ? 'passed' : 'failed'}`);
}
process.exit(failed === 0 ? 0 : 1);
