// What guards main beside the tests: each check is a process; all run, then the failures are told.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (command, args, options = {}) => spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
const bin = (name) => join(root, 'node_modules', '.bin', name);

/** The tarball, installed in an empty folder, runs there on its own. */
function packed() {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-pack-'));
  try {
    const pack = run('npm', ['pack', '--silent', '--pack-destination', dir]);
    if (pack.status !== 0) return pack;
    const tarball = join(dir, pack.stdout.trim().split('\n').at(-1));
    const install = run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', dir, tarball], {
      cwd: dir,
    });
    if (install.status !== 0) return install;
    const cli = join(dir, 'node_modules', '.bin', 'osapi-ops');
    for (const args of [['--version'], ['--help'], ['apply', '--help'], ['schema']]) {
      const done = run(process.execPath, [cli, ...args], { cwd: dir });
      if (done.status !== 0 || !done.stdout) return { ...done, status: 1 };
    }
    return { status: 0, stdout: '', stderr: '' };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const checks = {
  types: () => run(bin('tsc'), ['--noEmit']),
  lint: () => run(bin('biome'), ['ci', '--colors=off', '.']),
  unused: () => run(bin('knip'), []),
  package: () => run(bin('publint'), ['--strict']),
  pack: packed,
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
