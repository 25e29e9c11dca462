import type { Browser, BrowserContext, Page } from 'playwright-core';
import { HANG_MS } from '../../support/until.ts';

export interface Look {
  /** The time at which its clock stands still; where left out, it goes. */
  readonly at?: string;
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

/** A page at the address of a console. Its faults are kept. */
export async function openAt(
  browser: Browser,
  url: string,
  { at, width = 1280, height = 800, theme = 'light' }: Look = {},
): Promise<{ page: Page; context: BrowserContext; faults: string[] }> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    timezoneId: 'UTC',
    locale: 'en-US',
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(HANG_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (told) => {
    if (told.type() === 'error' && !told.text().includes('Failed to load resource')) faults.push(told.text());
  });
  if (at !== undefined) await page.clock.setFixedTime(new Date(at));
  await page.goto(url);
  return { page, context, faults };
}

/** Goes to a view of the page without loading it anew. */
export async function goTo(page: Page, hash: string, wanted: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await page.waitForSelector(wanted);
}

/** As it is shown. */
export const text = (page: Page, selector: string): Promise<string> =>
  // biome-ignore lint/performance/useDomNodeTextContent: what is not shown is not meant
  page.locator(selector).first().innerText();
export const button = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name, exact: typeof name === 'string' });
