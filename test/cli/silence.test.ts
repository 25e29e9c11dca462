import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { type Away, startAway } from '../support/away.ts';
import { connectTo } from '../support/connected.ts';
import { makeDead, makeQueue } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { startInTerminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** So far that what follows takes seconds by waiting alone, in milliseconds. */
const ROUND_TRIP = 250;
const DEAD = 3000;
/** The longest that nothing may be seen, in milliseconds. */
const MOST = 1000;

let server: TestServer;
let nats: Nats;
let away: Away;
let cwd: string;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
  await makeQueue(nats);
  await makeDead(nats, DEAD);
  away = await startAway(server.port, ROUND_TRIP);
  cwd = mkdtempSync(join(tmpdir(), 'osapi-ops-silence-'));
});
afterAll(async () => {
  away?.close();
  await nats?.close();
  await server?.stop();
  rmSync(cwd, { recursive: true, force: true });
});

/** How late this process itself was at most: so late may be any other on this machine. */
function watchLateness(): () => number {
  let last = performance.now();
  let most = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    most = Math.max(most, now - last - 20);
    last = now;
  }, 20);
  return () => {
    clearInterval(timer);
    return most;
  };
}

needing('a pseudo-terminal').test.each([
  [['dlq', 'ls', '--no-pager', '--limit', '5'], /5 of \d+: /],
  [['dlq', 'stats', '--no-pager'], /max_deliveries/],
  [['dlq', 'purge', '--limit', '500', '--yes'], /Purged 500/],
  [['dlq', 'replay', '--limit', '500'], /Replayed 500/],
  [['dlq', 'replay', '--limit', '500', '--rate', '200/s'], /Replayed 500/],
])('%j, far away, is never silent for longer than a second', async (args, told) => {
  const lateness = watchLateness();
  const terminal = startInTerminal(args, { server: away, cwd });
  expect(await terminal.done).toBe(0);
  const late = lateness();
  // From the first word on: what comes before is the start of the process.
  const times = terminal.times();
  const gaps = times.slice(1).map((at, index) => at - times[index]!);
  expect(terminal.raw()).toContain('Working…');
  expect(Math.max(...gaps)).toBeLessThan(MOST + 2 * late);
  // Of what was only a sign of life nothing stays.
  expect(terminal.text()).toMatch(told);
  expect(terminal.text()).not.toContain('Working');
});
