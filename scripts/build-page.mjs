// The console's page: one program, one sheet of styles, as a browser takes them. No file of it is made at run time.
import { copyFileSync, readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

/** All of it, compressed; growing past it is a decision. */
const MOST = 120_000;
/** What makes code or elements of text: the page's policy refuses it, and so would a browser only when it is reached. */
const REFUSED = /\beval\(|\bnew Function\b|\.innerHTML\s*=[^=]|insertAdjacentHTML|document\.write/;

/**
 * Builds it into a folder.
 * @returns esbuild's metafile
 * @throws Error for a page that is too large, or does what its policy refuses
 */
export async function buildPage(root, outdir) {
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: root,
    entryPoints: [
      { in: 'src/console/main.tsx', out: 'main' },
      { in: 'src/console/main.css', out: 'main' },
    ],
    outdir,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome120', 'firefox125', 'safari17'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    plugins: [otherwise],
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const name of ['index.html', 'icon.svg']) copyFileSync(`${root}src/console/${name}`, `${outdir}/${name}`);
  const names = ['index.html', 'icon.svg', 'main.js', 'main.css'];
  const sizes = names.map((name) => brotliCompressSync(readFileSync(`${outdir}/${name}`)).length);
  const size = sizes.reduce((sum, each) => sum + each, 0);
  if (size > MOST) throw new Error(`the console's page is ${size} bytes compressed, the most is ${MOST}`);
  const found = REFUSED.exec(readFileSync(`${outdir}/main.js`, 'utf8'));
  if (found) throw new Error(`the console's page has ${found[0]}, which its policy refuses`);
  return metafile;
}

/** What of a package's code is otherwise in ours; each must still be there. */
const OTHERWISE = [
  // Sets markup where a property says so that nothing of ours has.
  { file: 'preact.mjs', from: /\w+\.innerHTML=\w+\.__html/, to: 'void 0' },
  // Throws where the system's language is C, whose name no browser knows; the page is in English.
  { file: 'uPlot.esm.js', from: /new Intl\.NumberFormat\([^)]*\)/, to: "new Intl.NumberFormat('en-US')" },
];

const otherwise = {
  name: 'otherwise',
  setup: (bundler) =>
    bundler.onLoad({ filter: /node_modules.(preact.dist.preact\.mjs|uplot.dist.uPlot\.esm\.js)$/ }, ({ path }) => {
      const { from, to } = OTHERWISE.find(({ file }) => path.endsWith(file));
      const contents = readFileSync(path, 'utf8');
      if (!from.test(contents)) throw new Error(`${path} is no longer what it was`);
      return { contents: contents.replace(from, to) };
    }),
};
