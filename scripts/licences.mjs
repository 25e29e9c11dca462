// The licences of what is bundled: other people's code is in our files, so their texts have to travel with it.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files that hold a licence, or what a licence obliges us to pass on. */
const TEXTS = ['LICENSE*', 'LICENCE*', 'license*', 'licence*', 'NOTICE*', 'COPYING*'];

/** The folders of the packages of which anything ended up in an output, by esbuild's metafile. */
export function bundledPackages({ outputs }) {
  const inputs = Object.values(outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );
  const folders = inputs.map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders.filter(Boolean))].sort();
}

/**
 * A page of each package with its version and licence, then each text once, under the packages it is for.
 * @throws Error for a package that ships no text: somebody has to look before its code may go out
 */
export function licencesPage(root, metafile) {
  const packages = new Map();
  const texts = new Map();
  for (const folder of bundledPackages(metafile)) {
    const dir = join(root, folder);
    const { name, version, license } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    const files = globSync(TEXTS, { cwd: dir }).sort();
    if (files.length === 0) throw new Error(`${folder} (${license}) would be bundled, but ships no licence text`);
    packages.set(`${name} ${version}`, license);
    for (const file of files) {
      const text = readFileSync(join(dir, file), 'utf8').replaceAll('\r\n', '\n').trim();
      texts.set(text, (texts.get(text) ?? new Set()).add(`${name} ${version}`));
    }
  }
  const list = [...packages].map(([what, license]) => `${what}  ${license}`).sort();
  const parts = [...texts].map(([text, whose]) => `${'-'.repeat(80)}\n${[...whose].join(', ')}:\n\n${text}\n`);
  return `osapi-ops contains code of these packages, bundled and minified:\n\n${list.join('\n')}\n\n${parts.join('\n')}`;
}
