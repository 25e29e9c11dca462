// Draws the pictures of the console's page into docs/pictures: `npm run pictures` does.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/cli.ts';
import { here } from '../support/here.ts';
import { launchBrowser } from './support/browser.ts';
import { draw, PICTURES } from './support/pictures.ts';
import { startStage } from './support/stage.ts';

const wanted = process.argv.slice(2);
const pictures = PICTURES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (pictures.length > 0 && here().browser === null) {
  process.stderr.write('the pictures of the console are not drawn: no browser is here\n');
} else if (pictures.length > 0) {
  const [browser, stage] = await Promise.all([launchBrowser(), startStage()]);
  for (const picture of pictures) {
    writeFileSync(join(ROOT, 'docs', 'pictures', `${picture.name}.png`), await draw(browser, stage, picture));
    process.stderr.write(`docs/pictures/${picture.name}.png: drawn anew\n`);
  }
  await browser.close();
  await stage.close();
}
