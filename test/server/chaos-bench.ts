import { afterAll } from '@jest/globals';
import { type ChaosReport, playChaos, type Scenario, tellReport } from '../chaos/chaos.ts';

const said: string[] = [];
afterAll(() => void process.stderr.write(`${said.join('\n')}\n`));

/** No fault of any kind; of what a server without a leader did not store nobody is guilty, and `unheard` tells. */
export const clean = { lost: [], dropped: [], doubled: [], leftover: [], forgotten: [] };

/** Plays a scenario, and says at the end of the file what came of it. */
export async function play(scenario: Scenario): Promise<ChaosReport> {
  const report = await playChaos({ patienceMs: 90_000, ...scenario });
  said.push(tellReport(report));
  return report;
}
