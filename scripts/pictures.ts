// Draws the pictures of README and docs anew: npm run pictures [-- NAME…]. Each is a real run on a real server.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playScene } from './pictures/play.ts';
import { SCENES } from './pictures/scenes.ts';

const wanted = process.argv.slice(2);
for (const scene of SCENES.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const file = new URL(`../docs/pictures/${scene.name}.svg`, import.meta.url);
  const svg = await playScene(scene);
  const isSame = existsSync(file) && readFileSync(file, 'utf8') === svg;
  if (!isSame) writeFileSync(file, svg);
  process.stderr.write(`docs/pictures/${scene.name}.svg: ${isSame ? 'as it was' : 'drawn anew'}\n`);
}

// Those of the console's page are drawn by a browser; what steers it is the tests'.
const draw = fileURLToPath(new URL('../test/browser/draw.ts', import.meta.url));
spawnSync(process.execPath, ['--no-warnings', draw, ...wanted], { stdio: 'inherit' });
