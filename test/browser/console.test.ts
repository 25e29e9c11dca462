import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { needing } from '../support/needing.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';
import { launchBrowser } from './support/browser.ts';
import { type Real, startReal } from './support/real.ts';
import { button, goTo, openAt, text } from './support/shown.ts';

const { describe, test } = needing('a browser');

const runCli = warmCli();
let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

/** A system of its own with its dead, looked at. */
function evening(causes: Readonly<Record<string, number>>): {
  readonly real: Real;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly faults: string[];
} {
  const at = {} as { real: Real; context: BrowserContext; page: Page; faults: string[] };
  beforeAll(async () => {
    at.real = await startReal(runCli);
    await at.real.worker();
    await at.real.die(causes);
    Object.assign(at, await openAt(browser, at.real.url));
  });
  afterAll(async () => {
    await at.context?.close();
    await at.real?.close();
  });
  return at;
}

describe('three hundred died of four causes', () => {
  const at = evening({ 'upstream 503': 260, 'timeout after 30 s': 30, poison: 6, 'no route': 4 });

  // One evening, in the order in which it went.
  test('they are seen in groups; one cause is brought back while its bars move; a poison kind is purged and comes back; drift is mended', async () => {
    const { page, context, real, faults } = at;
    // The first screen says what is wrong, and by how much.
    await page.waitForSelector('.finding');
    expect(await text(page, '.finding')).toContain('300');
    expect(page.url()).not.toContain('token');

    // Groups with their figures; one is chosen, and its rows are shown.
    await button(page, 'Replay 300…').waitFor();
    await button(page, 'See 300').click();
    await page.locator('.group', { hasText: 'upstream 503' }).click();
    expect(await text(page, '.group[aria-pressed=true] .n')).toBe('260');
    await page.locator('.row').nth(2).click();
    expect(await text(page, '.payload-text')).toContain('"upstream 503"');

    // A link shows a colleague the same.
    const other = await context.newPage();
    await other.goto(page.url());
    await other.waitForSelector('.payload-text');
    expect(await text(other, '.group[aria-pressed=true] .n')).toBe('260');
    await other.close();

    // Three clicks to a replay; it can be seen to move.
    real.mend();
    const bars = await barsOf(page);
    await button(page, 'Replay 260…').click();
    await button(page, 'Replay 5, then 255').click();
    await page.locator('.figures li', { hasText: 'answered' }).locator('.n').filter({ hasText: /^260$/ }).waitFor();
    // It did not jump from nothing to all.
    expect((await bars()).size).toBeGreaterThan(2);
    await page.waitForSelector('.run.done');
    const { stdout } = await real.cli('dlq', 'stats', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ total: 40 });

    // What destroys wants the name; it is undone from where it was done.
    await goTo(page, '#/dead?queue=REQUESTS&where=detail%3Dbad+payload*', '.row');
    await button(page, 'Purge 6…').click();
    await page.waitForSelector('.consequence');
    await button(page, 'Purge 6').click({ force: true });
    expect(await page.locator('dialog[open]').count()).toBe(1);
    await page.getByLabel(/to purge, type/).fill('REQUESTS');
    await button(page, 'Purge 6').click();
    await button(page, 'Put them back').click();
    await page.locator('.figures', { hasText: 'imported' }).waitFor();
    await page.waitForSelector('.run.done');
    expect(JSON.parse((await real.cli('dlq', 'stats', '--json')).stdout)).toMatchObject({ total: 40 });

    // Somebody changes the server; the plan says so field by field, and exactly that is applied.
    await real.nats.api('CONSUMER.CREATE.REQUESTS.request-worker', {
      stream_name: 'REQUESTS',
      action: 'update',
      config: { ...((await real.nats.api('CONSUMER.INFO.REQUESTS.request-worker')).config as object), max_deliver: 7 },
    });
    await goTo(page, '#/plan', '.change');
    expect(await text(page, '.change')).toMatch(/max_deliver\s+7\s+→ 2/);
    await button(page, 'Apply 1…').click();
    await button(page, 'Apply').click();
    await page.waitForSelector('.run.done');
    expect((await real.cli('plan', '--detailed-exitcode')).code).toBe(0);

    // Who did what is there to be read.
    await goTo(page, '#/history', 'table.history');
    const history = await text(page, 'table.history');
    for (const verb of ['apply', 'replay', 'purge', 'import']) expect(history).toContain(verb);
    expect(faults).toEqual([]);
  });
});

