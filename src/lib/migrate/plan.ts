import { bucketStream, isServersOwn, movingName } from '../facts/names.ts';
import { subjectCovers } from '../facts/subjects.ts';
import { atLeast } from '../facts/versions.ts';
import { type Config, listOf, numberOf, objectOf, textsOf } from '../model/json.ts';
import type {
  Hop,
  Migration,
  MigrationCost,
  MigrationRefusal,
  MovedConsumer,
  PlannedMigration,
} from '../model/migration.ts';
import { type ConsumerFigures, type ResourceKind, type StreamFigures, splitConsumerName } from '../model/resource.ts';

/** The first that reads a work queue for its mirror by a durable consumer: before, a mirror took messages away. */
export const LEAST_SERVER = '2.14.0';

/** A consumer as it is, and where the spec wants it otherwise, as it is to be. */
export interface AskedConsumer {
  readonly name: string;
  readonly created: string;
  readonly config: Config;
  readonly figures: ConsumerFigures;
  readonly to?: string;
  /** As it would be created. */
  readonly after?: Config;
}

/** An immutable change, with all that is to be known of what it concerns. */
export interface MoveAsked {
  readonly kind: ResourceKind;
  /** As the spec wants it called, and as it is. */
  readonly name: string;
  readonly from: string;
  /** The fields that cannot be changed in place; `name` for another name. */
  readonly fields: readonly string[];
  readonly version: string;
  readonly clustered: boolean;
  /** The stream; a bucket's, or a consumer's. */
  readonly stream: { readonly config: Config; readonly created: string; readonly figures: StreamFigures };
  /** The stream as it would be created; unused for a consumer. */
  readonly after: Config;
  /** All that the stream has. */
  readonly consumers: readonly AskedConsumer[];
  /** The streams that get its dead letters, with the subjects that they need for both names. */
  readonly dlqs: Migration['dlqs'];
  /** The bucket of its responses, where that is known. */
  readonly responses?: string;
  /** The streams that mirror or source it. */
  readonly others: readonly string[];
  /** The names of all streams. */
  readonly streams: readonly string[];
}

/** What a copy can be made with though its stream has it otherwise. */
const MOVABLE: ReadonlySet<string> = new Set([
  'name',
  'storage',
  'retention',
  'persist_mode',
  'deny_delete',
  'deny_purge',
  'allow_msg_ttl',
  'allow_msg_schedules',
]);

const BY_HAND = 'docs/how-to/immutable-field.md tells the way by hand';

/** Of the name that a resource has: a bucket's stream has another. */
const streamName = (kind: ResourceKind, name: string): string => (kind === 'bucket' ? bucketStream(name) : name);

/** How an immutable change is carried out, or why it cannot be. */
export function planMigration(asked: MoveAsked): PlannedMigration {
  const refusals = [...refuse(asked)];
  if (refusals.length > 0) return { is: 'refused', refusals: refusals.map(withPage) };
  const migration = asked.kind === 'consumer' ? consumerMigration(asked) : streamMigration(asked);
  return { is: 'movable', migration, cost: costOf(asked, migration) };
}

/** Whatever else is to be done: the way by hand is always open. */
const withPage = ({ why, hint }: MigrationRefusal): MigrationRefusal => ({
  why,
  hint: hint.includes(BY_HAND) ? hint : `${hint}; ${BY_HAND}`,
});

function* refuse(asked: MoveAsked): Generator<MigrationRefusal> {
  const { version, kind, stream, fields, others, clustered } = asked;
  if (!atLeast(version, LEAST_SERVER)) {
    yield {
      why: `on nats-server ${version}, as before 2.14, a mirror takes what it reads out of a work queue`,
      hint: `update the server; ${BY_HAND}`,
    };
    return;
  }
  if (kind === 'consumer') yield* refuseConsumer(asked);
  else yield* refuseStream(asked);
  if (stream.config.sealed === true) yield { why: 'a sealed stream takes no change at all', hint: BY_HAND };
  if (others.length > 0 && kind !== 'consumer') {
    yield {
      why: `${others.join(', ')} read${others.length === 1 ? 's' : ''} it as mirror or source, and would read nothing any more`,
      hint: 'take these away first, and make them again afterwards',
    };
  }
  if (clustered && kind !== 'bucket' && stream.config.retention !== 'workqueue' && asked.consumers.length > 0) {
    yield {
      why: 'in a cluster the place of a consumer is not kept on a stream that is no work queue',
      hint: BY_HAND,
    };
  }
  if (fields.length === 0) yield { why: 'nothing of it needs to be moved', hint: 'apply changes it in place' };
}

