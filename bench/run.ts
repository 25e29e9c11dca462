// npm run bench [name …]: whole processes, medians of interleaved runs, as ratios to a peer in the same run.
import { benchApply } from './apply.ts';
import { machine, type Row, renderRows } from './measure.ts';
import { benchPlan } from './plan.ts';
import { benchStartup } from './startup.ts';

const benches: Record<string, () => Promise<Row[]>> = {
  startup: benchStartup,
  apply: benchApply,
  plan: benchPlan,
};

const wanted = process.argv.slice(2);
const rows: Row[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`bench ${name} …\n`);
  rows.push(...(await bench()));
}
process.stdout.write(`On ${machine()}:\n\n${renderRows(rows)}\n`);
process.exitCode = rows.some((row) => row.limit !== undefined && row.ratio > row.limit) ? 1 : 0;
