// What guards main beside the tests: each check is a process; all run, then the failures are told.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage } from './check-package.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (command, args, options = {}) => spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
const bin = (name) => join(root, 'node_modules', '.bin', name);

const checks = {
  types: () => run(bin('tsc'), ['--noEmit']),
  lint: () => run(bin('biome'), ['ci', '--colors=off', '.']),
  unused: () => run(bin('knip'), []),
  package: () => run(bin('publint'), ['--strict']),
  pack: () => checkPackage({ run, tsc: bin('tsc') }),
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const { status, stdout, stderr } = check();
  if (status !== 0) {
    failed += 1;
    process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  }
  console.log(`check ${name}: ${status === 0 ? 'passed' : 'failed'}`);
}
process.exit(failed === 0 ? 0 : 1);