function* refuseStream(asked: MoveAsked): Generator<MigrationRefusal> {
  const { kind, name, from, fields, stream, after, consumers, streams, version } = asked;
  const { config, figures } = stream;
  const most = numberOf(config.max_consumers, -1);
  if (most > 0 && consumers.length >= most && !atLeast(version, '2.15.0')) {
    yield {
      why: `its ${most} consumers are as many as max_consumers allows, and the copy reads it by one more (10026)`,
      hint: 'raise max_consumers first',
    };
  }
  for (const field of fields) {
    if (field === 'first_seq') {
      yield {
        why: 'first_seq: what is moved keeps its sequences, and a copy takes no other first_seq (10143)',
        hint: 'leave first_seq as it is on the server',
      };
    } else if (!MOVABLE.has(field)) yield { why: `${field}: a copy cannot be made with another one`, hint: BY_HAND };
  }
  if (config.mirror !== undefined || listOf(config.sources).length > 0)
    yield { why: 'it is a mirror, or has sources: it reads others itself', hint: BY_HAND };
  if (
    config.retention !== 'interest' &&
    config.retention !== after.retention &&
    figures.messages > 0 &&
    !canRetain(config, after, consumers)
  ) {
    yield {
      why: `retention ${String(config.retention)} → ${String(after.retention)}: what is stored is not what waits, and the server does not tell which is`,
      hint: after.retention === 'interest' ? byLimits(asked) : `let it run empty first, or ${BY_HAND}`,
    };
  }
  if (config.retention === 'interest')
    yield {
      why: 'of retention interest a mirror keeps messages that nobody waits for any more',
      hint: byLimits(asked),
    };
  const taken = name === from ? movingName(streamName(kind, name)) : streamName(kind, name);
  if (streams.includes(taken)) {
    yield {
      why: `stream ${taken} is there already, and the copy needs that name`,
      hint: name === from ? 'delete it if nobody needs it' : 'choose another name, or delete it if nobody needs it',
    };
  }
  if (kind !== 'stream') return;
  for (const consumer of consumers.filter(({ name, config }) => !isServersOwn(name, config))) {
    if (config.retention === 'limits' && (consumer.config.deliver_policy ?? 'all') !== 'all') {
      yield {
        why: `consumer ${consumer.name}: its deliver_policy ${String(consumer.config.deliver_policy)} would be applied anew`,
        hint: BY_HAND,
      };
    }
    if (consumer.config.ack_policy === 'none' && config.retention === 'limits') {
      yield {
        why: `consumer ${consumer.name} acknowledges nothing: nobody knows what of it has arrived`,
        hint: BY_HAND,
      };
    }
    if (consumer.config.durable_name === undefined) {
      yield {
        why: `consumer ${consumer.name} is ephemeral: whoever reads by it would begin again`,
        hint: 'end what reads by it, or wait until it is gone by itself',
      };
    }
  }
}

/** To interest and from it the server changes limits in place; in a cluster a stream that keeps all is not moved with its consumers. */
function byLimits({ stream: { config }, after, consumers, clustered }: MoveAsked): string {
  if (clustered && consumers.length > 0) return BY_HAND;
  const ways = [
    ...(config.retention === 'interest'
      ? ['`retention: limits` (in place)', 'this change with --migrate']
      : ['`retention: limits` with --migrate']),
    ...(after.retention === 'interest' ? ['`retention: interest` (in place)'] : []),
  ];
  return `apply one after the other: ${ways.join(', then ')}`;
}

/** Of a work queue what is stored waits; where all is kept it is what the one consumer of all did not come to yet. */
const canRetain = (config: Config, after: Config, consumers: readonly AskedConsumer[]): boolean =>
  (config.retention === 'workqueue' && after.retention === 'limits') ||
  (after.retention !== 'interest' &&
    (consumers.length === 0 || (consumers.length === 1 && takesAll(consumers[0]!, config))));

function takesAll({ config: { filter_subject, filter_subjects } }: AskedConsumer, stream: Config): boolean {
  const filters =
    typeof filter_subject === 'string' && filter_subject !== '' ? [filter_subject] : textsOf(filter_subjects);
  return (
    filters.length === 0 ||
    textsOf(stream.subjects).every((subject) => filters.some((one) => subjectCovers(one, subject)))
  );
}

