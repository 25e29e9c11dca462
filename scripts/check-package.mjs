// The package as a user gets it: packed, and installed in an empty folder where nothing else is.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a pipeline downloads for each job; growing past it is a decision. */
const MOST_PACKED = 700_000;

const HANDLER = `import type { Handler } from 'osapi-ops/handler';
const handler: Handler = async (request, { retry, delivery }) => {
  if (typeof request.query !== 'string') return retry('no query yet', { delayMs: 1000 });
  return { id: request.id, answer: request.query.toUpperCase(), delivery };
};
// @ts-expect-error a date is no JSON: the types are real, not any
const wrong: Handler = () => new Date();
export { wrong };
export default handler;
`;
const STRICT = { module: 'nodenext', strict: true, noEmit: true, verbatimModuleSyntax: true, types: [] };

/** @returns {{status: number, stdout: string, stderr: string}} as of the process that failed, or of success */
export function checkPackage({ run, tsc }) {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-pack-'));
  try {
    return tryOut({ run, tsc, dir });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function tryOut({ run, tsc, dir }) {
  const fail = (what) => ({ status: 1, stdout: '', stderr: `${what}\n` });
  const npm = (...args) => run('npm', args, { cwd: dir });
  const pack = run('npm', ['pack', '--json', '--silent', '--pack-destination', dir]);
  if (pack.status !== 0) return pack;
  // npm 11 gives a list, npm 12 an object by name.
  const [{ filename, size, unpackedSize, entryCount }] = Object.values(JSON.parse(pack.stdout));
  console.log(`pack: ${kilobytes(size)}, ${kilobytes(unpackedSize)} unpacked, ${entryCount} files`);
  if (size > MOST_PACKED) return fail(`the package is ${kilobytes(size)}, the most is ${kilobytes(MOST_PACKED)}`);

  const project = join(dir, 'project');
  mkdirSync(project);
  const install = ['--silent', '--no-audit', '--no-fund', join(dir, filename)];
  for (const where of [
    ['--prefix', project],
    ['--global', '--prefix', join(dir, 'global')],
  ]) {
    const done = npm('install', ...where, ...install);
    if (done.status !== 0) return done;
  }
  const others = readdirSync(join(project, 'node_modules')).filter((name) => name !== 'osapi-ops' && name[0] !== '.');
  if (others.length > 0) return fail(`the package brought others along: ${others.join(', ')}`);

  for (const cli of [join(project, 'node_modules', '.bin', 'osapi-ops'), join(dir, 'global', 'bin', 'osapi-ops')]) {
    for (const args of [['--version'], ['--help'], ['apply', '--help'], ['schema']]) {
      const done = run(process.execPath, [cli, ...args], { cwd: dir });
      if (done.status !== 0 || !done.stdout) return { ...done, status: 1 };
    }
  }
  const npx = npm('exec', '--yes', '--package', join(dir, filename), '--', 'osapi-ops', '--help');
  if (npx.status !== 0 || !npx.stdout.includes('USAGE')) return { ...npx, status: 1 };

  writeFileSync(join(project, 'package.json'), '{"type": "module"}');
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT }));
  writeFileSync(join(project, 'handler.ts'), HANDLER);
  return run(tsc, ['-p', project]);
}

const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;
