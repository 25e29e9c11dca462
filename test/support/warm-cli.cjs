// The built CLI, one line after another in one process. A line comes as a message; where it has ended, both streams say so.
const { join } = require('node:path');
const { loadMain } = require('../../bin/load.cjs');

const root = join(__dirname, '../..');
const known = require('../../dist/commands.json');
const { main } = loadMain(join(root, 'dist', 'main.cjs'), known, []);

process.on('message', async ({ args, end, cwd, env }) => {
  process.exitCode = undefined;
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  await main(args, known, root);
  for (const event of ['SIGINT', 'SIGTERM', 'exit']) process.removeAllListeners(event);
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.write(`${end}${process.exitCode ?? 0}\n`);
  }
});
