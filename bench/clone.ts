import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Row, timeProcess } from './measure.ts';

const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** From a fresh clone to the end of the two commands; packages come from npm's cache, the nats-server from ours. */
export async function benchClone(): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-clone-'));
  try {
    const clone = join(dir, 'osapi-ops');
    execFileSync('git', ['clone', '--quiet', '.', clone]);
    const npm = async (...args: string[]) =>
      (await timeProcess({ command: 'npm', args: ['--prefix', clone, '--silent', ...args] })).seconds;
    const first = await npm('run', 'demo');
    const second = await npm('run', 'demo');
    const test = await npm('test');
    const row = (what: string, ours: number): Row => ({ what, ours: seconds(ours), theirs: '', ratio: ours });
    return [
      row('fresh clone, `npm run demo`, seconds', first),
      row('the second `npm run demo`, seconds', second),
      row('`npm test` after it, seconds', test),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
