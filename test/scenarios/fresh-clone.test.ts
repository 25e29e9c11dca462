import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type CliResult, ROOT, startCli } from '../support/cli.ts';
import { until } from '../support/until.ts';

jest.setTimeout(300_000);

/** What a clone does not have. */
const LOCAL = new Set(['node_modules', 'dist', '.git', '.cache', '.osapi-dev', '.bench', 'oclif.manifest.json']);
let clone: string;

/** Packages for those who work here, which no build asks for: they would come the same way, and take most of the time. */
const TOOLS = /^(@biomejs|@changesets|@jest|@stryker-mutator|fast-check|jest|knip|playwright-core|typescript)\b/;

/** Takes the tools out of what a clone installs, with what only they ask for. */
function leaveTools(dir: string): void {
  const [own, lock] = ['package.json', 'package-lock.json'].map((name) => ({ name, json: readJson(join(dir, name)) }));
  const { packages } = lock!.json;
  for (const { devDependencies } of [own!.json, packages['']])
    for (const name of Object.keys(devDependencies)) if (TOOLS.test(name)) delete devDependencies[name];
  // A set goes on to what is added meanwhile. A package finds another in its own folder, or in one further up.
  const kept = new Set(['']);
  for (const from of kept) {
    const { devDependencies, dependencies, optionalDependencies, peerDependencies } = packages[from];
    for (const name of Object.keys({
      ...devDependencies,
      ...dependencies,
      ...optionalDependencies,
      ...peerDependencies,
    })) {
      const parts = from.split(/(?<=^|\/)(?=node_modules\/)/);
      const found = parts.map((_, index) => join(...parts.slice(0, parts.length - index), 'node_modules', name));
      const path = [...found, `node_modules/${name}`].find((one) => one in packages);
      if (path !== undefined) kept.add(path);
    }
  }
  for (const path of Object.keys(packages)) if (!kept.has(path)) delete packages[path];
  for (const { name, json } of [own!, lock!]) writeFileSync(join(dir, name), JSON.stringify(json));
}
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'osapi-ops-clone-'));
  cpSync(ROOT, clone, { recursive: true, filter: (path) => !LOCAL.has(basename(path)) });
  leaveTools(clone);
});
afterAll(() => rmSync(clone, { recursive: true, force: true }));

/** A command in the clone, with the npm settings of this machine but no settings of ours. */
const inClone = (command: string[], env: Record<string, string | undefined> = {}): Promise<CliResult> => {
  const own = Object.entries(process.env).filter(([name]) => !/^(NATS_|OSAPI_OPS_|NODE_|npm_|JEST_)/.test(name));
  return startCli([], { command, cwd: clone, env: { ...Object.fromEntries(own), ...env } }).done;
};
const setup = (...task: string[]): Promise<CliResult> => inClone([process.execPath, 'scripts/with-setup.mjs', ...task]);

describe('a fresh clone', () => {
  test('says what to do without a network, then does everything by itself and nothing twice, and tells the demo to its end', async () => {
    const unbuilt = await inClone([process.execPath, 'bin/run.js', '--version']);
    expect(unbuilt.code).toBe(1);
    expect(unbuilt.stderr).toContain('Try: npm run build');

    const cut = await inClone([process.execPath, 'scripts/with-setup.mjs', 'build'], {
      npm_config_registry: 'http://127.0.0.1:1/',
      npm_config_cache: join(clone, '.cache', 'no-npm-cache'),
      npm_config_replace_registry_host: 'always',
    });
    expect(cut.code).toBe(1);
    expect(cut.stderr).toMatch(/Error: .* could not be installed\n.*\n {2}Tried: npm ci .*\n {2}Try: /);

    const first = await inClone(['npm', 'run', 'build', '--silent']);
    expect({ code: first.code, said: first.code === 0 ? '' : first.stderr }).toEqual({ code: 0, said: '' });
    expect(first.stderr).toContain('installing dependencies (npm ci)');
    const version = await inClone([process.execPath, 'bin/run.js', '--version']);
    expect(version.stdout).toMatch(/osapi-ops\/\d/);

    const inTime = async () => {
      const began = performance.now();
      const again = await setup('node', '-e', 'process.exit(7)');
      expect(again).toMatchObject({ code: 7, stderr: '' });
      return performance.now() - began < 3000;
    };
    // 0.2 s on an idle machine; here others may be at work.
    await until(inTime, 'what is there is not made again');

    const demo = await inClone(['npm', 'run', 'demo', '--silent']);
    expect(demo).toMatchObject({ code: 0 });
    expect(demo.stdout).toContain('A real nats-server comes up');
    expect(demo.stdout).toContain('5 of 5 requests wait in REQUESTS');

    // From here on it counts how often it would build: that takes its time, and was seen to work.
    const main = join(clone, 'dist', 'main.cjs');
    const builds = join(clone, 'builds');
    const counting = `for (const file of ${JSON.stringify([main, builds])}) appendFileSync(file, '.');`;
    writeFileSync(join(clone, 'scripts', 'build.mjs'), `import { appendFileSync } from 'node:fs';\n${counting}\n`);
    const built = async () => {
      expect((await setup('node', '-e', '0')).code).toBe(0);
      return readFileSync(builds, 'utf8').length;
    };
    // What builds is a source as well.
    expect(await built()).toBe(1);
    expect(await built()).toBe(1);
    utimesSync(join(clone, 'src', 'main.ts'), new Date(), new Date());
    expect(await built()).toBe(2);
    rmSync(main);
    expect(await built()).toBe(3);
    expect(existsSync(main)).toBe(true);
    rmSync(join(clone, 'dist'), { recursive: true });
    mkdirSync(join(clone, 'dist'));
    expect(await built()).toBe(4);
    expect(await built()).toBe(4);
  });
});
