import { readStanding } from '../../dlq/collect.ts';
import { locateQueues } from '../../dlq/locate.ts';
import type { QueueStanding } from '../../dlq/standing.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { KV_PREFIX, LEDGER_BUCKET } from '../../facts/names.ts';
import { takenSubjects } from '../../facts/subjects.ts';
import type { Context } from '../../model/context.ts';
import type { QueueRef } from '../../model/entry.ts';
import type { LoadedSpec } from '../../model/spec.ts';
import type { Nats } from '../../nats/connect.ts';
import { withNats } from '../../nats/open.ts';
import type { Takes } from '../../requests/subject.ts';
import { chooseSources, loadForWork } from '../spec-source.ts';

/** What every request command is told. */
export interface RequestChoice {
  /** `-f/--file`: the spec; without one, the server says what its queues are. */
  readonly file?: string;
  /** Only this queue. */
  readonly queue?: string;
  /** The bucket of the responses, where nothing else says it. */
  readonly bucket?: string;
}

/** The queues and buckets that a request command is about; each is looked up once, when it is needed. */
export interface RequestScope {
  readonly nats: Nats;
  /** @throws OpsError DENIED_SUBJECT where this user may not look */
  refs(): Promise<readonly QueueRef[]>;
  /** The same for those who can do without: a client may be allowed no more than to publish and to read responses. */
  visible(): Promise<Visible>;
  /** Empty where no bucket of responses is known. */
  buckets(): Promise<readonly string[]>;
  takes(): Promise<readonly Takes[]>;
}

export interface Visible {
  readonly refs: readonly QueueRef[];
  /** Why there are none. */
  readonly denied?: OpsError;
}

/**
 * Connects for a request command.
 * @throws OpsError SPEC_*, CONN_*, DENIED_*
 */
export async function withRequests<T>(
  context: Context,
  choice: RequestChoice,
  work: (scope: RequestScope) => Promise<T>,
): Promise<T> {
  const [source] = chooseSources(context, choice);
  const loaded = source === undefined ? undefined : await loadForWork(context, source);
  return withNats(context, loaded, (nats) => work(createScope(nats, choice, loaded)));
}

function createScope(nats: Nats, choice: RequestChoice, loaded?: LoadedSpec): RequestScope {
  const { queue, bucket } = choice;
  const inSpec = Object.entries(loaded?.spec.queues ?? {}).filter(([name]) => queue === undefined || name === queue);
  const once = <R>(read: () => Promise<R>): (() => Promise<R>) => {
    let result: Promise<R> | undefined;
    return () => (result ??= read());
  };

  const refs = once(() =>
    locateQueues(nats, { ...(queue !== undefined && { queues: [queue] }), ...(loaded && { spec: loaded.spec }) }),
  );
  const visible = once(async (): Promise<Visible> => {
    try {
      return { refs: await refs() };
    } catch (error) {
      if (isDenied(error)) return { refs: [], denied: error };
      throw error;
    }
  });

  const buckets = once(async () => {
    if (bucket !== undefined) return [requireBucket(bucket)];
    const named = inSpec.flatMap(([, { responses }]) => (responses ? [responses.bucket] : []));
    if (named.length > 0) return [...new Set(named)];
    const applied = (await visible()).refs.flatMap(({ responses }) => (responses === undefined ? [] : [responses]));
    return applied.length > 0 ? [...new Set(applied)] : discoverBuckets(nats);
  });

  const takes = once(async () => {
    if (inSpec.length > 0)
      return inSpec.map(([name, { config }]) => ({ queue: name, subjects: takenSubjects(name, config) }));
    const standings = await Promise.all((await refs()).map((ref) => readStanding(nats, ref)));
    return standings.map(({ queue: name, subjects }) => ({ queue: name, subjects }));
  });

  return { nats, refs, visible, buckets, takes };
}

export const isDenied = (error: unknown): error is OpsError =>
  error instanceof OpsError && error.code === 'DENIED_SUBJECT';

function requireBucket(name: string): string {
  if (/^[-_a-zA-Z0-9]+$/.test(name)) return name;
  throw new OpsError('USAGE', `--bucket: ${JSON.stringify(name)} cannot be the name of a bucket`, {
    where: '--bucket',
    hints: ['a bucket’s name has letters, digits, - and _'],
  });
}

/** The buckets of the account but for our own: on a system made by hand nothing says which one holds responses. */
async function discoverBuckets(nats: Nats): Promise<readonly string[]> {
  try {
    const { streams } = await nats.api('STREAM.NAMES', { subject: '$KV.>' });
    const names = (Array.isArray(streams) ? streams.map(String) : [])
      .filter((name) => name.startsWith(KV_PREFIX))
      .map((name) => name.slice(KV_PREFIX.length))
      .filter((name) => name !== LEDGER_BUCKET);
    return names.includes('responses') ? ['responses'] : names;
  } catch (error) {
    if (isDenied(error)) return [];
    throw error;
  }
}

/** The standing of the queue a request goes to, where this user may see it. */
export async function standingFor(scope: RequestScope, queue: string): Promise<QueueStanding | undefined> {
  try {
    const ref = (await scope.visible()).refs.find((one) => one.queue === queue);
    return ref && (await readStanding(scope.nats, ref));
  } catch (error) {
    if (error instanceof OpsError && ['DENIED_SUBJECT', 'NOT_FOUND'].includes(error.code)) return undefined;
    throw error;
  }
}

/** @throws OpsError USAGE for what can be no id at all */
export function requireAskable(id: string): string {
  if (id !== '' && id.length <= 512 && !/[\p{Cc}]/u.test(id)) return id;
  throw new OpsError('USAGE', `${JSON.stringify(id.slice(0, 80))} is no id of a request`, {
    where: 'ID',
    hints: ['`osapi-ops request send` prints the id of what it sent'],
  });
}
