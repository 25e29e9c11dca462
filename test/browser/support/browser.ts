import { type Browser, chromium } from 'playwright-core';
import { here } from '../../support/here.ts';
import { HANG_MS } from '../../support/until.ts';

/**
 * A browser of the tests' own. The sandbox needs rights that a container's root has not; what runs in it is ours.
 * Glyphs are drawn as they are, not fitted to pixels, so that pictures of them are alike everywhere.
 */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: here().browser!,
    timeout: HANG_MS,
    args: ['--no-sandbox', '--no-zygote', '--font-render-hinting=none', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}
