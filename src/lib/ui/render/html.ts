import { clean } from '../sanitize.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or an attribute. Control characters are escaped visibly before. */
export const html = (text: string): string => clean(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);

// Colours that are told apart on both grounds, also by those who see no red or no green; each has a pattern or a word too.
const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--raised:#f4f6f8;--text:#1b2129;--muted:#55606c;--edge:#8a95a1;--waiting:#1a66c2;--flight:#00757a;--dead:#a5140c;--ok:#17592b;--warn:#8f6200;--free:#e3e8ee;--other:#5a2391}
@media (prefers-color-scheme:dark){:root{--ground:#0f1419;--raised:#171e26;--text:#e6eaef;--muted:#9ba7b4;--edge:#6b7785;--waiting:#6cb2ff;--flight:#3fd0d8;--dead:#ff7d72;--ok:#86e0a0;--warn:#f2c14e;--free:#2a333d;--other:#d3b8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1100px;padding:24px;background:var(--ground);color:var(--text);font:14px/20px system-ui,sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:20px;line-height:28px;margin:0 0 4px}h2{font-size:16px;line-height:24px;margin:24px 0 8px}
p{margin:0 0 8px}.muted{color:var(--muted)}.ok{color:var(--ok)}.warn{color:var(--warn)}.critical{color:var(--dead)}.unknown{color:var(--muted)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-bottom:1px solid var(--free);overflow-wrap:break-word}
th{color:var(--muted);font-weight:normal}td.n,th.n{text-align:right;overflow-wrap:normal}
code{font:13px/20px ui-monospace,monospace;overflow-wrap:anywhere}td code{overflow-wrap:break-word}
svg{display:block;margin:4px 0 8px}svg[role=img]{width:100%;height:auto}b,.n{white-space:nowrap}
.f-waiting{fill:var(--waiting)}.f-flight{fill:var(--flight)}.f-dead{fill:var(--dead)}.f-free{fill:var(--free)}.f-warn{fill:var(--warn)}.f-ok{fill:var(--ok)}.f-other{fill:var(--other)}.f-muted{fill:var(--muted)}.axis{stroke:var(--edge)}
.span{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px}
@media (max-width:700px){body{padding:12px}table,tbody,tr,td{display:block}thead{display:none}tr{padding:8px 0;border-bottom:1px solid var(--free)}td,td.n{padding:0 0 2px;border:0;text-align:left}td[data-label]::before{content:attr(data-label) ": ";color:var(--muted)}}
@media print{:root{color-scheme:light}}`;

/** One file that needs nothing else: no script, nothing from outside, and it says so to the browser. */
export const htmlPage = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${html(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;

/**
 * A table; columns whose names are in `numbers` are aligned by their last digit. Cells are HTML. On a narrow screen a row is
 * a card, on which each cell has its column's name.
 */
export function htmlTable(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: ReadonlySet<number>,
): string {
  const mark = (index: number) => (numbers.has(index) ? ' class="n"' : '');
  const labels = names.map((name) => (name === '' ? '' : ` data-label="${html(name)}"`));
  const head = names.map((name, index) => `<th scope="col"${mark(index)}>${html(name)}</th>`).join('');
  const lines = rows.map(
    (row) => `<tr>${row.map((cell, index) => `<td${mark(index)}${labels[index]}>${cell}</td>`).join('')}</tr>`,
  );
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${lines.join('\n')}\n</tbody>\n</table>`;
}

/** A part of a bar. */
export interface Part {
  readonly fill: 'waiting' | 'flight' | 'dead' | 'warn' | 'ok' | 'other' | 'muted' | 'free';
  readonly word: string;
  readonly count: number;
}

const WIDTH = 1000;
const BAR = 20;

/** A bar of parts beside each other, in all as long as `whole`; it says in words what it shows. */
export function barSvg(parts: readonly Part[], whole: number): string {
  const label = parts.map(({ count, word }) => `${count} ${word}`).join(', ') || 'empty';
  let x = 0;
  const boxes = parts.map(({ fill, word, count }) => {
    const width = whole > 0 ? (count / whole) * WIDTH : 0;
    const box = `<rect class="f-${fill}" x="${round(x)}" width="${round(count > 0 ? Math.max(2, width - 1) : 0)}" height="${BAR}"><title>${html(`${count} ${word}`)}</title></rect>`;
    x += width;
    return box;
  });
  return `<svg role="img" aria-label="${html(label)}" viewBox="0 0 ${WIDTH} ${BAR}" preserveAspectRatio="none" width="${WIDTH}" height="${BAR}">${boxes.join('')}</svg>`;
}

/** The colour of a part, beside its word. */
export const swatchSvg = (fill: Part['fill']): string =>
  `<svg aria-hidden="true" viewBox="0 0 12 12" width="12" height="12" style="display:inline;margin:0;vertical-align:-1px"><rect class="f-${fill}" width="12" height="12"/></svg>`;

/** Counts over time, one on another; the first of the series lies at the bottom. */
export function columnsSvg(
  series: readonly { readonly fill: Part['fill']; readonly name: string; readonly counts: readonly number[] }[],
  { label, from, to }: { readonly label: string; readonly from: string; readonly to: string },
): string {
  const HEIGHT = 160;
  const length = Math.max(0, ...series.map(({ counts }) => counts.length));
  const sums = Array.from({ length }, (_, index) => series.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0));
  const most = Math.max(1, ...sums);
  const width = WIDTH / Math.max(1, length);
  const tops = sums.map(() => HEIGHT);
  const boxes = series.flatMap(({ fill, name, counts }) =>
    counts.flatMap((count, index) => {
      if (count === 0) return [];
      const height = (count / most) * HEIGHT;
      tops[index]! -= height;
      const title = `<title>${html(`${count}: ${name}`)}</title>`;
      return [
        `<rect class="f-${fill}" x="${round(index * width)}" y="${round(tops[index]!)}" width="${round(Math.max(0.5, width - 1))}" height="${round(height)}">${title}</rect>`,
      ];
    }),
  );
  const axis = `<line class="axis" x1="0" x2="${WIDTH}" y1="${HEIGHT}" y2="${HEIGHT}"/>`;
  // Beside the drawing, which a narrow screen makes smaller.
  const words = [from, `at most ${most} in one step`, to].map((word) => `<span>${html(word)}</span>`).join('');
  return `<svg role="img" aria-label="${html(label)}" viewBox="0 0 ${WIDTH} ${HEIGHT + 1}" width="${WIDTH}" height="${HEIGHT + 1}">${boxes.join('')}${axis}</svg>\n<p class="muted span">${words}</p>`;
}

/** Digits enough for a pixel. */
const round = (value: number): string => String(Math.round(value * 100) / 100);
