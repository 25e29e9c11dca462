import { execFileSync } from 'node:child_process';
import { startWithDead } from './dead-store.ts';
import { milliseconds, type Row } from './measure.ts';

/** How many dead letters; BENCH_DEAD makes it quicker. */
const COUNT = Number(process.env.BENCH_DEAD ?? 1_000_000);

/** The page of a console over a million dead letters in a real browser, and the process that serves it. */
export async function benchConsole(): Promise<Row[]> {
  const server = await startWithDead(COUNT, 'ordered');
  try {
    const told = execFileSync(process.execPath, ['--no-warnings', 'test/browser/million.ts', server.url, `${COUNT}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const seen = JSON.parse(told) as Record<string, number>;
    const row = (what: string, ratio: number, ours: string, limit?: number): Row => ({
      what: `\`console\` over ${COUNT} dead letters: ${what}`,
      ours,
      theirs: '',
      ratio,
      ...(limit !== undefined && { limit }),
    });
    return [
      row('the first view, s', seen.first!, milliseconds(seen.first!), 1),
      row('the first rows, s', seen.rows!, milliseconds(seen.rows!), 1),
      row('all counted and grouped, s', seen.counted!, `${seen.counted!.toFixed(1)} s`),
      row(
        'a key answered while they are counted, at the worst, ms',
        seen.keyBusy!,
        `${seen.keyBusy!.toFixed(0)} ms`,
        100,
      ),
      row(`${seen.reached} rows scrolled through, s`, seen.scrolled!, `${seen.scrolled!.toFixed(1)} s`),
      row('a key answered there, at the worst, ms', seen.key!, `${seen.key!.toFixed(0)} ms`, 100),
      row('one found by a text of its payload, s', seen.filtered!, `${seen.filtered!.toFixed(1)} s`),
      row('the page’s heap afterwards, MB', seen.heap! / 1e6, `${(seen.heap! / 1e6).toFixed(0)} MB`, 60),
      row('the process’s most memory, MB', seen.peak! / 1e6, `${(seen.peak! / 1e6).toFixed(0)} MB`, 400),
    ];
  } finally {
    await server.stop();
  }
}
