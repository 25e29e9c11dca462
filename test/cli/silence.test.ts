import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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

/** Milliseconds that a process was ready to run and had no processor; 0 where the system does not tell. */
function waitedOf(pid: number | string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
const childOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  } catch {
    return '';
  }
};

/**
 * What kept a command, its terminal and this process, which looks on, from a processor: a machine's doing, not theirs.
 * Gives how much of it lay between two moments.
 */
function watchWaits(bridge: number): (from: number, to: number) => number {
  const looks: { at: number; waited: readonly number[] }[] = [];
  const look = () => {
    const waited = [childOf(bridge), bridge, 'self'].map((pid) => (pid === '' ? 0 : waitedOf(pid)));
    looks.push({ at: performance.now(), waited });
  };
  look();
  const timer = setInterval(look, 20);
  return (from, to) => {
    clearInterval(timer);
    const before = looks.findLast(({ at }) => at <= from) ?? looks[0]!;
    const after = looks.find(({ at }) => at >= to) ?? looks.at(-1)!;
    // What has ended tells nothing any more.
    return after.waited.reduce((sum, waited, index) => sum + Math.max(0, waited - before.waited[index]!), 0);
  };
}

needing('a pseudo-terminal').test.each([
  [['dlq', 'ls', '--no-pager', '--limit', '5'], /5 of \d+: /],
  [['dlq', 'stats', '--no-pager'], /max_deliveries/],
  [['dlq', 'purge', '--limit', '500', '--yes'], /Purged 500/],
  [['dlq', 'replay', '--limit', '500'], /Replayed 500/],
  [['dlq', 'replay', '--limit', '500', '--rate', '200/s'], /Replayed 500/],
])('%j, far away, is never silent for longer than a second', async (args, told) => {
  const began = performance.now();
  const terminal = startInTerminal(args, { server: away, cwd });
  const waitsBetween = watchWaits(terminal.pid);
  expect(await terminal.done).toBe(0);
  // From the first word on: what comes before is the start of the process.
  const times = terminal.times().map((at) => began + at);
  const silences = times.slice(1).map((at, index) => at - times[index]! - waitsBetween(times[index]!, at));
  expect(terminal.raw()).toContain('Working…');
  expect(Math.max(...silences)).toBeLessThan(MOST);
  // Of what was only a sign of life nothing stays.
  expect(terminal.text()).toMatch(told);
  expect(terminal.text()).not.toContain('Working');
});
