// Stand-alone tarballs with Node inside, by oclif's packer: `npm run tarballs -- [--out DIR] [--xz] [TARGET…]`.
// The packer downloads each target's Node from its official site and checks its sum; `--node TARGET=FILE` gives it a
// Node that is already here.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'tarballs' },
    xz: { type: 'boolean', default: false },
    node: { type: 'string', multiple: true, default: [] },
  },
});
const targets = positionals.length > 0 ? positionals : ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
const { version } = readJson(join(root, 'package.json'));
const out = resolve(values.out);
const work = join(root, '.cache', 'tarballs');
const stage = join(work, 'package');

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function run(command, args, options) {
  // What a command says on success is talk; the tarballs are the result.
  const done = spawnSync(command, args, { cwd: work, stdio: ['ignore', 2, 2], ...options });
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${done.status ?? done.error?.message}`);
}

/** The npm package, with what the packer has to find in it. */
function stagePackage() {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  run('npm', ['pack', '--silent', '--pack-destination', work], { cwd: root });
  run('tar', ['-xzf', `osapi-ops-${version}.tgz`]);
  cpSync(join(root, 'scripts', 'launcher.sh'), join(stage, 'bin', 'launcher.sh'));
  // oclif's own launcher does not pass signals on, fails without HOME, and looks for other versions to run instead.
  const pretarball = 'mv bin/launcher.sh bin/osapi-ops && rm -f bin/osapi-ops.cmd package-lock.json';
  const { devDependencies: _, ...manifest } = readJson(join(stage, 'package.json'));
  writeFileSync(join(stage, 'package.json'), JSON.stringify({ ...manifest, scripts: { pretarball } }, null, 2));
  // Everything is bundled: there is nothing to install, and the lock says so.
  writeFileSync(
    join(stage, 'package-lock.json'),
    JSON.stringify({ lockfileVersion: 3, packages: { '': { version } } }),
  );
  const licence = join(dirname(process.execPath), '..', 'LICENSE');
  if (!existsSync(licence)) throw new Error(`Node's licence has to be in the tarball, but is not at ${licence}`);
  cpSync(licence, join(stage, 'LICENSE.node'));
  run('tar', ['-czf', 'staged.tgz', 'package']);
}

/** Lays a Node where the packer keeps those it has downloaded. */
function giveNode(given) {
  const [target, file] = given.split('=');
  const cache = join(stage, 'tmp', 'cache', `node-${process.version}-${target}`);
  mkdirSync(cache, { recursive: true });
  cpSync(resolve(file), join(cache, 'node'));
}

function pack() {
  const tool = join(root, 'tools', 'oclif');
  if (!existsSync(join(tool, 'node_modules', '.package-lock.json')))
    run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: tool });
  const oclif = join(tool, 'node_modules', 'oclif', 'bin', 'run.js');
  const how = ['--root', stage, '--tarball', join(work, 'staged.tgz'), '--sha', 'release', '--targets', targets.join()];
  run(process.execPath, [oclif, 'pack', 'tarballs', ...how, values.xz ? '--xz' : '--no-xz'], {
    env: { ...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true' },
  });
}

/** Moves what was made to where it is wanted, with one file of sums. */
function deliver() {
  mkdirSync(out, { recursive: true });
  const made = globSync('dist/osapi-ops-v*.tar.*', { cwd: stage }).sort();
  const wanted = targets.length * (values.xz ? 2 : 1);
  if (made.length !== wanted) throw new Error(`${wanted} tarballs were wanted, ${made.length} were made`);
  const sums = made.map((file) => {
    const name = basename(file).replace('-release-', '-');
    renameSync(join(stage, file), join(out, name));
    const bytes = readFileSync(join(out, name));
    console.log(`${join(out, name)}  ${Math.round(bytes.length / 1e6)} MB`);
    return `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
}

try {
  stagePackage();
  for (const given of values.node) giveNode(given);
  pack();
  deliver();
} catch (error) {
  process.stderr.write(`Error: no tarballs: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
