import { describe, expect, test } from '@jest/globals';
import { barSvg, columnsSvg, html, htmlPage, htmlTable } from '../../../src/lib/ui/render/html.ts';

const HOSTILE = `</title><script>alert(1)</script>"'><img src=x onerror=alert(1)>&amp;\u001b[31m\u202e\u0007`;

describe('one file to keep', () => {
  test('runs nothing and asks nobody', () => {
    const page = htmlPage('x', '<p>x</p>');
    expect(page).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
    );
    expect(page).not.toMatch(/<script|<link|<img|https?:|url\(|@import/i);
    expect(page).toContain('prefers-color-scheme:dark');
  });

  test('text is text wherever it stands', () => {
    const all = [
      htmlPage(HOSTILE, ''),
      htmlTable([HOSTILE], [[html(HOSTILE)]], new Set([0])),
      barSvg([{ fill: 'dead', word: HOSTILE, count: 1 }], 1),
      columnsSvg([{ fill: 'dead', name: HOSTILE, counts: [1] }], { label: HOSTILE, from: HOSTILE, to: HOSTILE }),
    ].join('\n');
    expect(all).not.toMatch(/<script|<img|onerror=alert\(1\)>|[\u001b\u202e\u0007]/);
    expect(all).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;');
    // An attribute ends where ours ends it.
    for (const [, label] of all.matchAll(/aria-label="([^"]*)"/g)) expect(label).toContain('&quot;&#39;&gt;&lt;img');
  });
});

describe('a bar', () => {
  const xs = (svg: string) =>
    [...svg.matchAll(/ x="([\d.]+)" width="([\d.]+)"/g)].map(([, x, width]) => [Number(x), Number(width)]);

  test('has its parts beside each other, in their shares of the whole, and says them in words', () => {
    const svg = barSvg(
      [
        { fill: 'waiting', word: 'waiting', count: 3 },
        { fill: 'dead', word: 'dead', count: 1 },
        { fill: 'free', word: 'free', count: 4 },
      ],
      8,
    );
    expect(xs(svg)).toEqual([
      [0, 374],
      [375, 124],
      [500, 499],
    ]);
    expect(svg).toContain('aria-label="3 waiting, 1 dead, 4 free"');
  });

  test('of nothing is empty', () => {
    expect(barSvg([], 0)).toContain('aria-label="empty"');
    expect(xs(barSvg([{ fill: 'dead', word: 'dead', count: 0 }], 0))).toEqual([[0, 0]]);
  });
});

test('columns stand on one another, the highest as high as the drawing', () => {
  const svg = columnsSvg(
    [
      { fill: 'dead', name: 'a', counts: [3, 0] },
      { fill: 'warn', name: 'b', counts: [1, 2] },
    ],
    { label: 'deaths', from: 'then', to: 'now' },
  );
  const boxes = [...svg.matchAll(/class="f-(\w+)" x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g)];
  expect(boxes.map(([, fill, ...numbers]) => [fill, ...numbers.map(Number)])).toEqual([
    ['dead', 0, 40, 120],
    ['warn', 0, 0, 40],
    ['warn', 500, 80, 80],
  ]);
  expect(svg).toContain('at most 4');
  expect(columnsSvg([], { label: 'none', from: '', to: '' })).toContain('aria-label="none"');
});
