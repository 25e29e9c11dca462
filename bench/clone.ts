import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Row, timeProcess } from './measure.ts';

const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** From a fresh clone to the end of the two commands; packages come from npm's cache, the nats-server from ours. */
export async function benchClone(): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-clone-'));
  const cloneTo = (name: string) => {
    const clone = join(dir, name);
    execFileSync('git', ['clone', '--quiet', '.', clone]);
    return async (...args: string[]) =>
      (await timeProcess({ command: 'npm', args: ['--prefix', clone, '--silent', ...args] })).seconds;
  };
  const row = (what: string, ours: number): Row => ({ what, ours: seconds(ours), theirs: '', ratio: ours });
  try {
    const npm = cloneTo('demo');
    return [
      row('fresh clone, `npm run demo`, seconds', await npm('run', 'demo')),
      row('the second `npm run demo`, seconds', await npm('run', 'demo')),
      row('fresh clone, `npm test`, seconds', await cloneTo('test')('test')),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
