// Adds to package-lock.json what npm leaves out where the registry at hand does not carry the packages of other
// platforms: `npm ci` from 11.16 on then refuses its own lock file everywhere (npm/cli#9846). Run it after `npm install`.
//   node scripts/complete-lock.mjs [FOLDER…]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** Optional dependencies that the lock names and does not describe, with all that their names tell. */
export function missingEntries(lock) {
  const missing = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies || {})) {
      if (lock.packages[`node_modules/${name}`] || lock.packages[`${path}/node_modules/${name}`]) continue;
      const words = name.split('/').pop().split('-');
      const os = OS.find((word) => words.includes(word));
      const cpu = CPU.find((word) => words.some((part) => part === word));
      // Without its platform npm would install it everywhere; a version range is no entry of a lock.
      if (!os || !cpu || !/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`cannot describe ${name}@${version}`);
      const musl = words.some((word) => word.startsWith('musl'));
      const libc =
        os === 'linux' && (musl || words.some((word) => word.startsWith('gnu')))
          ? [musl ? 'musl' : 'glibc']
          : undefined;
      const dev = entry.dev ? true : undefined;
      missing[`node_modules/${name}`] = { version, cpu: [cpu], dev, libc, optional: true, os: [os] };
    }
  }
  return missing;
}

function complete(dir) {
  const path = join(dir, 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingEntries(lock);
  const packages = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
  console.log(`${path}: ${Object.keys(missing).length} entries added`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const dir of process.argv.length > 2 ? process.argv.slice(2) : ['.']) complete(dir);
}
