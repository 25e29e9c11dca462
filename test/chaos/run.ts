// npm run test:chaos: the long form. `--quick` plays each scenario once, small; `--seed N` plays a run again.
import { parseArgs } from 'node:util';
import { availableVersions } from '../support/server.ts';
import { playChaos, type Scenario, tellReport } from './chaos.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const [requests, kills] = values.quick ? [300, 6] : [3000, 60];

const scenarios: Scenario[] = availableVersions().flatMap((version) => [
  { version, requests, kills, seed },
  { version, requests: requests / 2, kills, maxMessages: 100, seed: seed + 1 },
  { version, requests, kills: kills / 2, racing: true, seed: seed + 2 },
  { version, requests, kills: kills / 2, serverKills: values.quick ? 2 : 10, seed: seed + 3 },
  { version, requests: requests / 3, kills: kills / 3, nodes: 3, serverKills: values.quick ? 1 : 5, seed: seed + 4 },
]);

let bad = 0;
for (const scenario of scenarios) {
  const report = await playChaos({ ...scenario, patienceMs: 300_000 });
  console.log(tellReport(report));
  const found = [...report.lost, ...report.doubled, ...report.leftover];
  if (found.length > 0) {
    bad += 1;
    console.log(`  ${found.slice(0, 10).join('; ')}`);
  }
}
console.log(bad === 0 ? 'nothing was lost, nothing was doubled' : `${bad} scenarios failed`);
process.exitCode = bad === 0 ? 0 : 1;
