// Rows of a screen as an SVG that fetches nothing: the reader's own monospace font, and colours for light and dark.
import type { Row, Run } from './screen.ts';

/** Pixels. A cell is as wide as most monospace fonts draw it at this size; `textLength` holds the others to it. */
const FONT = 14;
const CELL = 8.4;
const LINE = 20;
const PADDING = 16;

/** Foregrounds with a contrast of 4.5 and more on their ground. */
const LIGHT = {
  ground: '#f6f8fa',
  frame: '#d1d9e0',
  text: '#1f2328',
  dim: '#59636e',
  red: '#b42318',
  green: '#0b6b30',
  yellow: '#7d5000',
  blue: '#0550ae',
  magenta: '#7a36c4',
  cyan: '#0b6472',
};
const DARK: typeof LIGHT = {
  ground: '#0d1117',
  frame: '#30363d',
  text: '#e6edf3',
  dim: '#9198a1',
  red: '#ff8078',
  green: '#4ac265',
  yellow: '#dba636',
  blue: '#79b8ff',
  magenta: '#cba3ff',
  cyan: '#56cfe1',
};

const NAMED = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const;
const rulesOf = (palette: typeof LIGHT): string =>
  [
    `rect{fill:${palette.ground};stroke:${palette.frame}}`,
    `text{fill:${palette.text}}`,
    `.dim{fill:${palette.dim}}`,
    ...NAMED.map((name) => `.${name}{fill:${palette[name]}}`),
  ].join('');

const STYLE = [
  `text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}`,
  '.bold{font-weight:700}.line{text-decoration:underline}',
  rulesOf(LIGHT),
  `@media(prefers-color-scheme:dark){${rulesOf(DARK)}}`,
].join('\n');

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const px = (value: number): string => String(Math.round(value * 10) / 10);

/** Words that stand apart are placed apart, so that columns hold in every font and every viewer. */
function drawRun({ column, text, style }: Run): string {
  const name = style ? ` class="${style}"` : '';
  return [...text.matchAll(/\S+(?: \S+)*/g)]
    .map(({ 0: words, index }) => {
      const place = `x="${px(PADDING + (column + index) * CELL)}" textLength="${px(words.length * CELL)}"`;
      return `<tspan ${place}${name}>${escapeXml(words)}</tspan>`;
    })
    .join('');
}

/** The picture of a screen; `title` is what a screen reader says of it. */
export function svgOf(rows: readonly Row[], { columns, title }: { columns: number; title: string }): string {
  const width = px(columns * CELL + 2 * PADDING);
  const height = px(rows.length * LINE + 2 * PADDING);
  const lines = rows.flatMap((row, index) => {
    const runs = row.map(drawRun).join('');
    return runs ? [`<text y="${px(PADDING + index * LINE + FONT)}">${runs}</text>`] : [];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect x=".5" y=".5" width="${px(Number(width) - 1)}" height="${px(Number(height) - 1)}" rx="6"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
