// npm run test:chaos: the long form. `--quick` plays each scenario once, small; `--seed N` plays a run again;
// `--lines 2.10,2.15` and `--forms cluster,full` pick some; `--kills N` and `--rounds N` make it longer or shorter. `--ways A,B` plays
// these moves, each until all were killed at all of its steps, or `--kills N` times. `--minutes N` ends that before. `--keep FILE` adds what moves came to, a line each, and aims where nobody was killed yet by it;
// `--figures FILE` writes that into docs, and plays nothing.
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { OpsError } from '../../src/lib/errors/ops-error.ts';
import { defectsOf } from '../../src/lib/facts/defects.ts';
import { availableVersions } from '../support/server.ts';
import { type ChaosReport, nameOf, playChaos, type Scenario, tellReport } from './chaos.ts';
import { playForged } from './forged.ts';
import { type Moves, readMoves, renderMoves, writeMoves } from './moves-page.ts';
import { type Moving, playMoving, WAYS, type Way } from './moving.ts';
import { playTargets } from './targets.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    seed: { type: 'string' },
    lines: { type: 'string' },
    forms: { type: 'string' },
    kills: { type: 'string' },
    rounds: { type: 'string' },
    ways: { type: 'string' },
    minutes: { type: 'string' },
    keep: { type: 'string' },
    figures: { type: 'string' },
    verbose: { type: 'boolean' },
  },
});
if (values.figures !== undefined) {
  writeMoves(values.figures);
  process.exit();
}
const kills = Number(values.kills ?? (values.quick ? 4 : 40));
const servers = Math.max(1, Math.floor(kills / 4));

const FORMS: Readonly<Record<string, Partial<Scenario>>> = {
  room: {},
  full: { maxMessages: 60 },
  'no-room': { maxFile: 400_000 },
  'full-no-room': { maxFile: 400_000, maxMessages: 60 },
  'no-room-restarts': { maxFile: 400_000, serverKills: servers },
  racing: { racing: true },
  restarts: { serverKills: servers },
  'full-restarts': { maxMessages: 60, serverKills: servers, racing: true },
  stopped: { kills: 0, stops: kills, windowMs: 1000 },
  'full-stopped': { kills: 0, stops: servers, windowMs: 1000, maxMessages: 60 },
  anew: { kills: 0, remakes: kills },
  limits: { retention: 'limits' },
  interest: { retention: 'interest' },
  'limits-no-room': { retention: 'limits', maxFile: 2_000_000, spare: true },
  'limits-stopped': { retention: 'limits', kills: 0, stops: kills, windowMs: 1000 },
  'limits-cluster': { retention: 'limits', nodes: 3, serverKills: servers },
  'interest-cluster': { retention: 'interest', nodes: 3, serverKills: servers },
  large: { padding: 1_000_000, outstanding: 20, inFlight: 4 },
  'large-full': { padding: 1_000_000, outstanding: 20, inFlight: 4, maxMessages: 16 },
  'large-no-room': { padding: 1_000_000, outstanding: 20, inFlight: 4, maxFile: 40_000_000 },
  away: { awayMs: 50 },
  'limits-away': { retention: 'limits', awayMs: 50, racing: true },
  cluster: { nodes: 3, serverKills: servers },
  'full-cluster': { nodes: 3, maxMessages: 60, serverKills: servers },
};

/** What has laws of its own; it tells in one line what it did. */
type Play = (options: { version: string; seed: number; rounds: number }) => Promise<{ faults: readonly string[] }>;
const moves: Moves[] = [];
const moving =
  (more: Partial<Moving>): Play =>
  async ({ rounds, ...options }) => {
    const isShort = values.quick || values.kills !== undefined;
    const faults: string[] = [];
    const picked = pick(values.ways, WAYS) as readonly Way[];
    for (const ways of values.ways === undefined ? picked.map((way) => [way]) : [picked]) {
      const { version, nodes = 1 } = { ...options, ...more };
      const asked = {
        ...options,
        ...more,
        ways,
        before: (values.keep === undefined ? [] : readMoves(values.keep)).filter(
          (one) => one.version === version && one.nodes === nodes,
        ),
        ...(isShort && { kills: rounds }),
        ...(values.minutes !== undefined && { ms: Number(values.minutes) * 60_000 }),
      };
      try {
        const report = await playMoving(asked);
        faults.push(...report.faults);
        moves.push({ version, nodes, ...report });
        if (values.keep !== undefined) appendFileSync(values.keep, `${JSON.stringify(moves.at(-1))}\n`);
      } catch (error) {
        // Killed while it wrote the configuration of a stream it has lost that, whoever changed it (docs/explanation/migration.md).
        if (!(error instanceof OpsError) || !error.why?.includes('could not be recovered')) throw error;
        console.log(`  ${ways}: a server did not recover a stream; nothing of this is counted`);
      }
    }
    return { faults };
  };
