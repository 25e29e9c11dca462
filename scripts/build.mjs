// Bundles the CLI: one small entry for each command, what they share in chunks, so that a command loads only what it needs.
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licencesPage } from './licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const fresh = `${root}dist-${process.pid}`;

const unreached = ['cli-spinners', 'minimatch', 'semver', 'tinyglobby', 'wsl-utils'];

/** Resolves `@oclif/core` to the parts in use. */
const leanOclif = {
  name: 'lean-oclif',
  setup: (bundler) =>
    bundler.onResolve({ filter: /^@oclif\/core$/ }, () => ({ path: `${root}scripts/unbundled/oclif.mjs` })),
};

/**
 * Imports Node's own modules as CommonJS does. An ES import of one looks at each of its exports, and so loads what they
 * would only load when used: all of streams for fs, all of WebCrypto for crypto.
 */
const plainBuiltins = {
  name: 'plain-builtins',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'require-call' ? undefined : { path, namespace: 'builtin' },
    );
    bundler.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

const commands = [];
for await (const file of glob('src/commands/**/*.ts', { cwd: root })) commands.push(file);

const { metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  entryPoints: ['src/main.ts', 'src/lib/ui/help.ts', ...commands.sort()],
  outbase: 'src',
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  minify: !process.env.NOMIN,
  lineLimit: 160,
  alias: Object.fromEntries(unreached.map((name) => [name, './scripts/unbundled/nothing.cjs'])),
  plugins: [leanOclif, plainBuiltins],
  legalComments: 'none',
  logLevel: 'warning',
  // Only Node's own modules are ever required at run time; an ES module has no `require` of its own.
  banner: { js: 'const require = process.getBuiltinModule;' },
});

const { Plugin } = createRequire(import.meta.url)('@oclif/core');
const pjson = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const folder = basename(fresh);
const commandsIn = (dist) => ({ ...pjson.oclif.commands, target: `./${dist}/commands` });
const plugin = new Plugin({
  root,
  pjson: { ...pjson, oclif: { ...pjson.oclif, commands: commandsIn(folder) } },
  isRoot: true,
  ignoreManifest: true,
});
await plugin.load();
const manifest = JSON.parse(JSON.stringify(plugin.manifest).replaceAll(`"${folder}"`, '"dist"'));
write('oclif.manifest.json', JSON.stringify(manifest));
// What it takes to find a command and run it: a tenth of the manifest, which is mostly help.
const bare = ([id, { args, description: _d, examples: _e, flags: _f, ...command }]) => [
  id,
  { ...command, args: Object.fromEntries(Object.keys(args).map((name) => [name, {}])), flags: {} },
];
const commandsOnly = Object.fromEntries(Object.entries(manifest.commands).map(bare));
write(`${folder}/commands.json`, JSON.stringify({ ...manifest, commands: commandsOnly }));

write(`${folder}/THIRD_PARTY_LICENSES`, licencesPage(root, metafile));
write(`${folder}/version.txt`, `osapi-ops/${pjson.version} %node%\n`);
// A build never leaves a half-written dist to a process that starts meanwhile.
const old = `${root}dist-old-${process.pid}`;
try {
  renameSync(`${root}dist`, old);
} catch {
  // There was none yet.
}
renameSync(fresh, `${root}dist`);
rmSync(old, { recursive: true, force: true });

// Until it is there, help renders itself.
const { FORCE_COLOR: _colour, OCLIF_COLUMNS: _width, ...env } = process.env;
const help = spawnSync(process.execPath, [`${root}bin/run.js`, '--help'], {
  env: { ...env, NO_COLOR: '1' },
  encoding: 'utf8',
});
if (help.status !== 0 || !help.stdout) throw new Error(`help does not render: ${help.stderr}`);
write('dist/help.txt', help.stdout.replace(/osapi-ops\/\S+ \S+ node-\S+/, `osapi-ops/${pjson.version} %node%`));

// Types only, without imports: it is its own declaration file, what handlers import as `osapi-ops/handler`. The empty
// module is for compilers that keep an import of which nothing is left.
write('dist/handler.d.ts', readFileSync(`${root}src/lib/worker/handler.ts`, 'utf8'));
write('dist/handler.js', 'export {};\n');

function write(file, text) {
  writeFileSync(`${root}${file}.${process.pid}`, text);
  renameSync(`${root}${file}.${process.pid}`, `${root}${file}`);
}
