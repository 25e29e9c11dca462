// Bundles the CLI into one file, whose modules are evaluated when they are first needed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { loadMain } from '../bin/load.cjs';
import { buildPage } from './build-page.mjs';
import { licencesPage } from './licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `dist-${process.pid}`;
const fresh = `${root}${folder}`;

const unreached = ['cli-spinners', 'debug', 'minimatch', 'semver', 'tinyglobby', 'typescript', 'wsl-utils'];

/** Resolves `@oclif/core` to the parts in use. */
const leanOclif = {
  name: 'lean-oclif',
  setup: (bundler) =>
    bundler.onResolve({ filter: /^@oclif\/core$/ }, () => ({ path: `${root}scripts/unbundled/oclif.mjs` })),
};

/** Node's module for TLS takes long to load and is seldom needed. */
const lazyTls = {
  name: 'lazy-tls',
  setup: (bundler) =>
    bundler.onResolve({ filter: /^node:tls$/ }, ({ importer }) =>
      importer.endsWith('tls.cjs') ? undefined : { path: `${root}scripts/unbundled/tls.cjs` },
    ),
};

/**
 * Evaluates a module of these packages when something of it is first used, instead of where it is required: most runs
 * use a tenth of oclif, and no key of NATS. Their compiler names each module once, as `path_1`, and uses it by that name.
 */
const lazyRequires = {
  name: 'lazy-requires',
  setup: (bundler) =>
    bundler.onLoad({ filter: /node_modules.(@oclif.core|@nats-io.nats-core).lib.*\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8');
      const required = /^(?:const|var) (\w+_\d+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm;
      for (const [line, name, expression] of contents.matchAll(required)) {
        const use = new RegExp(`(?<![\\w.])${name}\\b`, 'g');
        const lazy = `let ${name}$; const ${name} = () => (${name}$ ??= ${expression});`;
        contents = contents
          .replace(line, '\0')
          .replace(use, `(${name}())`)
          .replace('\0', () => lazy);
      }
      return { contents };
    }),
};

/** Node's own modules that take a millisecond or more to load, and of which most runs call nothing. */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^node:(crypto|fs\/promises)$/ }, ({ path, namespace }) =>
      namespace === 'lazy' ? undefined : { path, namespace: 'lazy' },
    );
    bundler.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: `let loaded; const load = () => (loaded ??= require('${path}'));\n${Object.keys(
        process.getBuiltinModule(path),
      )
        .map((name) => `Object.defineProperty(exports, '${name}', { enumerable: true, get: () => load().${name} });`)
        .join('\n')}`,
    }));
  },
};

/** The NATS client hands all of its keys on, to whom they are of no use: 50 kB that are evaluated where one is asked for. */
const lazyKeys = {
  name: 'lazy-keys',
  setup: (bundler) =>
    bundler.onLoad({ filter: /@nats-io.nats-core.lib.nkeys\.js$/ }, ({ path }) => {
      const eager = 'exports.nkeys = __importStar(require("@nats-io/nkeys"));';
      const contents = readFileSync(path, 'utf8');
      if (!contents.includes(eager)) throw new Error(`${path} is no longer what it was`);
      const get = 'get: () => (keys ??= __importStar(require("@nats-io/nkeys")))';
      const lazy = `let keys; Object.defineProperty(exports, 'nkeys', { enumerable: true, ${get} });`;
      return { contents: contents.replace(eager, lazy) };
    }),
};

const { metafile } = await build({
  metafile: true,
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile: `${fresh}/main.cjs`,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node22',
  // In a script of our own loader, Node warns a person of each \`import()\`.
  supported: { 'dynamic-import': false },
  minify: true,
  lineLimit: 1000,
  alias: Object.fromEntries(unreached.map((name) => [name, './scripts/unbundled/nothing.cjs'])),
  plugins: [leanOclif, lazyKeys, lazyRequires, lazyTls, lazyBuiltins],
  legalComments: 'none',
  logLevel: 'warning',
});

// As bin/load.cjs takes it: a digest, then one function, in Latin-1, which V8 holds in half the memory of other text and
// need not decode. Where esbuild leaves other characters, in regular expressions, they can be written as escapes.
const code = readFileSync(`${fresh}/main.cjs`, 'utf8');
if (/raw`[^`]*[^\0-\xff]/.test(code))
  throw new Error('a raw template with such a character would come to mean another');
const latin = code.replace(/[^\0-\xff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
const digest = createHash('sha256').update(latin).digest('hex').slice(0, 16);
writeFileSync(`${fresh}/main.cjs`, `// ${digest}\n(function (exports, require, module) {${latin}\n})`, 'latin1');

const { Plugin } = createRequire(import.meta.url)('@oclif/core');
const pjson = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
process.env.NODE_DISABLE_COMPILE_CACHE = '1';
const { loadCommand } = loadMain(`${fresh}/main.cjs`, {}, []);
const sources = globSync('**/*.ts', { cwd: `${root}src/commands` }).sort();
const paths = sources.map((file) => file.replace(/\.ts$/, '').replaceAll(sep, '/'));
const files = Object.fromEntries(paths.map((path) => [path.replace(/\/index$/, '').replaceAll('/', ':'), path]));
const plugin = Object.assign(new Plugin({ root, pjson, isRoot: true, ignoreManifest: true }), {
  getCommandIDs: async () => Object.keys(files),
  findCommand: async (id) => Object.assign(await loadCommand(files[id]), { id, plugin }),
});
await plugin.load();
write('oclif.manifest.json', JSON.stringify(plugin.manifest));
// What it takes to find a command: a hundredth of the manifest, which is mostly help.
const known = Object.entries(plugin.manifest.commands).map(([id, { args }]) => [
  id,
  { file: files[id], takesArgs: Object.keys(args).length > 0 },
]);
write(`${folder}/commands.json`, JSON.stringify(Object.fromEntries(known)));

const page = await buildPage(root, `${fresh}/console`);

const outputs = { ...metafile.outputs, ...page.outputs };
write(`${folder}/THIRD_PARTY_LICENSES`, licencesPage(root, { outputs }));
write(`${folder}/version.txt`, `osapi-ops/${pjson.version} %node%\n`);

// The way of the three lines of a pipeline as far as the server that is not there; of all that a command calls, most.
for (const line of ['apply config/prod.yaml', 'dlq replay', 'status']) {
  const trained = spawnSync(process.execPath, [`${root}scripts/keep-code.cjs`, fresh, root, ...line.split(' ')], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: fresh, NATS_URL: 'nats://127.0.0.1:1' },
    stdio: 'ignore',
  });
  if (trained.status !== 69) throw new Error(`\`${line}\` of the new build ended with ${trained.status}`);
}

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
