import { capturesOf } from '../facts/captures.ts';
import { CONSUMER_ADVISORY, REJECTED_PREFIX, rejectedSubject } from '../facts/names.ts';
import { subjectsOverlap } from '../facts/subjects.ts';
import { textsOf } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { readStream, readSubjects } from '../nats/streams.ts';
import { type Order, pagesOf } from './pages.ts';
import type { SeenQueue, SeenStream } from './standing.ts';

/** A DLQ stream as it was when the scan began. What comes later is not part of it. */
export interface DlqSource {
  readonly stream: string;
  readonly first: number;
  readonly last: number;
  readonly messages: number;
  readonly bytes: number;
  /** Set where the stream holds much else: only what is on this subject is read. */
  readonly subject?: string;
}

/** A set of queues whose dead letters lie in the same streams: they are read once for all of them. */
export interface Group {
  readonly queues: readonly SeenQueue[];
  readonly dlqs: readonly string[];
}

export function groupQueues(queues: readonly SeenQueue[]): Group[] {
  let groups: Group[] = [];
  for (const queue of queues) {
    const touching = groups.filter((group) => group.dlqs.some((dlq) => queue.dlqs.includes(dlq)));
    const merged: Group = {
      queues: [...touching.flatMap((group) => group.queues), queue],
      dlqs: [...new Set([...touching.flatMap((group) => group.dlqs), ...queue.dlqs])],
    };
    groups = [...groups.filter((group) => !touching.includes(group)), merged];
  }
  return groups;
}

/** The DLQ streams of a group as they were seen when it was found, where that is good enough. */
export const seenDlqs = (
  { asSeen }: { readonly asSeen?: boolean },
  { queues }: Group,
): ReadonlyMap<string, SeenStream> =>
  new Map(asSeen ? queues.flatMap(({ seen }) => (seen?.dlqs ?? []).map((dlq) => [dlq.name, dlq])) : []);

/** What an audit stream of all advisories holds of ours. */
const DEATHS = `${CONSUMER_ADVISORY}.>`;

/** A DLQ stream's bounds, as they were seen or as they are; `undefined` where it is not there (any more). */
export async function openSource(nats: Nats, stream: string, seen?: SeenStream): Promise<DlqSource | undefined> {
  const info = seen ?? (await orUndefined(readStream(nats, stream)));
  if (!info) return undefined;
  const { figures } = info;
  const isAudit = capturesOf(info.config).some(({ kind, subject }) => kind === 'advisory' && subjectDepth(subject) < 4);
  return {
    stream,
    first: figures.first_seq,
    last: figures.last_seq,
    messages: figures.messages,
    bytes: figures.bytes,
    ...(isAudit && { subject: DEATHS }),
  };
}

/** Whether a DLQ stream holds dead letters that carry their original; advisories may then speak of the same messages. */
export async function carriesOriginals(nats: Nats, stream: string): Promise<boolean> {
  const info = await orUndefined(readSubjects(nats, stream, `${REJECTED_PREFIX}.>`));
  return (
    info !== undefined && (info.subjects.size > 0 || capturesOf(info.config).some(({ kind }) => kind === 'service'))
  );
}

/** How many tokens stand before the first wildcard. */
const subjectDepth = (subject: string): number => {
  const at = subject.split('.').findIndex((token) => token === '*' || token === '>');
  return at < 0 ? Number.POSITIVE_INFINITY : at;
};

/** All messages of a DLQ stream, page by page. */
export function readPages(
  nats: Nats,
  source: DlqSource,
  order: Order,
  atOnce?: number,
): AsyncGenerator<StoredMessage[]> {
  const read = (from: number, untilSeq: number) =>
    getRange(nats, source.stream, from, { untilSeq, ...(source.subject && { subject: source.subject }) });
  return pagesOf(read, source, order, atOnce === undefined ? {} : { atOnce });
}

/** Whether a DLQ stream may hold what carries its message: where it takes no rejects, on any of its subjects. */
export async function holdsCarried(nats: Nats, dlq: string, queue: string): Promise<boolean> {
  const info = await orUndefined(readSubjects(nats, dlq, `${REJECTED_PREFIX}.>`));
  if (!info) return false;
  const takesRejects = textsOf(info.config.subjects).some((taken) => subjectsOverlap(taken, rejectedSubject(queue)));
  return info.subjects.size > 0 || !takesRejects;
}
