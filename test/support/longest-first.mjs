// Where no run has told yet how long a file takes, jest goes by its size, and a short file that builds for a minute comes
// last and alone. Here it also goes by the most time that the file allows a test.
import { readFileSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

/** Milliseconds: a tenth of the longest bound, as in `}, 180_000);`, or one a character. Unit tests are quick at any size. */
function guess({ path, context }) {
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
