// npm run bench -- [--write] [name …]: whole processes, medians of interleaved runs, as ratios to a peer in the same
// run. `--write` keeps the figures in docs/benchmarks.md.
import { writeFileSync } from 'node:fs';
import { benchApply } from './apply.ts';
import { benchClone } from './clone.ts';
import { benchDlqLs } from './dlq-ls.ts';
import { machine, type Row, renderRows } from './measure.ts';
import { benchPlan } from './plan.ts';
import { benchSend } from './send.ts';
import { benchStartup } from './startup.ts';
import { benchStatus } from './status.ts';
import { benchWorker } from './worker.ts';

const benches: Record<string, () => Promise<Row[]>> = {
  startup: benchStartup,
  apply: benchApply,
  plan: benchPlan,
  status: benchStatus,
  send: benchSend,
  worker: benchWorker,
  'dlq-ls': benchDlqLs,
  clone: benchClone,
};

/** Minutes long: runs only when it is named. */
const BY_NAME = new Set(['clone', 'dlq-ls']);

const isKept = process.argv.includes('--write');
const wanted = process.argv.slice(2).filter((word) => word !== '--write');
const rows: Row[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 ? !wanted.includes(name) : BY_NAME.has(name)) continue;
  process.stderr.write(`bench ${name} …\n`);
  rows.push(...(await bench()));
}
const page = `On ${machine()}:\n\n${renderRows(rows)}\n`;
process.stdout.write(page);
if (isKept) {
  const head =
    '# Benchmarks\n\nWritten by `npm run bench -- --write`: whole processes, medians of interleaved runs; a ratio is ours divided by\ntheirs, in the same run.\n\n';
  writeFileSync('docs/benchmarks.md', `${head}${page}`);
}
process.exitCode = rows.some((row) => row.limit !== undefined && row.ratio > row.limit) ? 1 : 0;