const OTHER_FORMS: Readonly<Record<string, Play>> = {
  forged: playForged,
  targets: playTargets,
  moving: moving({}),
  'moving-memory': moving({ kinds: ['client'] }),
  'moving-cluster': moving({ nodes: 3 }),
};

const pick = (wanted: string | undefined, all: readonly string[]): readonly string[] => {
  if (wanted === undefined) return all;
  const unknown = wanted.split(',').filter((one) => !all.includes(one));
  if (unknown.length > 0) {
    console.error(`there is no ${unknown.join(', ')}: choose from ${all.join(', ')}`);
    process.exit(64);
  }
  return wanted.split(',');
};

/** Cluster lines that drop dead letters by themselves: what they drop is counted, and no fault of a replay. */
const drops = ({ server, scenario: { nodes = 1 } }: ChaosReport): boolean =>
  defectsOf({ version: server, replicas: nodes, clustered: nodes > 1 }).some(({ id }) => id === 'dead-letters-lost');

const reports: ChaosReport[] = [];
let bad = 0;
let seed = Number(values.seed ?? Date.now() % 1_000_000);
for (let round = 0; round < Number(values.rounds ?? 1); round++) {
  // A line that is not of the test matrix can be asked for: 2.14, the first that moves.
  for (const version of values.lines?.split(',') ?? availableVersions()) {
    for (const form of pick(values.forms, [...Object.keys(FORMS), ...Object.keys(OTHER_FORMS)])) {
      const play = OTHER_FORMS[form];
      if (play) {
        const { faults, ...told } = await play({ version, seed, rounds: kills });
        console.log(
          `nats-server ${version}, ${form}, seed ${seed++}: ${faults.length} faults (${JSON.stringify(told)})`,
        );
        for (const fault of faults) console.log(`  ${fault}`);
        bad += faults.length > 0 ? 1 : 0;
        continue;
      }
      const report = await playChaos({ version, kills, seed: seed++, patienceMs: 120_000, ...FORMS[form] });
      reports.push(report);
      console.log(tellReport(report));
      const faults = [...report.lost, ...report.doubled, ...report.leftover, ...report.forgotten];
      if (!drops(report)) faults.push(...report.dropped);
      const { kills: asked } = report.scenario;
      if (asked > 0 && report.kills === 0) faults.push(`no replay was under way to be killed, in ${asked} turns`);
      if (faults.length > 0) {
        bad += 1;
        console.log(`  ${faults.slice(0, 10).join('; ')}`);
      }
      if (faults.length > 0 || values.verbose) console.log(report.log.map((line) => `  ${line.trimEnd()}`).join('\n'));
    }
  }
}

if (moves.length > 0) console.log(renderMoves(moves));
const COLUMNS = ['accepted', 'answered', 'replayedLives', 'kills', 'serverKills'] as const;
const FAULTS = ['lost', 'doubled', 'leftover', 'forgotten', 'unheard', 'dropped'] as const;
console.log(
  '| what | runs | accepted | answered | replayed | replays killed | servers killed | lost | doubled | left over | forgotten | not stored by the DLQ | dropped by the server |',
);
console.log(`|${' --- |'.repeat(13)}`);
for (const [name, group] of Map.groupBy(reports, ({ scenario }) => nameOf(scenario))) {
  const sum = (of: (report: ChaosReport) => number) => group.reduce((all, one) => all + of(one), 0);
  const cells = [
    ...COLUMNS.map((key) => sum((one) => one[key])),
    ...FAULTS.map((key) => sum((one) => one[key].length)),
  ];
  console.log(`| ${[name, group.length, ...cells].join(' | ')} |`);
}
console.log(bad === 0 ? 'nothing was lost, nothing was doubled' : `${bad} runs failed`);
process.exitCode = bad === 0 ? 0 : 1;
