import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Choice } from '../complete/choices.ts';
import type { Asked } from '../complete/kinds.ts';
import { KV_PREFIX } from '../facts/names.ts';
import { readRuns } from '../ledger/replays.ts';
import { listSystems } from '../ledger/store.ts';
import type { Context } from '../model/context.ts';
import type { QueueRef } from '../model/entry.ts';
import { textsOf } from '../model/json.ts';
import { withoutUser } from '../model/server-url.ts';
import type { ConnectionSpec, LoadedSpec } from '../model/spec.ts';
import { answerOf, orThrow, orUndefined } from '../nats/answer.ts';
import { bucketNames } from '../nats/buckets.ts';
import type { Nats } from '../nats/connect.ts';
import { contextNames, readContexts } from '../nats/contexts.ts';
import { withNats } from '../nats/open.ts';
import { pipelined } from '../nats/pipeline.ts';
import { readStream, readSubjects, streamNames } from '../nats/streams.ts';
import { locateQueues } from '../places/queues.ts';
import { kindUnder } from '../requests/subject.ts';
import { listDeadLetters } from './dlq/ls.ts';
import { listWaiting } from './request/ls.ts';
import { DEFAULT_SPEC, loadForWork } from './spec-source.ts';

/** A person chooses among so many at most; who wants another types more of it. */
const MOST = 200;
/** A stream with more subjects than this is not asked for them. */
const MOST_SUBJECTS = 2000;

export interface Question {
  readonly asked: Asked;
  /** The spec that is named on the line or by OSAPI_OPS_SPEC. */
  readonly file?: string;
  /** Only of these queues. */
  readonly queues: readonly string[];
}

/** Contexts of the nats CLI on this machine, each with the server it leads to. */
export function knownContexts({ env, cwd }: Pick<Context, 'env' | 'cwd'>): readonly Choice[] {
  const contexts = readContexts(env, cwd);
  return contextNames(env).map((value) => {
    const isSelected = value === contexts.selected ? ', selected' : '';
    return { value, about: `${urlOf(() => contexts.read(value).url)}${isSelected}` };
  });
}

function urlOf(read: () => string | undefined): string {
  try {
    return (read() ?? '')
      .split(',')
      .flatMap((url) => withoutUser(url) ?? [])
      .join(',');
  } catch {
    return 'cannot be read';
  }
}

/**
 * Asks the server that the command would ask. `onChoice` gets each answer as it comes, so that what is there counts
 * where time runs out. A spec that is only found lying in the folder leads nowhere but to this machine and to the
 * person's own contexts: a key press is no consent to send credentials to whoever wrote it.
 * @throws OpsError as the commands do
 */
export async function askServer(
  context: Context,
  question: Question,
  onChoice: (choice: Choice) => void,
): Promise<void> {
  const { file, queues, asked } = question;
  const source = file ?? (existsSync(path.join(context.cwd, DEFAULT_SPEC)) ? DEFAULT_SPEC : undefined);
  // Standard input is the shell's.
  if (source === '-') return;
  const loaded = source === undefined ? undefined : await loadForWork(context, source);
  if (file === undefined && loaded && !isHarmless(loaded.spec.connection)) return;
  if (asked === 'entries') return askEntries(context, { file, queues }, onChoice);
  if (asked === 'requests') return askRequests(context, { file, queues }, onChoice);
  await withNats(context, loaded, async (nats) => {
    for (const choice of await ASK[asked](nats, { loaded, queues })) onChoice(choice);
  });
}

