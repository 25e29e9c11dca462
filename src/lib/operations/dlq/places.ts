import type { ArchiveLine } from '../../dlq/archive.ts';
import type { Entry } from '../../model/entry.ts';
import { ownPrefixes, whyNotTaken } from '../../nats/address.ts';
import type { Nats } from '../../nats/connect.ts';
import { type Copy, copySize, largestIn } from '../../nats/copies.ts';
import type { StreamInfo } from '../../nats/info.ts';
import { type ImportMessage, importMessages, importSubjects } from '../../replay/imported.ts';

/** Why a dead letter could not be brought back as things are; `undefined` where it could. */
export function whyNotImported(nats: Nats, dlqs: readonly StreamInfo[], entry: Entry): string | undefined {
  const found = importSubjects(entry, entry.inner.records, entry.inner.message !== undefined).map((one) =>
    subjectFor({ nats }, dlqs, one),
  );
  return found.find((one) => typeof one === 'string');
}

/**
 * Why a line of an archive could not come back as a dead letter for its size, though its subjects are taken: what carries
 * a message has headers besides, which tell whence it is. `undefined` where it could.
 */
export function whyTooLarge(nats: Nats, dlqs: readonly StreamInfo[], line: string): string | undefined {
  const least = Math.min(...dlqs.map((dlq) => largestIn(nats, dlq).bytes));
  // Reading a line back costs more than writing it, and headers grow at most so much.
  if (line.length * MOST_GROWTH < least) return undefined;
  for (const message of importMessages(JSON.parse(line) as ArchiveLine)) {
    const found = subjectFor({ nats }, dlqs, message);
    const why = typeof found === 'string' ? undefined : oversize(nats, found.dlq, message);
    if (why !== undefined) return why;
  }
  return undefined;
}

const MOST_GROWTH = 8;

function oversize(nats: Nats, dlq: StreamInfo, { id, headers, payload }: ImportMessage): string | undefined {
  const bytes = copySize({ headers: headers(id), payload }, dlq.name);
  const limit = largestIn(nats, dlq);
  if (bytes <= limit.bytes) return undefined;
  return `with the headers of a dead letter it is ${bytes} bytes, and ${limit.whose} is ${limit.bytes}`;
}

export interface Chosen {
  readonly dlq: StreamInfo;
  readonly id: string;
  copyFor(id: string): Copy;
}

/** The DLQ stream that takes a message, and on which subject; or why none does. */
function subjectFor(
  { nats }: { readonly nats: Nats },
  dlqs: readonly StreamInfo[],
  { subject, otherwise }: Pick<ImportMessage, 'subject' | 'otherwise'>,
): { dlq: StreamInfo; subject: string } | string {
  let why = '';
  for (const one of [subject, ...(otherwise === undefined ? [] : [otherwise])]) {
    for (const dlq of dlqs) {
      const refused = whyNotTaken(dlq, one, 'record', ownPrefixes(nats));
      if (refused === undefined) return { dlq, subject: one };
      why ||= refused;
    }
  }
  return why || 'its queue has no DLQ';
}

export function chooseDlq(
  run: { readonly nats: Nats },
  dlqs: readonly StreamInfo[],
  message: ImportMessage,
): Chosen | string {
  const { id, headers, payload } = message;
  const found = subjectFor(run, dlqs, message);
  if (typeof found === 'string') return found;
  const { dlq, subject } = found;
  const why = oversize(run.nats, dlq, message);
  if (why !== undefined) return why;
  return { dlq, id, copyFor: (id) => ({ subject, payload, headers: headers(id), kind: 'record' }) };
}
