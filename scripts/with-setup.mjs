// Runs a task of package.json on a machine that has nothing but npm: brings dependencies, a supported Node and the build
// up to date where they are not, then becomes the task. Runs on any Node from 16 on.
//   node scripts/with-setup.mjs jest --selectProjects unit
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { become, findOwnNode, isSupported, RANGE } from '../bin/supported-node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, '.cache');
const say = (text) => process.stderr.write(`setup: ${text}\n`);

function fail(what, tried, way) {
  process.stderr.write(`Error: ${what}\n  at ${root}\n  Tried: ${tried}\n  Try: ${way}\n`);
  process.exit(1);
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** True where what npm installed is what the lock names. npm writes its record last, so half an install is none. */
export function isInstalled(dir) {
  const record = join(dir, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = readJson(join(dir, 'package-lock.json')).packages;
  const present = readJson(record).packages;
  return Object.keys(wanted).every((path) => {
    const found = present[path];
    if (found) return found.version === wanted[path].version;
    // Optional packages are those of other platforms.
    return path === '' || wanted[path].optional || wanted[path].devOptional;
  });
}

/** Runs npm in a folder. Resolves to why it failed, if it did. */
function npm(dir, args) {
  const options = { cwd: dir, stdio: ['ignore', 2, 2] };
  // npm names itself in what it runs; a bare `npm` may be another one, or on Windows a script that spawn cannot run.
  const own = process.env.npm_execpath;
  const child = own
    ? spawn(process.execPath, [own, ...args], options)
    : spawn('npm', args, { ...options, shell: process.platform === 'win32' });
  // Where another one failed, none goes on by itself.
  process.once('exit', () => child.kill());
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (status) => resolve(status === 0 ? undefined : 'npm says above why it stopped'));
  });
}

async function npmCi(dir, what, go = fail) {
  say(`installing ${what} (npm ci)`);
  const began = Date.now();
  const args = ['ci', '--no-audit', '--no-fund'];
  // The lock names each package by version and digest: of what npm has in its cache it need not ask again. Where the cache
  // is older than the lock, or lacks what no network brings at once, it asks.
  const isCached = !(await npm(dir, [...args, '--prefer-offline', '--fetch-retries=0', '--loglevel=silent']));
  // A network that is not there is told in seconds; npm's own pauses add up to more than a minute.
  const pauses = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=4000'];
  const why = isCached ? undefined : await npm(dir, [...args, '--loglevel=error', ...pauses]);
  if (why) {
    return go(
      `${what} could not be installed`,
      `npm ci in ${dir}; ${why}`,
      'with a network (or a registry that `npm config get registry` names and you can reach), run the same command again',
    );
  }
  say(`installed ${what} in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** The browser of the tests that need one; without it they say so. Elsewhere than here it runs, they take what is there. */
async function browser() {
  const dir = join(root, 'tools', 'chromium');
  if (process.platform !== 'linux' || process.arch !== 'x64' || isInstalled(dir)) return;
  await npmCi(dir, 'a browser for the tests', (what) => say(`${what}; the tests go on without`));
}

async function supportedNode() {
  if (isSupported(process.versions.node)) return process.execPath;
  const dir = join(root, 'tools', 'node');
  if (!findOwnNode()) await npmCi(dir, `a Node for this project (here is ${process.versions.node}, it needs ${RANGE})`);
  return (
    findOwnNode() ||
    fail(
      `Node ${process.versions.node} is too old, and no newer one could be had`,
      `npm ci in ${dir}, which brought none for ${process.platform}-${process.arch}`,
      'install Node 24 and run the same command again',
    )
  );
}

function* files(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

/** Names the state of all that the build reads, by time and size: quick, and wrong only towards building again. */
function sourceStamp() {
  const inputs = [...files(join(root, 'src')), ...files(join(root, 'scripts'))].sort();
  inputs.push(...['package.json', 'package-lock.json'].map((name) => join(root, name)));
  const hash = createHash('sha256');
  for (const path of inputs) {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function build(node) {
  const stamp = sourceStamp();
  const record = join(cache, 'built');
  const fresh = existsSync(join(root, 'dist', 'main.cjs')) && existsSync(record);
  if (fresh && readFileSync(record, 'utf8') === stamp) return;
  const done = spawnSync(node, [join(root, 'scripts', 'build.mjs')], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0)
    fail(
      'the build failed',
      'node scripts/build.mjs; it says above why',
      'mend the source, then run the same command again',
    );
  writeFileSync(record, stamp);
}

/** One at a time: two set-ups at once would pull the floor from under each other. A holder that died does not count. */
async function alone(work) {
  const lock = join(cache, 'setup.lock');
  mkdirSync(cache, { recursive: true });
  for (let told = false; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!isHeld(lock)) {
        rmSync(lock, { force: true });
        continue;
      }
      if (!told) say('another set-up is under way here; waiting for it');
      told = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  process.on('exit', () => rmSync(lock, { force: true }));
  const result = await work();
  rmSync(lock, { force: true });
  return result;
}

function isHeld(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Just created and not yet written counts as held.
    if (!pid) return Date.now() - statSync(lock).mtimeMs < 5000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const [task = 'build', ...args] = process.argv.slice(2);
const node = await alone(async () => {
  const [found] = await Promise.all([
    supportedNode(),
    isInstalled(root) || npmCi(root, 'dependencies'),
    // The unit tests need none.
    task === 'jest' && !args.includes('--selectProjects') && browser(),
  ]);
  build(found);
  return found;
});

const bin = join(root, 'node_modules', '.bin');
const env = { ...process.env, PATH: [dirname(node), bin, process.env.PATH].join(delimiter) };
const JEST = ['--disable-warning=ExperimentalWarning', join(root, 'node_modules/jest/bin/jest.js')];
if (task === 'jest') become(node, [...JEST, ...args], { env });
else if (task === 'node') become(node, args, { env });
else if (task !== 'build') become(join(bin, task), args, { env });
