import { execFileSync, spawnSync } from 'node:child_process';
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

/** What CONTRIBUTING promises of the loop of a change, in seconds on two cores that nobody else uses. */
const LOOP = [
  { line: 'npm run test:unit -- test/unit/lock.test.ts', limit: 2 },
  { line: 'npm run test:unit', limit: 15 },
  { line: 'scripts/hooks/pre-commit', limit: 5 },
  { line: 'npm run check', limit: 20 },
  { line: '.ci/run', limit: 420 },
];

/**
 * Times each of the loop, with the processor time of all that it starts: that one a busy machine changes little, so it tells
 * a change that made the loop slower from a neighbour.
 */
export async function benchLoop(): Promise<Row[]> {
  return LOOP.map(({ line, limit }) => {
    const started = performance.now();
    const done = spawnSync('bash', ['-c', `${line} >&2; code=$?; times; exit $code`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    });
    const seconds = (performance.now() - started) / 1000;
    if (done.status !== 0) throw new Error(`${line} ended with ${done.status}`);
    // The second line is of what the shell has started: minutes and seconds, as a user and as the system.
    const parts = [...done.stdout.split('\n')[1]!.matchAll(/(\d+)m([\d.]+)s/g)];
    const processor = parts.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
    return {
      what: `\`${line}\`, seconds`,
      ours: `${seconds.toFixed(1)} s`,
      theirs: `${processor.toFixed(1)} s of processors`,
      ratio: seconds,
      limit,
    };
  });
}