/** A connection that leads to this machine or to a context by its name, and brings no files and no credentials. */
function isHarmless({
  context = '',
  servers = [],
  timeout: _t,
  domain: _d,
  inbox_prefix: _i,
  ...others
}: ConnectionSpec = {}): boolean {
  const isHere = servers.every((url) => /^(?:nats:\/\/)?(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(url));
  return isHere && Object.keys(others).length === 0 && /^[^/\\]*(?<!\.json)$/.test(context);
}

interface About {
  readonly loaded: LoadedSpec | undefined;
  readonly queues: readonly string[];
}

const refsOf = (nats: Nats, { loaded, queues }: About): Promise<QueueRef[]> =>
  locateQueues(nats, { queues, spec: loaded?.spec });

const ASK: Readonly<
  Record<Exclude<Asked, 'entries' | 'requests'>, (nats: Nats, about: About) => Promise<readonly Choice[]>>
> = {
  queues: async (nats, { loaded }) => (await refsOf(nats, { loaded, queues: [] })).map(queueChoice),
  consumers: async (nats, about) =>
    (await refsOf(nats, about)).flatMap(({ queue, consumers }) =>
      consumers.map((value) => ({ value, about: `of ${queue}` })),
    ),
  targets: async (nats, about) =>
    (await refsOf(nats, about)).flatMap((ref) => [
      queueChoice(ref),
      ...ref.consumers.map((name) => ({ value: `${ref.queue}/${name}`, about: 'this consumer only' })),
    ]),
  subjects: async (nats, about) => {
    const found = (await readAllSubjects(nats, await refsOf(nats, about))).flatMap(({ queue, counts }) =>
      [...counts].map(([value, count]) => ({ value, about: `${count} in ${queue}` })),
    );
    return found.slice(0, MOST);
  },
  kinds: async (nats, about) => {
    const found = (await readAllSubjects(nats, await refsOf(nats, about))).flatMap(({ queue, patterns, counts }) =>
      [...new Set([...patterns, ...counts.keys()])].flatMap((subject) => {
        const kind = patterns.map((pattern) => kindUnder(pattern, subject)).find((one) => one !== undefined);
        const about = `${subject} of ${queue}${counts.has(subject) ? `, ${counts.get(subject)} there` : ''}`;
        return kind === undefined || /[*>]/.test(kind) ? [] : [{ value: kind, about }];
      }),
    );
    return found.slice(0, MOST);
  },
  buckets: async (nats) => (await orThrow(bucketNames(nats, MOST))).map((value) => ({ value })),
  replays: async (nats) =>
    (await readRuns(nats)).map(({ id, state, started_at: since }) => ({ value: id, about: state, since })),
  running: async (nats, about) => (await ASK.replays(nats, about)).filter((run) => run.about === 'running'),
  systems: async (nats) => (await listSystems(nats)).map((value) => ({ value })),
  resources: async (nats) => {
    const [streams, buckets, systems] = await Promise.all([
      orThrow(streamNames(nats, { enough: MOST })),
      orThrow(bucketNames(nats, MOST)),
      // Nothing was ever applied here, or it may not be read.
      listSystems(nats).catch(() => []),
    ]);
    return [
      ...streams.filter((name) => !name.startsWith(KV_PREFIX)).map((value) => ({ value, about: 'stream' })),
      ...buckets.map((value) => ({ value, about: 'bucket' })),
      ...systems.map((value) => ({ value, about: 'system' })),
    ];
  },
};

const queueChoice = ({ queue, consumers, dlq }: QueueRef): Choice => ({
  value: queue,
  about: [
    consumers.length > 0 ? `for ${consumers.join(', ')}` : 'no consumer',
    ...(dlq ? [`dead letters in ${dlq}`] : []),
  ].join('; '),
});

interface Subjects {
  readonly queue: string;
  /** As configured, with their wildcards. */
  readonly patterns: readonly string[];
  /** Messages by the subject they lie on. */
  readonly counts: ReadonlyMap<string, number>;
}

const NONE: ReadonlyMap<string, number> = new Map();

const readAllSubjects = (nats: Nats, refs: readonly QueueRef[]): Promise<Subjects[]> =>
  pipelined(refs, 16, async ({ queue }) => {
    const { config, figures } = await orThrow(readStream(nats, queue));
    const patterns = Array.isArray(config.subjects) ? textsOf(config.subjects) : [queue];
    const isMany = figures.num_subjects > MOST_SUBJECTS;
    return { queue, patterns, counts: isMany ? NONE : (await orThrow(readSubjects(nats, queue))).subjects };
  });

type Scope = Pick<Question, 'file' | 'queues'>;

/** The newest dead letters. Orphans are left out: to find them takes a reading of the whole queue. */
async function askEntries(
  context: Context,
  { file, queues }: Scope,
  onChoice: (choice: Choice) => void,
): Promise<void> {
  const filter = {
    limit: MOST,
    states: ['replayable', 'parked', 'gone'] as const,
    recorded: true,
    ...(queues.length > 0 && { queues }),
  };
  await listDeadLetters(context, { file, filter }, ({ id, subject, state, died_at }) => {
    const about = [subject ?? '', ...(state === 'gone' ? ['gone'] : [])].filter(Boolean).join(', ');
    onChoice({ value: id, about, ...(died_at !== null && { since: died_at }) });
    return undefined;
  });
}

/** What waits, oldest first, and then what died: both can be asked for. */
async function askRequests(
  context: Context,
  { file, queues }: Scope,
  onChoice: (choice: Choice) => void,
): Promise<void> {
  const queue = queues[0];
  const waiting = listWaiting(context, { file, queue, limit: MOST }, ({ id, subject, published_at }) => {
    if (id !== null) onChoice({ value: id, about: `${subject}, waits`, since: published_at });
    return undefined;
  });
  await orUndefined(answerOf(waiting));
  const filter = {
    limit: MOST,
    states: ['replayable', 'parked'] as const,
    ...(queue !== undefined && { queues: [queue] }),
  };
  await listDeadLetters(context, { file, filter }, ({ request_id, subject, died_at }) => {
    if (request_id !== null && died_at !== null)
      onChoice({ value: request_id, about: `${subject ?? ''}, dead`, since: died_at });
    return undefined;
  });
}
