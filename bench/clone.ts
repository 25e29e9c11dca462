import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Row, timeProcess } from './measure.ts';

/** Times npm in a fresh clone, one run after the other; packages come from npm's cache, the nats-server from ours. */
async function timeInClone(runs: readonly { what: string; args: readonly string[] }[]): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-clone-'));
  const rows: Row[] = [];
  try {
    execFileSync('git', ['clone', '--quiet', '.', dir]);
    for (const { what, args } of runs) {
      const { seconds } = await timeProcess({ command: 'npm', args: ['--silent', ...args], cwd: dir });
      rows.push({ what, ours: `${seconds.toFixed(1)} s`, theirs: '', ratio: seconds });
    }
    return rows;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export const benchDemo = (): Promise<Row[]> =>
  timeInClone([
    { what: 'fresh clone, `npm run demo`, seconds', args: ['run', 'demo'] },
    { what: 'the second `npm run demo`, seconds', args: ['run', 'demo'] },
  ]);

export const benchTests = (): Promise<Row[]> =>
  timeInClone([{ what: 'fresh clone, `npm test`, seconds', args: ['test'] }]);
