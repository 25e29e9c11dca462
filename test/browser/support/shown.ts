import type { Browser, BrowserContext, Page } from 'playwright-core';
import { NOW } from './data.ts';

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

/** A page at the address of a console, at a moment that stands still where its data do. Its faults are kept. */
export async function openAt(
  browser: Browser,
  url: string,
  { width = 1280, height = 800, theme = 'light' }: Look = {},
  isStill = false,
): Promise<{ page: Page; context: BrowserContext; faults: string[] }> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    timezoneId: 'UTC',
    locale: 'en-US',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (told) => {
    if (told.type() === 'error' && !told.text().includes('Failed to load resource')) faults.push(told.text());
  });
  if (isStill) await page.clock.setFixedTime(new Date(NOW));
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
