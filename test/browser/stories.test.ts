import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { needing } from '../support/needing.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';
import { launchBrowser } from './support/browser.ts';
import { type Real, startReal } from './support/real.ts';
import { button, goTo, openAt, text } from './support/shown.ts';

const { describe, test } = needing('a browser');
const runCli = warmCli();

const API = '$JS.API';

// One server, one worker and one browser for all of them; each has dead of its own, whatever comes first.
describe('somebody on call', () => {
  let browser: Browser;
  let real: Real;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];
  beforeAll(async () => {
    [browser, real] = await Promise.all([
      launchBrowser(),
      startReal(runCli, {
        roles: ['viewer'],
        denied: {
          'no-dlq': [`${API}.STREAM.INFO.requests_dlq`],
          'no-records': [
            `${API}.STREAM.MSG.GET.requests_dlq`,
            `${API}.DIRECT.GET.requests_dlq`,
            `${API}.DIRECT.GET.requests_dlq.>`,
          ],
        },
      }),
    ]);
    await real.worker();
    await real.die({
      'upstream 503': 24,
      'no such zone': 2,
      'no such key': 2,
      'timeout after 30 s': 2,
      'no such file': 2,
    });
    ({ page, context, faults } = await openAt(browser, real.url));
  });
  beforeEach(async () => {
    await goTo(page, '#/queues', 'main');
    await page.reload();
    await page.waitForSelector('.queue-row');
  });
  afterAll(async () => {
    expect(faults).toEqual([]);
    await browser?.close();
    await real?.close();
  });
  const figure = (word: string) => page.locator('.figures li', { hasText: word }).locator('.n');
  const dead = async (...args: string[]) =>
    JSON.parse((await real.cli('dlq', 'ls', '--json', ...args)).stdout) as { id: string; state: string }[];

  test('does all of it by the keys alone', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    await page.waitForSelector('.row');
    expect(new URL(page.url()).hash).toBe('#/dead');
    // The filter takes what is typed, and gives the keys back.
    await page.keyboard.press('/');
    await page.keyboard.type('detail=no such key');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.chip');
    await page.keyboard.press('Escape');
    await until(async () => (await page.locator('.row').count()) === 2, 'two match');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.payload-text');
    await page.keyboard.press('x');
    await page.getByText('1 chosen').waitFor();
    await page.keyboard.press('r');
    await button(page, 'Replay 1').waitFor();
    // Nothing is done by a key that was pressed once too often: the answer that has the focus is no.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('No, leave them');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.run');
    await until(async () => (await figure('died again').textContent()) === '1', 'it died again');
    await page.waitForSelector('.run.failed, .run.done');
    await page.keyboard.press('g');
    await page.keyboard.press('q');
    await page.waitForSelector('.queue-row');
  });

  test('sees a kind that dies again and again parked, and out of the way of the others', async () => {
    for (let n = 0; n < 2; n += 1) await real.cli('dlq', 'replay', '--where', 'detail=no such zone', '--wait');
    await goTo(page, '#/dead?where=detail%3Dno+such+zone', '.row');
    await button(page, 'Replay 2…').click();
    await button(page, 'Replay 2').click();
    await until(async () => (await figure('died again').textContent()) === '2', 'they died again');
    await until(async () => (await dead('--state', 'parked')).length > 0, 'one is parked');
    await goTo(page, '#/dead?state=parked', '.row .state.parked');
    await button(page, /^Replay \d…/).click();
    await page.waitForSelector('dialog .consequence');
    expect(await page.locator('dialog .why').textContent()).toBe('none of these can go');
    // Who wants it all the same says so.
    await page.locator('dialog summary').click();
    await page.getByLabel('also what was replayed so often').fill('9');
    await page.keyboard.press('Tab');
    await button(page, /^Replay [12]$/).waitFor();
    await page.waitForSelector('dialog .why', { state: 'detached' });
    await page.keyboard.press('Escape');
    // Each button that offers a replay of more counts without them, and what is shown beside it counts all.
    const all = (await dead()).filter(({ state }) => state !== 'gone');
    const parked = all.filter(({ state }) => state === 'parked');
    expect(parked.length).toBeGreaterThan(0);
    await goTo(page, '#/dead', '.row');
    await button(page, `Replay ${all.length - parked.length}…`).waitFor();
    expect(await text(page, '.actions .what')).toMatch(
      new RegExp(`^All ${all.length} that match\\s.*${parked.length} parked`),
    );
    await goTo(page, '#/queues', '.finding');
    await button(page, `Replay ${all.length - parked.length}…`).waitFor();
    await button(page, `See ${all.length}`).waitFor();
  });

  test('sends five ahead, and the rest stays where it is when they die', async () => {
    await goTo(page, '#/dead?where=detail%3Dupstream+503', '.row');
    await button(page, 'Replay 24…').click();
    await button(page, 'Replay 5, then 19').click();
    await page.waitForSelector('.run.failed');
    expect(await figure('died again').textContent()).toBe('5');
    expect(await text(page, '.refusal')).toContain('DLQ_DIED_AGAIN');
    expect(await dead('--where', 'detail=upstream 503')).toHaveLength(24);
  });

  test('mends the payload of one, sees the difference, and reads its response', async () => {
    await goTo(page, '#/dead?where=detail%3Dtimeout*&limit=1', '.row');
    await page.locator('.row').first().click();
    await button(page, 'Edit…').click();
    const field = page.locator('dialog textarea');
    const { fails: _, ...mended } = JSON.parse(await field.inputValue()) as { id: string; fails: string };
    await field.fill(JSON.stringify({ ...mended, query: 'example.org' }));
    await button(page, 'See what it comes to…').click();
    await page.waitForSelector('dialog .to');
    expect(await text(page, 'dialog table:has(.to)')).toMatch(/json:\.query\s+"example.com"\s+→ "example.org"/);
    await button(page, 'Replay 1').click();
    await until(async () => (await figure('answered').textContent()) === '1', 'it is answered');
    await goTo(page, `#/request/${mended.id}`, '.verdict.request');
    expect(await text(page, '.verdict')).toContain('it was answered');
    await page.getByRole('heading', { name: 'Response' }).waitFor();
    expect(await page.locator('.payload-text').last().textContent()).toContain('"example.org"');
  });

  test('pauses a queue, sends a request into it, takes it back, and goes on', async () => {
    await goTo(page, '#/queues', '.queue-row');
    await button(page, 'pause REQUESTS').click();
    // As in every dialog that does something: the line that does the same.
    await page.getByText('osapi-ops queue pause REQUESTS --for 1h', { exact: true }).waitFor();
    await button(page, 'Pause for 1h').click();
    await page.locator('.where .paused').waitFor();
    await goTo(page, '#/request', 'form.ask');
    await button(page, 'Send one…').click();
    await page.getByLabel('kind, or a whole subject').fill('dns');
    await page.getByLabel('payload').fill('{"query": "example.net"}');
    await page.getByLabel(/^id;/).fill('mine-1');
    await button(page, 'Send').click();
    await page.waitForSelector('.run.done');
    await goTo(page, '#/request/mine-1', '.verdict.request');
    expect(await text(page, '.verdict')).toContain('it waits in the queue');
    expect(await text(page, '.payload-text')).toContain('"example.net"');
    await button(page, 'Take it back…').click();
    await page.locator('dialog').getByText('osapi-ops request cancel', { exact: false }).waitFor();
    await button(page, 'Take it back').click();
    await page.getByText('was taken back').waitFor();
    expect(await page.locator('.refusal').count()).toBe(0);
    expect((await real.cli('request', 'get', 'mine-1')).code).not.toBe(0);
    await goTo(page, '#/queues', '.queue-row');
    await button(page, 'resume REQUESTS').click();
    await button(page, 'Resume').click();
    await page.locator('.where .paused').waitFor({ state: 'detached' });
  });

  test('purges, saves the archive, and puts it back from the file when the console has forgotten it', async () => {
    await goTo(page, '#/dead?where=detail%3Dno+such+file', '.row');
    await button(page, 'Purge 2…').click();
    await page.getByLabel(/to purge, type/).fill('REQUESTS');
    await button(page, 'Purge 2').click();
    const saving = page.waitForEvent('download');
    await button(page, /^Save the archive, \d/).click();
    const archive = join(real.dir, 'saved.ndjson');
    await (await saving).saveAs(archive);
    expect(readFileSync(archive, 'utf8').trim().split('\n')).toHaveLength(2);
    const before = (await dead()).length;
    await goTo(page, '#/dead', '.row');
    await button(page, 'put back an archive…').click();
    const file = page.locator('dialog input[type=file]');
    await file.setInputFiles({ name: 'x.ndjson', mimeType: 'text/plain', buffer: Buffer.from('{"no":"archive"}\n') });
    await page.waitForSelector('dialog .refusal');
    await file.setInputFiles(archive);
    await button(page, 'Put back 2').click();
    await page.waitForSelector('.run.done');
    expect(await dead()).toHaveLength(before + 2);
  });

  test('is told how many of those that match died since the look, and of no others', async () => {
    await goTo(page, '#/dead?where=detail%3Dlate+one', '.empty');
    await button(page, 'look again').waitFor();
    await real.die({ 'late one': 2, 'another late one': 3 });
    await button(page, '2 new · take in').click();
    await page.waitForSelector('.row');
    await button(page, 'Replay 2…').waitFor();
    await button(page, 'look again').waitFor();
  });

  test('has it in two tabs with one stream, and the other goes on when the first is closed', async () => {
    const streams: string[] = [];
    context.on('request', (request) => {
      if (request.url().includes('/api/events')) streams.push(request.url());
    });
    const { origin } = new URL(page.url());
    const second = await context.newPage();
    await second.goto(`${origin}/#/queues`);
    await second.waitForSelector('.live.on');
    await second.waitForSelector('.queue-row');
    expect(streams).toEqual([]);
    await page.close();
    await until(async () => streams.length === 1, 'the second listens itself');
    await second.waitForSelector('.live.on');
    page = second;
  });

  test('sees what he may not, with the subject that is missing, when he may only look', async () => {
    const viewer = await openAt(browser, await real.console('--user', 'osapi-viewer', '--password', 'pw'));
    await goTo(viewer.page, '#/dead', '.row');
    await viewer.page.getByText('may look').waitFor();
    for (const [name, subject] of [
      [/^Replay \d+…/, /\$JS\.API\.STREAM\.MSG\.DELETE\.REQUESTS/],
      [/^Purge \d+…/, /\$JS\.API\.STREAM\.MSG\.DELETE\.REQUESTS/],
    ] as const) {
      const one = button(viewer.page, name).last();
      expect(await one.getAttribute('aria-disabled')).toBe('true');
      const why = viewer.page.locator(`#${await one.getAttribute('aria-describedby')}`);
      expect(await why.textContent()).toMatch(subject);
      await one.click({ force: true });
    }
    expect(await viewer.page.locator('dialog[open]').count()).toBe(0);
    await goTo(viewer.page, '#/queues', '.queue-row');
    const pause = button(viewer.page, 'pause REQUESTS');
    expect(await pause.getAttribute('aria-disabled')).toBe('true');
    const why = viewer.page.locator(`#${await pause.getAttribute('aria-describedby')}`);
    expect(await why.textContent()).toContain('$JS.API.CONSUMER.PAUSE.REQUESTS.request-worker');
    expect(viewer.faults).toEqual([]);
    await viewer.context.close();
  });

  test('is told by each page in its own words what it needs, when the DLQ is what he may not look at', async () => {
    const { page: half, ...opened } = await openAt(browser, await real.console('--user', 'no-dlq', '--password', 'pw'));
    const subject = `${API}.STREAM.INFO.requests_dlq`;
    await half.waitForSelector('.refusal');
    expect(await text(half, '.refusal')).toContain(`no permission to publish to ${subject}`);
    expect(await text(half, '.refusal')).toContain(`Try: allow publish on ${subject} for this user`);
    expect(await text(half, '.live')).toContain('denied');
    expect(await text(half, '.may')).toBe('may not look here');
    expect(await half.locator('.trouble').count()).toBe(0);
    for (const [hash, wanted, words] of [
      ['#/dead', '.refusal', `no permission to publish to ${subject}`],
      ['#/plan', '.refusal', `no permission to publish to ${subject}`],
      ['#/replay', 'table.runs', 'chosen'],
      ['#/request', 'form.ask', 'Which queues there are is not known; the page Queues says why.'],
      ['#/history', 'table.history', 'apply'],
    ] as const) {
      await goTo(half, hash, wanted);
      expect(await text(half, 'main')).toContain(words);
      expect(await half.locator('.refusal').count()).toBe(wanted === '.refusal' ? 1 : 0);
      expect(await text(half, '.trouble')).toBe(
        `the queues cannot be looked at: no permission to publish to ${subject}`,
      );
    }
    expect(opened.faults).toEqual([]);
    await opened.context.close();
  });

  test('sees the queues, and that nobody looked into the records, when these are what he may not read', async () => {
    const { page: half, ...opened } = await openAt(
      browser,
      await real.console('--user', 'no-records', '--password', 'pw'),
    );
    await half.waitForSelector('.queue-row');
    expect(await text(half, '.live')).toContain('live');
    expect(await text(half, '.findings')).toMatch(/not looked into/);
    await goTo(half, '#/dead', '.refusal');
    expect(await text(half, '.refusal')).toContain('requests_dlq');
    expect(opened.faults).toEqual([]);
    await opened.context.close();
  });

  test('has what cannot be changed in place moved, exactly as it was shown', async () => {
    const spec = join(real.dir, 'osapi-ops.yaml');
    writeFileSync(spec, readFileSync(spec, 'utf8').replace('    max_msgs:', '    storage: memory\n    max_msgs:'));
    const before = (await dead()).length;
    await goTo(page, '#/plan', '.change.migrate');
    await button(page, /^Apply \d…/).click();
    const apply = page.locator('dialog').getByRole('button', { name: 'Apply' });
    expect(await apply.getAttribute('aria-disabled')).toBe('true');
    await page.getByLabel(/^--migrate:/).check();
    await apply.click();
    await page.waitForSelector('.run.done');
    expect(await text(page, '.run .line')).toContain('--migrate');
    expect((await real.cli('plan', '--detailed-exitcode')).code).toBe(0);
    expect(await dead()).toHaveLength(before);
  });
});
