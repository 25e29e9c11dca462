// Where no run has told yet how long a file takes, jest goes by its size, and a short file that waits for a minute comes
// last and alone. Here it goes by what was measured once, and by the most time that the file allows a test.
import { readFileSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

/** Seconds on two cores, of those that a fresh clone is to begin with. A file that is not named here is guessed. */
export const LONG = {
  'cli/migrate-cluster': 149,
  'server/replay-chaos': 106,
  'server/lost-answers': 102,
  'server/worker-ends': 94,
  'cli/migrate': 90,
  'cli/container': 75,
  'scenarios/stories': 67,
  'server/worker-handlers': 66,
  'server/migrate': 64,
  'server/room': 62,
  'cli/waves': 60,
  'server/worker-answers': 59,
  'server/turn': 53,
  'server/writes': 53,
  'browser/stories': 52,
  'server/status': 51,
  'server/replay': 46,
  'cli/console': 45,
  'cli/dlq-write': 45,
  'server/requests': 45,
  'browser/page': 43,
  'cli/streams': 42,
  'cli/worker': 42,
  'server/fields': 41,
  'server/replay-chaos-checker': 41,
  'server/dlq-read': 40,
  'server/incarnations': 40,
  'scenarios/pipeline-github': 39,
  'scenarios/fresh-clone': 38,
  'browser/console': 37,
  'cli/silence': 35,
  'server/worker-chaos': 34,
  'server/keeps': 33,
  'cli/files': 31,
  'cli/worlds': 31,
  'scenarios/examples': 30,
  'cli/secrets': 29,
  'cli/apply-cluster': 27,
  'cli/terminal': 24,
  'cli/one-truth': 24,
  'scenarios/results': 22,
  'cli/apply': 22,
  'server/worker-failures': 22,
  'cli/tarballs': 21,
  'server/lifecycle-random': 21,
  'cli/redelivery': 20,
  'cli/ledger-forged': 19,
  'cli/dlq-replays': 19,
  'cli/journal': 18,
  'cli/dlq-where': 17,
  'cli/complete': 17,
  'server/status-cluster': 16,
  'server/publish-cluster': 16,
  'cli/pasted': 16,
  'cli/failing': 15,
  'cli/console-door': 14,
  'scenarios/pictures': 14,
  'cli/dev': 14,
  'cli/host': 14,
  'server/forged-ledger': 14,
  'cli/pager': 13,
  'server/ledger': 13,
  'cli/places': 12,
  'server/nats': 12,
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
