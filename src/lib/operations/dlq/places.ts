import type { ArchiveLine } from '../../dlq/archive.ts';
import type { Entry } from '../../model/entry.ts';
import type { Nats } from '../../nats/connect.ts';
import { largestIn } from '../../nats/copies.ts';
import type { StreamInfo } from '../../nats/info.ts';
import { placeInDlq, whyNoDlq } from '../../replay/dlq-place.ts';
import { importMessages, importSubjects } from '../../replay/imported.ts';

/** Why a dead letter could not be brought back as things are; `undefined` where it could. */
export const whyNotImported = (nats: Nats, dlqs: readonly StreamInfo[], entry: Entry): string | undefined =>
  importSubjects(entry, entry.inner.records, entry.inner.message !== undefined)
    .map((one) => whyNoDlq(nats, dlqs, one))
    .find((why) => why !== undefined);

/**
 * Why a line of an archive could not come back as a dead letter for its size, though its subjects are taken: what carries
 * a message has headers besides, which tell whence it is. `undefined` where it could.
 */
export function whyTooLarge(nats: Nats, dlqs: readonly StreamInfo[], line: string): string | undefined {
  const least = Math.min(...dlqs.map((dlq) => largestIn(nats, dlq).bytes));
  // Reading a line back costs more than writing it, and headers grow at most so much.
  if (line.length * MOST_GROWTH < least) return undefined;
  return importMessages(JSON.parse(line) as ArchiveLine)
    .filter((message) => whyNoDlq(nats, dlqs, message) === undefined)
    .map((message) => placeInDlq(nats, dlqs, message))
    .find((place) => typeof place === 'string');
}

const MOST_GROWTH = 8;
