import { captorSubjects, capturesOf, type DlqCapture, deathSubjects, mayBeService, serves } from '../facts/captures.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import type { StreamInfo } from '../nats/info.ts';
import { pipelined } from '../nats/pipeline.ts';
import { readStream, streamNames } from '../nats/streams.ts';
import { serviceQueues } from './service-queues.ts';

/** A stream that takes dead letters, and the queues that it is known to take them of. */
export interface Captor {
  readonly info: StreamInfo;
  /** What it is sent itself. */
  readonly captures: readonly DlqCapture[];
  /** Named by what is stored in it. */
  readonly stored: ReadonlySet<string>;
}

/**
 * Whether a stream is a DLQ of this queue. Of a queue that a spec speaks of, a copy of a DLQ by mirror or sources is none:
 * it says the same once more, and no server can be asked for such copies by their subjects.
 */
export const isCaptorOf = ({ captures, stored }: Pick<Captor, 'captures' | 'stored'>, queue: string): boolean =>
  stored.has(queue) || serves(captures, queue);

/** For so many queues each is asked for by itself; from then on all that may be somebody's. */
const FEW = 4;
const AT_ONCE = 64;
const NOT_TOLD = { missing: undefined, denied: undefined, silent: undefined };
const UNREAD = { missing: undefined, denied: null, silent: null };

/** What takes dead letters of some queues. */
export interface Captors {
  readonly found: readonly Captor[];
  /** By queue, the names of those of which this user may not know, or nobody can tell, what they hold. */
  readonly unread: ReadonlyMap<string, readonly string[]>;
}

/**
 * The streams that take dead letters of these queues, beside those that are known. They are asked for by their subjects:
 * listing an account takes a server as long as it has streams, and a cluster waits for each that has no leader.
 * @throws OpsError CONN_UNREACHABLE, INTERRUPTED
 */
export async function findCaptors(nats: Nats, queues: readonly string[], known: ReadonlySet<string>): Promise<Captors> {
  if (queues.length === 0) return { found: [], unread: new Map() };
  const subjects = captorSubjects(queues.length > FEW ? undefined : queues);
  const names = await Promise.all(
    subjects.map(async (subject) => {
      const found = (await orElse(streamNames(nats, { subject }), NOT_TOLD)) ?? [];
      return subject.startsWith('*') ? found.filter(mayBeService) : found;
    }),
  );
  const services = new Set(subjects.flatMap((subject, index) => (subject.startsWith('*') ? names[index]! : [])));
  const wanted = [...new Set(names.flat())].filter((name) => !known.has(name)).sort();
  const unread = new Set<string>();
  const captors = await pipelined(wanted, AT_ONCE, async (name): Promise<Captor | undefined> => {
    const [info, stored] = await Promise.all([
      orElse(readStream(nats, name), UNREAD),
      mayBeService(name) ? orElse(answerOf(serviceQueues(nats, name)), UNREAD) : new Set<string>(),
    ]);
    const captures = info ? capturesOf(info.config, true) : [];
    if (info === null || (captures.length > 0 && stored === null)) unread.add(name);
    return info && captures.length > 0 ? { info, captures, stored: stored ?? new Set() } : undefined;
  });
  return {
    found: captors.filter((captor) => captor !== undefined),
    unread: await unreadBy(nats, queues, unread, services),
  };
}

/** Which of the streams that could not be read take deaths of each of these queues, by their subjects; a service tells no queue by them. */
async function unreadBy(
  nats: Nats,
  queues: readonly string[],
  unread: ReadonlySet<string>,
  services: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (unread.size === 0) return new Map();
  const rows = await pipelined(queues, AT_ONCE, async (queue) => {
    const taking = await Promise.all(
      deathSubjects(queue).map(async (subject) => (await orElse(streamNames(nats, { subject }), NOT_TOLD)) ?? []),
    );
    const names = new Set(taking.flat());
    return [queue, [...unread].filter((name) => names.has(name) || services.has(name))] as const;
  });
  return new Map(rows.filter(([, names]) => names.length > 0));
}
