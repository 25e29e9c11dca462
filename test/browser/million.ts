// What a console costs over a queue with very many dead letters, as JSON: `npm run bench -- console` asks it.
// node test/browser/million.ts URL COUNT
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { ROOT } from '../support/cli.ts';
import { launchBrowser } from './support/browser.ts';
import { goTo, openAt } from './support/shown.ts';

const TOKEN = 'a-token-of-the-bench-and-of-nobody-else-0123456789';
/** Pages of rows that are scrolled through; their rows are entries.ts' matter. */
const SCROLLED = 200;
const ROWS = 200;

const [url = '', count = '0'] = process.argv.slice(2);
const host = spawn(process.execPath, [join(ROOT, 'bin', 'run.js'), 'console', '--server', url], {
  env: { ...process.env, OSAPI_OPS_CONSOLE_TOKEN: TOKEN },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const address = await new Promise<string>((resolve) => {
  let said = '';
  host.stdout.on('data', (part) => {
    said += part;
    const [found] = /http:\S+/.exec(said) ?? [];
    if (found !== undefined) resolve(`${new URL(found).origin}/#token=${TOKEN}`);
  });
});

/** The most memory that it ever had, in bytes. */
const peakOf = (pid: number): number => {
  const [, kib = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
};

/** From a key to the frame that shows it, in milliseconds of the page's own; the worst of many. */
const slowestKey = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const times: number[] = [];
    for (let n = 0; n < 40; n += 1) {
      const start = performance.now();
      document.querySelector('.rows')!.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      times.push(performance.now() - start);
    }
    return Math.max(...times);
  });

const heapOf = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
};

const secondsOf = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

const browser = await launchBrowser();
try {
  // The first of a process pays for what is warm afterwards.
  await (await openAt(browser, address)).context.close();
  const started = performance.now();
  const { page, context } = await openAt(browser, address);
  await page.waitForSelector('.queue-row');
  const first = (performance.now() - started) / 1000;
  const rows = await secondsOf(() => goTo(page, '#/dead', '.row .why-died'));
  // While all of them are still being counted.
  const keyBusy = await slowestKey(page);
  const counted = await secondsOf(() => page.waitForSelector('.group', { timeout: 300_000 }));
  const box = page.locator('.rows');
  const far = async () => Number(await box.getAttribute('aria-rowcount'));
  const scrolled = await secondsOf(async () => {
    for (let pages = 0; pages < Math.min(SCROLLED, Number(count) / ROWS - 1); pages += 1) {
      const was = await far();
      await box.evaluate((one) => one.scrollTo(0, one.scrollHeight));
      await page.waitForFunction(
        (n) => Number(document.querySelector('.rows')?.getAttribute('aria-rowcount')) > n,
        was,
      );
    }
  });
  const key = await slowestKey(page);
  const reached = await far();
  const filtered = await secondsOf(() => goTo(page, `#/dead?match=request-${Number(count) - 10}&limit=1`, '.chip'));
  const found = await secondsOf(() => page.waitForSelector('.row .why-died', { timeout: 300_000 }));
  const heap = await heapOf(page);
  const peak = peakOf(host.pid!);
  process.stdout.write(
    JSON.stringify({ first, rows, counted, keyBusy, key, scrolled, reached, filtered: filtered + found, heap, peak }),
  );
  await context.close();
} finally {
  await browser.close();
  host.kill('SIGTERM');
}
