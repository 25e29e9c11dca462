import type { Browser } from 'playwright-core';
import { NOW } from './data.ts';
import { goTo, type Look, openAt } from './shown.ts';
import type { Stage } from './stage.ts';

export const ENTRY = '#/dead?queue=REQUESTS&pick=detail%3Dupstream+503&id=REQUESTS%2Frequest-worker%2F88214';

interface Picture extends Look {
  readonly name: string;
  readonly hash: string;
  /** What tells that it is drawn. */
  readonly wanted: string;
}

/** The pictures of docs/pictures, which are what the page is compared with too: three widths, both themes. */
export const PICTURES: readonly Picture[] = [
  { name: 'console-queues', hash: '#/queues', wanted: '.queue-row' },
  { name: 'console-dead-letters', hash: ENTRY, wanted: '.payload' },
  { name: 'console-replay', hash: '#/replay/20260310T140110-ana', wanted: '.figures', theme: 'dark', height: 480 },
  { name: 'console-plan', hash: '#/plan', wanted: '.change', height: 640 },
  { name: 'console-phone', hash: '#/queues', wanted: '.queue-row', width: 360, height: 740, theme: 'dark' },
  { name: 'console-wide', hash: '#/queues', wanted: '.queue-row', width: 2560, height: 600, theme: 'dark' },
];

/** Draws one, as PNG: once it is as `isDone` wants it, or when it goes on not to be. */
export async function draw(
  browser: Browser,
  stage: Stage,
  { hash, wanted, ...look }: Picture,
  isDone: (png: Buffer) => Promise<boolean> = async () => true,
): Promise<Buffer> {
  const { page, context } = await openAt(browser, stage.url, { ...look, at: NOW });
  await page.waitForSelector('.queue-row');
  await goTo(page, hash, wanted);
  if (hash.startsWith('#/dead')) await page.waitForSelector('.plot canvas');
  for (const start = performance.now(); ; ) {
    // What was drawn last is on the screen two frames later.
    await page.evaluate(
      () =>
        new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 100)))),
    );
    const png = await page.screenshot({ animations: 'disabled', caret: 'hide' });
    if (!(await isDone(png)) && performance.now() - start < DRAWN_MS) continue;
    await context.close();
    return png;
  }
}

/** Milliseconds in which a page is drawn, on a machine however busy. */
const DRAWN_MS = 30_000;

/** So many pixels a side are one when two pictures are compared: letters of another font are no difference, a place is. */
const BLOCK = 10;

/** The share of two pictures that is not alike, from 0 to 1; 1 where they have not the same size. */
export async function difference(browser: Browser, one: Buffer, other: Buffer): Promise<number> {
  const page = await browser.newPage();
  const urls = [one, other].map((png) => `data:image/png;base64,${png.toString('base64')}`);
  const share = await page.evaluate(
    async ({ urls: both, block }) => {
      const images = await Promise.all(
        both.map(async (url) => {
          const image = new Image();
          image.src = url;
          await image.decode();
          return image;
        }),
      );
      const [a, b] = images.map((image) => {
        const [width, height] = [Math.ceil(image.width / block), Math.ceil(image.height / block)];
        const pen = new OffscreenCanvas(width, height).getContext('2d')!;
        pen.imageSmoothingQuality = 'high';
        pen.drawImage(image, 0, 0, width, height);
        return pen.getImageData(0, 0, width, height).data;
      });
      if (a!.length !== b!.length) return 1;
      let unlike = 0;
      for (let at = 0; at < a!.length; at += 4) {
        if ([0, 1, 2].some((channel) => Math.abs(a![at + channel]! - b![at + channel]!) > 32)) unlike += 1;
      }
      return unlike / (a!.length / 4);
    },
    { urls, block: BLOCK },
  );
  await page.close();
  return share;
}
