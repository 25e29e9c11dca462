// The built CLI, one line after another in one process. A line comes as a message; where it has ended, both streams say so.
const { join } = require('node:path');
const { loadMain } = require('../../bin/load.cjs');

const root = join(__dirname, '../..');
const known = require('../../dist/commands.json');
const { main } = loadMain(join(root, 'dist', 'main.cjs'), known, []);

/** Milliseconds after its answer at which a line that still keeps its process is told of; looks, where the machine is busy. */
const KEPT_LONG = 4000;
const LOOK_MS = 5;

/** A process of its own would end only when nothing keeps it: a socket, a timer, a worker. Resolves to what did for long. */
async function ended(before) {
  for (let looks = 0; ; looks += 1) {
    // The pipes are those to the test.
    const kept = process.getActiveResourcesInfo().filter((one) => one !== 'PipeWrap');
    for (const one of before) if (kept.includes(one)) kept.splice(kept.indexOf(one), 1);
    if (kept.length === 0) return [];
    if (looks > KEPT_LONG / LOOK_MS) return kept;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

process.on('message', async ({ args, end, isOneStream, cwd, env }) => {
  process.exitCode = undefined;
  const before = process.getActiveResourcesInfo();
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  if (isOneStream) process.stderr.write = process.stdout.write.bind(process.stdout);
  await main(args, known, root);
  const kept = await ended(before);
  if (kept.length > 0) throw new Error(`after its answer ${kept.join(', ')} kept the process for ${KEPT_LONG} ms`);
  // That of the class is its own again.
  delete process.stderr.write;
  for (const event of ['SIGINT', 'SIGTERM', 'exit']) process.removeAllListeners(event);
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.write(`${end}${process.exitCode ?? 0}\n`);
  }
});
