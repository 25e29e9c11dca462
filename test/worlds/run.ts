// npm run test:worlds: makes worlds and lives in them until time is over. `--minutes N` (10 where left out) or
// `--worlds N`; `--server 2.12` picks the line of the server, `--seed N` plays from a seed on: a world has its own.
// `--plant 'replays killed'` breaks a law on purpose where that is seen.
import { parseArgs } from 'node:util';
import { availableVersions } from '../support/server.ts';
import { liveInWorlds } from './live.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    worlds: { type: 'string' },
    seed: { type: 'string' },
    server: { type: 'string' },
    plant: { type: 'string' },
    shrink: { type: 'string', default: '120' },
  },
});
const lines = availableVersions();
const server = values.server ?? lines.at(-1)!;
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const report = await liveInWorlds({
  version: server,
  seed,
  worlds: Number(values.worlds ?? 1_000_000),
  ms: values.worlds === undefined ? Number(values.minutes) * 60_000 : 24 * 3_600_000,
  shrinkMs: Number(values.shrink) * 1000,
  ...(values.plant !== undefined && { plant: values.plant, finds: 1 }),
  tell: (text) => console.log(text),
});
console.log(
  `nats-server ${report.server}, seeds ${seed} to ${seed + report.worlds - 1}: ${report.worlds} worlds, ${report.steps} steps, ${report.looks} looks (${report.askedAgain} asked again, as the machine was busy), ${report.finds.length} finds`,
);
const seen = Object.entries(report.seen);
const list = (record: readonly (readonly [string, number])[]) => record.map((row) => row.join(' ')).join(', ');
console.log(`a law was checked on: ${list(seen.filter(([, often]) => often > 0))}`);
console.log(`never came to: ${list(seen.filter(([, often]) => often === 0)) || 'nothing of what there can be'}`);
console.log(`the most round trips: ${list(Object.entries(report.slowest))}`);
process.exitCode = report.finds.length === 0 ? 0 : 1;
