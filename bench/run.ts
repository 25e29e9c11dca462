// npm run bench -- [--write] [name …]: whole processes, medians of interleaved runs, as ratios to a peer in the same
// run. `--write` keeps the figures in docs/benchmarks.md, beside those of this machine that were not measured anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { benchApply, benchApplyMany } from './apply.ts';
import { benchDemo, benchLoop, benchTests } from './clone.ts';
import { benchConsole } from './console.ts';
import { benchDlqLs } from './dlq-ls.ts';
import { benchInstall } from './install.ts';
import { machine, otherLines, type Row, renderRows } from './measure.ts';
import { benchMigrate } from './migrate.ts';
import { benchMillion, benchSearch } from './million.ts';
import { benchPlan } from './plan.ts';
import { benchReplay } from './replay.ts';
import { benchSend } from './send.ts';
import { benchStartup } from './startup.ts';
import { benchStatus } from './status.ts';
import { benchWorker } from './worker.ts';
import { benchWorkerHandler } from './worker-handler.ts';

const benches: Record<string, () => Promise<Row[]>> = {
  startup: benchStartup,
  apply: benchApply,
  'apply-many': benchApplyMany,
  plan: benchPlan,
  status: benchStatus,
  send: benchSend,
  worker: benchWorker,
  'worker-handler': benchWorkerHandler,
  replay: benchReplay,
  migrate: benchMigrate,
  'dlq-ls': benchDlqLs,
  console: benchConsole,
  million: benchMillion,
  search: benchSearch,
  demo: benchDemo,
  tests: benchTests,
  loop: benchLoop,
  install: benchInstall,
};

/** Minutes long: runs only when it is named. */
const BY_NAME = new Set([
  'demo',
  'tests',
  'loop',
  'dlq-ls',
  'console',
  'worker-handler',
  'install',
  'migrate',
  'apply-many',
  'million',
  'search',
]);

const isKept = process.argv.includes('--write');
const wanted = process.argv.slice(2).filter((word) => word !== '--write');
const rows: Row[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 ? !wanted.includes(name) : BY_NAME.has(name)) continue;
  process.stderr.write(`bench ${name} …\n`);
  rows.push(...(await bench()));
}
const table = renderRows(rows);
process.stdout.write(`On ${machine()}:\n\n${table}\n`);
if (isKept) {
  const head =
    '# Benchmarks\n\nWritten by `npm run bench -- --write`: whole processes, medians of interleaved runs; a ratio is ours divided by\ntheirs, in the same run.\n\n';
  const page = readFileSync('docs/benchmarks.md', 'utf8');
  // What people wrote below the table stays.
  const [figures = '', ...notes] = page.split(/^(?=## )/m);
  const kept = otherLines(figures, rows);
  const [title, rule, ...measured] = table.split('\n');
  writeFileSync(
    'docs/benchmarks.md',
    `${head}On ${machine()}:\n\n${[title, rule, ...kept, ...measured].join('\n')}\n${notes.length > 0 ? `\n${notes.join('')}` : ''}`,
  );
}
process.exitCode = rows.some((row) => row.limit !== undefined && row.ratio > row.limit) ? 1 : 0;
