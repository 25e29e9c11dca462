// Makes everything that is made from the code: npm run docs, with `-- --check` to only say what is stale.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isStale, makeArtifacts, pathOf } from './generate/artifacts.ts';

const wants = (flag: string): boolean => process.argv.includes(flag);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const artifacts = await makeArtifacts();
const stale = artifacts.filter(isStale);
const breaks = stale.flatMap((artifact) => artifact.breaks);

if (wants('--check')) {
  for (const { file } of stale) say(`stale: ${file}`);
  if (stale.length > 0) say('Mend it: npm run docs');
  process.exitCode = stale.length > 0 ? 1 : 0;
} else if (breaks.length > 0 && !wants('--accept')) {
  say('This would break what people script against; nothing was written:');
  for (const sentence of breaks) say(`  ${sentence}`);
  say('Where that is meant, with a major version: npm run docs -- --accept');
  process.exitCode = 1;
} else {
  for (const artifact of stale) {
    mkdirSync(dirname(pathOf(artifact)), { recursive: true });
    writeFileSync(pathOf(artifact), artifact.text);
    say(`wrote ${artifact.file}`);
  }
  if (stale.length === 0) say(`all ${artifacts.length} files are as the code says`);
}
// Commands that were only loaded may hold timers or sockets open.
process.exit();