describe('a console that is open for long', () => {
  const at = evening({ 'upstream 503': 12 });

  test('a replay that somebody else runs is seen, and stopped from here', async () => {
    const { page, real } = at;
    const replay = real.cli('dlq', 'replay', '--rate', '12/m', '--json');
    await page.evaluate(() => {
      location.hash = '#/replay';
    });
    await page
      .locator('tr', { hasText: 'running' })
      .getByRole('button', { name: /^stop the replay/ })
      .click();
    await button(page, 'Stop').click();
    const { code, stdout } = await replay;
    expect(code).toBe(130);
    expect((JSON.parse(stdout) as { remaining?: number }).remaining).toBeGreaterThan(0);
  });

  test('a server that goes is named, the figures stay with their time, and it comes back by itself', async () => {
    const { page, real } = at;
    await goTo(page, '#/queues', '.queue-row');
    await real.server.kill('SIGKILL');
    await page.waitForSelector('.trouble');
    expect(await text(page, '.trouble')).toMatch(/the figures are of/);
    expect(await page.locator('.queue-row').count()).toBe(1);
    await real.server.restart();
    await page.waitForSelector('.trouble', { state: 'detached' });
    await page.waitForSelector('.live.on');
  });

  test('an address without its token, or with another one, opens nothing; another origin is refused', async () => {
    const { context, real } = at;
    const { origin } = new URL(real.url);
    for (const url of [`${origin}/`, `${origin}/#/dead`, `${origin}/#token=stolen-and-wrong`]) {
      const stranger = await openAt(browser, url);
      await stranger.page.getByRole('heading', { name: 'Open the address that the terminal shows' }).waitFor();
      const told = await stranger.page.evaluate(async () => (await fetch('/api/queues')).status);
      expect(told).toBe(401);
      await stranger.context.close();
    }
    const foreign = await context.newPage();
    await foreign.goto('about:blank');
    const refused = await foreign.evaluate(
      (address) =>
        fetch(`${address}/api/about`, { credentials: 'include' }).then(
          () => 'answered',
          () => 'refused',
        ),
      origin,
    );
    expect(refused).toBe('refused');
    await foreign.close();
  });

  test('who may only look finds the actions grey, and why', async () => {
    const { real } = at;
    const viewer = await openAt(browser, await real.console('--read-only'));
    await goTo(viewer.page, '#/dead', '.row');
    const purge = button(viewer.page, /^Purge/).first();
    expect(await purge.getAttribute('aria-disabled')).toBe('true');
    await purge.hover();
    expect(await viewer.page.locator('.actions .why').last().textContent()).toContain('--read-only');
    await purge.click({ force: true });
    await viewer.page.keyboard.press('p');
    expect(await viewer.page.locator('dialog[open] footer button.danger[aria-disabled=false]').count()).toBe(0);
    await viewer.context.close();
  });
});

describe('what a message carries', () => {
  const HOSTILE = [
    '<img src=x onerror="document.title=\'run\'">',
    '"><script>document.title="run"</script>',
    'javascript:alert(1)',
    '\u202egnp.exe',
    '\u001b[31mred\u0007',
    '</textarea><svg onload=alert(1)>',
  ];

  test('is text, wherever it is shown: payload, subject, header, cause, name', async () => {
    const real = await startReal(runCli);
    try {
      await real.worker();
      const { headers } = await import('@nats-io/transport-node');
      for (const [index, hostile] of HOSTILE.entries()) {
        const told = headers();
        told.append('X-Told', hostile.replace(/[^\x20-\x7e]/g, '?'));
        const subject = `requests.${index === 0 ? '<b>bold</b>' : `k${index}`}`;
        real.nats.nc.publish(
          subject,
          JSON.stringify({ id: `id-${index}`, query: hostile, fails: hostile, [hostile]: 1 }),
          { headers: told },
        );
      }
      await real.nats.nc.flush();
      await until(async () => {
        const { stdout } = await real.cli('dlq', 'stats', '--json');
        return (JSON.parse(stdout) as { total: number }).total >= HOSTILE.length;
      }, 'all of them are dead');
      const { page, context, faults } = await openAt(browser, real.url);
      const dialogs: string[] = [];
      page.on('dialog', (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      await goTo(page, '#/dead', '.row');
      await page.waitForSelector('.group');
      expect(await page.locator('.group').count()).toBe(HOSTILE.length);
      expect(await text(page, '.groups')).toContain('<img src=x onerror=');
      for (let index = 0; index < HOSTILE.length; index += 1) {
        await page.locator('.row').nth(index).click();
        await page.waitForSelector('.payload-text');
      }
      const whole = await text(page, 'body');
      expect(whole).toContain('<b>bold</b>');
      // No character that moves, hides or turns text; nothing that is an element by the message's will.
      expect(whole).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e]/);
      expect(await page.locator('main img, main script, main b:text-is("bold")').count()).toBe(0);
      expect(await page.title()).not.toContain('run');
      expect({ dialogs, faults }).toEqual({ dialogs: [], faults: [] });
      await context.close();
    } finally {
      await real.close();
    }
  });
});

/** From now on, what the bar of a run came to show. */
async function barsOf(page: Page): Promise<() => Promise<Set<string>>> {
  const seen = await page.evaluateHandle(() => {
    const values: string[] = [];
    const look = () => {
      const bar = document.querySelector('[role=progressbar], progress');
      if (bar) values.push(bar.getAttribute('aria-valuenow') ?? String(bar.getAttribute('value')));
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    return values;
  });
  return async () => new Set(await seen.jsonValue());
}
