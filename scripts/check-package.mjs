// The package as a user gets it: packed, and installed in an empty folder where nothing else is.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a pipeline downloads for each job; growing past it is a decision. 150 kB of it are the console and its page. */
const MOST_PACKED = 1_420_000;

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

/** @returns {Promise<{status: number, stdout: string, stderr: string}>} as of the process that failed, or of success */
export async function checkPackage({ run, tsc }) {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-pack-'));
  try {
    return await tryOut({ run, tsc, dir });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function tryOut({ run, tsc, dir }) {
  const fail = (what) => ({ status: 1, stdout: '', stderr: `${what}\n` });
  const npm = (...args) => run('npm', args, { cwd: dir });
  const pack = await run('npm', ['pack', '--json', '--silent', '--pack-destination', dir]);
  if (pack.status !== 0) return pack;
  // npm 11 gives a list, npm 12 an object by name.
  const [{ filename, size, unpackedSize, entryCount }] = Object.values(JSON.parse(pack.stdout));
  console.log(`pack: ${kilobytes(size)}, ${kilobytes(unpackedSize)} unpacked, ${entryCount} files`);
  if (size > MOST_PACKED) return fail(`the package is ${kilobytes(size)}, the most is ${kilobytes(MOST_PACKED)}`);

  const project = join(dir, 'project');
  mkdirSync(project);
  const install = ['--silent', '--no-audit', '--no-fund', join(dir, filename)];
  const refused = await firstFailure([
    npm('install', '--prefix', project, ...install),
    npm('install', '--global', '--prefix', join(dir, 'global'), ...install),
  ]);
  if (refused) return refused;
  const others = readdirSync(join(project, 'node_modules')).filter((name) => name !== 'osapi-ops' && name[0] !== '.');
  if (others.length > 0) return fail(`the package brought others along: ${others.join(', ')}`);

  const says = async (word, running) => {
    const done = await running;
    return done.stdout.includes(word) ? done : { ...done, status: done.status || 1 };
  };
  writeFileSync(join(project, 'package.json'), '{"type": "module"}');
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT }));
  writeFileSync(join(project, 'handler.ts'), HANDLER);
  const clis = [join(project, 'node_modules', '.bin', 'osapi-ops'), join(dir, 'global', 'bin', 'osapi-ops')];
  const words = [
    ['osapi-ops/', '--version'],
    ['USAGE', '--help'],
    ['USAGE', 'apply', '--help'],
    ['$schema', 'schema'],
  ];
  const failed = await firstFailure([
    ...clis.flatMap((cli) =>
      words.map(([word, ...args]) => says(word, run(process.execPath, [cli, ...args], { cwd: dir }))),
    ),
    says('USAGE', npm('exec', '--yes', '--package', join(dir, filename), '--', 'osapi-ops', '--help')),
    run(tsc, ['-p', project]),
  ]);
  return failed ?? { status: 0, stdout: '', stderr: '' };
}

const firstFailure = async (running) => (await Promise.all(running)).find(({ status }) => status !== 0);

const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;
