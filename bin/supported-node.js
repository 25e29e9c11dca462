// Old syntax throughout: this file has to run on the very Nodes that are too old for the rest.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What package.json's `engines` says. */
export const RANGE = '^22.22.0 || ^24.0.0 || >=26.0.0';

export function isSupported(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return (major === 22 && minor >= 22) || major === 24 || major >= 26;
}

/** The Node in the checkout's tools folder, or undefined where it is not installed or does not run on this machine. */
export function findOwnNode() {
  const modules = fileURLToPath(new URL('../tools/node/node_modules', import.meta.url));
  if (!existsSync(modules)) return undefined;
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  return readdirSync(modules)
    .filter((name) => name.startsWith('node-'))
    .map((name) => join(modules, name, 'bin', program))
    .find(
      (path) => existsSync(path) && isSupported(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout || '0.0'),
    );
}

/**
 * Runs a command in our place: its streams, its signals, its exit code are ours. With `leash` it also hears, by a
 * closed channel, that we were killed with -9 and could tell it nothing.
 */
export function become(command, args, { leash = false, env = process.env } = {}) {
  const environment = Object.assign({}, env, leash ? { OSAPI_OPS_LEASH: '1' } : {});
  const streams = leash ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
  const child = spawn(command, args, { stdio: streams, env: environment });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      // Ctrl-C of a terminal reaches the child by itself; twice would mean "at once" to it.
      if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`Error: ${command} cannot be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** Runs `script` on a Node that is new enough, or says what to install. */
export function runOnSupportedNode(script) {
  const node = findOwnNode();
  if (node) {
    become(node, [script].concat(process.argv.slice(2)), { leash: true });
    return;
  }
  const setup = fileURLToPath(new URL('../scripts/with-setup.mjs', import.meta.url));
  const way = existsSync(setup)
    ? 'run `npm run build` here once, which brings one along, or install Node 24'
    : 'install Node 24, as with `nvm install 24` or `brew install node@24`';
  process.stderr.write(
    `Error: osapi-ops does not run on Node ${process.versions.node}\n` +
      `  at ${process.execPath}\n` +
      `  It needs Node ${RANGE}.\n` +
      `  Try: ${way}.\n`,
  );
  process.exit(1);
}
