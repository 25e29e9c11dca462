// npm run test:worlds: makes worlds and lives in them until time is over. `--minutes N` (10 where left out) or
// `--worlds N`; `--server 2.12` picks the line of the server, `--seed N` plays from a seed on: a world has its own.
import { parseArgs } from 'node:util';
import { availableVersions } from '../support/server.ts';
import { liveInWorlds } from './live.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    worlds: { type: 'string' },
    seed: { type: 'string' },
    server: { type: 'string' },
    replicas: { type: 'string', default: '1' },
    shrink: { type: 'string', default: '120' },
  },
});
const lines = availableVersions();
const server = values.server ?? lines.at(-1)!;
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const report = await liveInWorlds({
  version: server,
  replicas: values.replicas === '3' ? 3 : 1,
  seed,
  worlds: Number(values.worlds ?? 1_000_000),
  ms: values.worlds === undefined ? Number(values.minutes) * 60_000 : 24 * 3_600_000,
  shrinkMs: Number(values.shrink) * 1000,
  tell: (text) => console.log(text),
});
console.log(
  `nats-server ${report.server}, seeds ${seed} to ${seed + report.worlds - 1}: ${report.worlds} worlds, ${report.steps} steps, ${report.looks} looks, ${report.finds.length} finds`,
);
console.log(
  `looked at: ${Object.entries(report.seen)
    .map(([what, often]) => `${what} ${often}`)
    .join(', ')}`,
);
process.exitCode = report.finds.length === 0 ? 0 : 1;
