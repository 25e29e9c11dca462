#!/usr/bin/env node
// Old syntax only: on a Node that is too old this file must still run, to find a newer one or to say so.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const version = process.versions.node.split('.').map(Number);
const supported = (version[0] === 22 && version[1] >= 22) || version[0] === 24 || version[0] >= 26;

if (!supported) {
  import('./supported-node.js').then((own) => own.runOnSupportedNode(fileURLToPath(import.meta.url)));
} else if (!existsSync(new URL('../dist/main.js', import.meta.url))) {
  process.stderr.write(
    `Error: osapi-ops is not built\n  at ${fileURLToPath(new URL('../dist', import.meta.url))}\n` +
      '  A checkout holds sources only.\n  Try: npm run build\n',
  );
  process.exitCode = 1;
} else {
  if (module.enableCompileCache) module.enableCompileCache();
  import('../dist/main.js').then((cli) =>
    cli.main(process.argv.slice(2), fileURLToPath(new URL('..', import.meta.url))),
  );
}
