// Bundles the CLI: one small entry per command, what they share in chunks, so that a command loads only what it needs.
import { rmSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
rmSync(`${root}dist`, { recursive: true, force: true });
rmSync(`${root}oclif.manifest.json`, { force: true });

const commands = [];
for await (const file of glob('src/commands/**/*.ts', { cwd: root })) commands.push(file);

await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts', ...commands.sort()],
  outbase: 'src',
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  legalComments: 'none',
  logLevel: 'warning',
  // Bundled CommonJS packages ask for Node's own modules by `require`, which an ES module does not have.
  banner: { js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);" },
});

const { Plugin } = createRequire(import.meta.url)('@oclif/core');
const plugin = new Plugin({ root, ignoreManifest: true });
await plugin.load();
writeFileSync(`${root}oclif.manifest.json`, JSON.stringify(plugin.manifest));