function* refuseConsumer({ stream, consumers, from, name }: MoveAsked): Generator<MigrationRefusal> {
  const { consumer } = splitConsumerName(from);
  const found = consumers.find((one) => one.name === consumer);
  if (!found?.after) yield { why: `there is no consumer ${from}`, hint: 'apply makes it' };
  if (stream.config.retention !== 'workqueue') {
    yield {
      why: 'on a stream that is no work queue a consumer made anew begins at the first message again',
      hint: BY_HAND,
    };
  }
  if (found?.after && (found.after.deliver_policy ?? 'all') !== 'all')
    yield { why: 'with another deliver_policy than all it would not get what waits', hint: 'leave deliver_policy all' };
  if (name !== from && consumers.some((one) => one.name === splitConsumerName(name).consumer))
    yield { why: `consumer ${name} is there already`, hint: 'choose another name' };
}

const moved = ({ name, created, config, to, after }: AskedConsumer): MovedConsumer => ({
  from: name,
  to: to ?? name,
  created,
  before: config,
  after: after ?? config,
});

const base = ({ kind, name, from, fields, stream, dlqs, responses }: MoveAsked) => ({
  format: 1 as const,
  kind,
  name,
  from,
  fields,
  created: stream.created,
  before: stream.config,
  dlqs,
  ...(responses !== undefined && { responses }),
});

function streamMigration(asked: MoveAsked): Migration {
  const from = streamName(asked.kind, asked.from);
  const to = streamName(asked.kind, asked.name);
  const way = movingName(from);
  const hops: Hop[] =
    from === to
      ? [
          { from, to: way },
          { from: way, to },
        ]
      : [{ from, to }];
  const consumers = asked.consumers.filter(({ name, config }) => !isServersOwn(name, config)).map(moved);
  return { ...base(asked), after: asked.after, hops, consumers };
}

function consumerMigration(asked: MoveAsked): Migration {
  const { consumer } = splitConsumerName(asked.from);
  const consumers = asked.consumers.filter(({ name }) => name === consumer).map(moved);
  return { ...base(asked), after: asked.stream.config, hops: [], consumers };
}

/** Messages that a mirror copies in a second: measured 165,000 to 256,000 of 200 B, on one node. */
const RATE = 150_000;
/** Milliseconds for which publishers find no stream, at the most of what was measured on one node: 6 at the median of 10 hops. */
const GAP_MS = 50;
/** The same of three replicas, whose leaders agree first and whose ids are told anew: 290 to 970 of 12 hops (2.15.1). */
const REPLICATED_GAP_MS = 1000;
/** The longest that is waited for what workers have in hand. */
export const DRAIN_MS = 60_000;

/** How long what is in hand may take, in milliseconds: whoever does not say so by then has lost it. */
export function drainMs(consumers: readonly { readonly before: Config }[]): number {
  const waits = consumers.flatMap(({ before: { backoff, ack_wait } }) => [
    ...listOf(backoff).map((wait) => numberOf(wait)),
    numberOf(ack_wait),
  ]);
  return Math.min(DRAIN_MS, Math.max(0, ...waits) / 1e6 + 1000);
}

function costOf({ stream, after }: MoveAsked, migration: Migration): MigrationCost {
  const { messages, bytes } = stream.figures;
  const { hops, consumers } = migration;
  const again = hops.length > 1 ? (messages / RATE) * 1000 + 1500 : 0;
  const isReplicated = numberOf(after.num_replicas, 1) > 1;
  return {
    // On the way back to the old name the old one is gone, which held room in the same place or in another.
    bytes: hops.length > 1 && stream.config.storage !== after.storage ? 2 * bytes : hops.length > 0 ? bytes : 0,
    storage: after.storage === 'memory' ? 'memory' : 'file',
    aheadMs:
      hops.length > 0 && migration.kind === 'stream' ? numberOf(objectOf(stream.config).duplicate_window) / 1e6 : 0,
    workersMs: Math.ceil(again + (consumers.length > 0 ? 1500 : 0)),
    gaps: hops.length,
    gapMs: hops.length === 0 ? 0 : isReplicated ? REPLICATED_GAP_MS : GAP_MS,
  };
}
