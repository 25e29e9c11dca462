import { bucketSubjects, KV_PREFIX, MOVING_KEY, movingSubject } from '../facts/names.ts';
import { type Config, type Json, numberOf, objectOf, textsOf } from '../model/json.ts';
import type { Hop, Migration, MovedConsumer } from '../model/migration.ts';

/**
 * Until somebody goes on: workers that got work from the old stream in the middle would do it twice. Not the end that
 * `queue pause` names, which stays as it was.
 */
export const UNTIL_RESUMED = '9998-01-01T00:00:00Z';

/** Whether nothing is published into a stream but our marker. */
export const isParked = ({ name, subjects }: Config): boolean => {
  const all = textsOf(subjects);
  return all.length === 1 && all[0] === movingSubject(String(name));
};

/** What the label of a copy says. */
export function labelOf({ metadata }: Config): string | undefined {
  const label = objectOf(metadata)[MOVING_KEY];
  return typeof label === 'string' ? label : undefined;
}

function without(config: Config, ...fields: readonly string[]): Record<string, Json> {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !fields.includes(name)));
}

/** What a mirror refuses, or would stop or empty it: all of it is given when it is made a stream of its own. */
const NOT_ON_A_MIRROR = [
  'subjects',
  'sources',
  'mirror',
  'subject_transform',
  'republish',
  'first_seq',
  'max_msgs',
  'max_bytes',
  'max_age',
  'max_msg_size',
  'max_consumers',
  'consumer_limits',
  'deny_delete',
  'deny_purge',
  'sealed',
  'no_ack',
  'discard_new_per_subject',
  'allow_atomic',
  'allow_batched',
  'allow_msg_schedules',
  'subject_delete_marker_ttl',
  // Without it a mirror that is still behind answers nobody.
  'mirror_direct',
] as const;

const isLast = ({ hops }: Migration, hop: Hop): boolean => hops.at(-1) === hop;

/** On the way to the old name nothing may go by itself: without a consumer only limits keeps all. */
const onTheWay = (config: Config, migration: Migration, hop: Hop): Config =>
  isLast(migration, hop) ? config : { ...without(config, 'deny_delete', 'deny_purge'), retention: 'limits' };

/** The longer of the two: an id that the old one knows is known as long. */
const windowOf = ({ before, after }: Migration): number =>
  Math.max(numberOf(before.duplicate_window), numberOf(after.duplicate_window));

/** Of a work queue the copy holds what was acknowledged as well: it does not count among what waits on a subject. */
const keepsHistory = ({ before }: Migration): boolean =>
  before.retention !== 'workqueue' && before.discard_new_per_subject !== true;

/** A copy as it is made: storage, retention and persist_mode are chosen here, for good. */
export function mirrorConfig(migration: Migration, hop: Hop): Config {
  const config = without(onTheWay(migration.after, migration, hop), ...NOT_ON_A_MIRROR);
  if (!keepsHistory(migration)) delete config.max_msgs_per_subject;
  const renamed = migration.kind === 'bucket' && hop.from !== hop.to && migration.hops.length === 1;
  return {
    ...config,
    name: hop.to,
    metadata: { ...objectOf(config.metadata), [MOVING_KEY]: migration.created },
    duplicate_window: windowOf(migration),
    mirror: {
      name: hop.from,
      ...(renamed && {
        subject_transforms: [
          { src: keysOf(hop.from), dest: keysOf(hop.to) },
          // What no transform names is not copied: the marker comes along.
          { src: movingSubject(hop.from), dest: movingSubject(hop.from) },
        ],
      }),
    },
  };
}

const keysOf = (stream: string): string => bucketSubjects(stream.slice(KV_PREFIX.length));

/** The stream takes nothing but our marker, which no limit may refuse and for which nothing may go. */
export const parkedConfig = (live: Config): Config => ({
  ...without(live, 'subject_transform', 'republish', 'max_age'),
  subjects: [movingSubject(String(live.name))],
  max_msgs: -1,
  max_bytes: -1,
  max_msgs_per_subject: live.max_msgs_per_subject ?? -1,
  max_msg_size: -1,
  no_ack: false,
});

/** What the copy has more of than the old one: acknowledged already, and counted against its limits. */
export interface Surplus {
  readonly messages: number;
  readonly bytes: number;
}

/** The copy as a stream of its own, which takes what is published. */
export function promotedConfig(migration: Migration, hop: Hop, surplus: Surplus): Config {
  const { after, before } = migration;
  const live = without(onTheWay(isLast(migration, hop) ? after : { ...after, ...limitsOf(before) }, migration, hop));
  // Our own marker is to be removed still.
  for (const field of ['mirror', 'first_seq', 'deny_delete', 'deny_purge']) delete live[field];
  const raised = (field: string, more: number) => {
    const limit = numberOf(live[field], -1);
    if (limit > 0) live[field] = limit + more;
  };
  if (!isLast(migration, hop)) {
    raised('max_msgs', surplus.messages);
    raised('max_bytes', surplus.bytes);
    if (!keepsHistory(migration)) {
      delete live.max_msgs_per_subject;
      delete live.discard_new_per_subject;
    }
  }
  return { ...live, name: hop.to, subjects: subjectsOf(migration, hop), duplicate_window: windowFor(migration, hop) };
}

const limitsOf = ({ subjects, max_msgs = -1, max_bytes = -1 }: Config): Config => ({
  ...(subjects !== undefined && { subjects }),
  max_msgs,
  max_bytes,
});

const windowFor = (migration: Migration, hop: Hop): Json =>
  isLast(migration, hop) ? (migration.after.duplicate_window ?? windowOf(migration)) : windowOf(migration);

const subjectsOf = (migration: Migration, hop: Hop): Json =>
  (isLast(migration, hop) ? migration.after : migration.before).subjects ?? [hop.to];

/** The same while it takes nothing but the ids that it is to know. */
export const primingConfig = (migration: Migration, hop: Hop): Config =>
  parkedConfig(without(mirrorConfig(migration, hop), 'mirror', 'max_msgs_per_subject'));

/** A consumer that nobody gets anything from yet. */
export const pausedConsumer = ({ to, after }: MovedConsumer): Config => ({
  ...after,
  name: to,
  durable_name: to,
  pause_until: UNTIL_RESUMED,
});
