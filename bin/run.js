#!/usr/bin/env node
// Old syntax only: on a Node that is too old this file must still run, to find a newer one or to say so.
const version = process.versions.node.split('.').map(Number);
const supported = (version[0] === 22 && version[1] >= 22) || version[0] === 24 || version[0] >= 26;

// An ES import of one of Node's own modules loads all that it could ever need; every start would pay for that.
const builtin = (name) => process.getBuiltinModule(name);

if (!supported) {
  Promise.all([import('./supported-node.js'), import('node:url')]).then(([own, url]) =>
    own.runOnSupportedNode(url.fileURLToPath(import.meta.url)),
  );
} else if (!builtin('node:fs').existsSync(new URL('../dist/main.cjs', import.meta.url))) {
  process.stderr.write(
    `Error: osapi-ops is not built\n  at ${builtin('node:url').fileURLToPath(new URL('../dist', import.meta.url))}\n` +
      '  A checkout holds sources only.\n  Try: npm run build\n',
  );
  process.exitCode = 1;
} else if (!answeredAtBuild(process.argv.slice(2))) {
  nameTheNameless(process.env);
  if (process.env.OSAPI_OPS_LEASH && process.channel) {
    delete process.env.OSAPI_OPS_LEASH;
    process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.channel.unref();
  }
  const { fileURLToPath } = builtin('node:url');
  const argv = process.argv.slice(2);
  const require = builtin('node:module').createRequire(import.meta.url);
  const known = require('../dist/commands.json');
  const { main } = require('./load.cjs').loadMain(
    fileURLToPath(new URL('../dist/main.cjs', import.meta.url)),
    known,
    argv,
  );
  main(argv, known, fileURLToPath(new URL('..', import.meta.url)));
}

// `--version` and, where no terminal asks for its own width, the top `--help` were written at build time: no framework loads.
function answeredAtBuild(argv) {
  const written = {
    '--version': 'version.txt',
    '-v': 'version.txt',
    version: 'version.txt',
    '--help': 'help.txt',
    '-h': 'help.txt',
  }[argv.length ? argv[0] : '--help'];
  if (!written || argv.length > 1 || (written === 'help.txt' && process.stdout.isTTY)) return false;
  const { existsSync, readFileSync } = builtin('node:fs');
  const file = new URL(`../dist/${written}`, import.meta.url);
  if (!existsSync(file)) return false;
  const text = readFileSync(file, 'utf8');
  process.stdout.on('error', (error) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`Error: cannot write to standard output: ${error.message}\n  Code: OUTPUT_FAILED\n`);
    process.exit(1);
  });
  process.stdout.write(text.replace('%node%', `${process.platform}-${process.arch} node-${process.version}`));
  return true;
}

// A cluster may run us as a number that no passwd entry knows; libraries ask the system for its home and shell, and break.
function nameTheNameless(env) {
  if (env.HOME && env.SHELL) return;
  try {
    builtin('node:os').userInfo();
  } catch {
    env.HOME = env.HOME || '/';
    env.SHELL = env.SHELL || '/bin/sh';
  }
}
