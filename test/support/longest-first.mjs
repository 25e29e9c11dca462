// Where no run has told yet how long a file takes, jest goes by its size, and a short file that waits for a minute comes
// last and alone. Here it goes by what was measured once, and by the most time that the file allows a test.
import { readFileSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

/** Seconds on two cores, of those that a fresh clone is to begin with. A file that is not named here is guessed. */
export const LONG = {
  'cli/migrate': 190,
  'server/replay-chaos': 90,
  'server/room': 85,
  'scenarios/stories': 77,
  'server/migrate': 75,
  'server/writes': 71,
  'scenarios/fresh-clone': 70,
  'cli/waves': 57,
  'server/worker-handlers': 56,
  'server/status': 54,
  'server/turn': 52,
  'cli/container': 49,
  'server/replay': 46,
  'cli/dlq-write': 45,
  'cli/worker': 43,
  'server/worker-chaos': 41,
  'server/replay-chaos-checker': 40,
  'server/worker-ends': 40,
  'scenarios/examples': 39,
  'cli/console': 39,
  'cli/tarballs': 38,
  'cli/streams': 34,
  'server/dlq-read': 33,
  'server/worker-answers': 29,
  'server/incarnations': 29,
};
const nameOf = (path) => path.split(/[\\/]/).slice(-2).join('/').replace('.test.ts', '');

/** Milliseconds: a tenth of the longest bound, as in `}, 180_000);`, or one a character. Unit tests are quick at any size. */
function guess({ path, context }) {
  const known = LONG[nameOf(path)];
  if (known) return known * 1000;
  const text = readFileSync(path, 'utf8');
  const bounds = [...text.matchAll(/(?:jest\.setTimeout\(|\}, )(\d[\d_]*)\);/g)].map(([, bound]) =>
    bound.replaceAll('_', ''),
  );
  return Math.max(
    ...bounds.map((bound) => bound / 10),
    text.length / (context.config.displayName.name === 'unit' ? 10 : 1),
  );
}

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    if (sorted.every(({ duration }) => duration !== undefined)) return sorted;
    const milliseconds = new Map(sorted.map((test) => [test, test.duration ?? guess(test)]));
    return sorted.sort((a, b) => milliseconds.get(b) - milliseconds.get(a));
  }
}
