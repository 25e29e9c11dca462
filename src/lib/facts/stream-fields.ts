import { type Config, isObject, type Json } from '../model/json.ts';
import type { Field, Move, Verdict } from './field.ts';
import {
  consumerLimitFields,
  placementFields,
  republishFields,
  sourceFields,
  transformFields,
} from './group-fields.ts';
import { subjectCovers } from './subjects.ts';
import { atLeast } from './versions.ts';

const MEASURED =
  'measured on 2.10.26, 2.11.11, 2.12.8, 2.14.6 and 2.15.1 (test/server/fields), and on 2.10.29, 2.11.10, 2.12.15 and 2.15.2';
const TWO_MINUTES = 120e9;

const inPlace = (note?: string): Verdict => (note ? { impact: 'in-place', note } : { impact: 'in-place' });
const replace = (note: string): Verdict => ({ impact: 'replace', note });

/** A switch that can be turned on in place and never off again. */
const oneWay =
  (what: string) =>
  ({ to }: Move): Verdict =>
    to === true ? inPlace(`${what}; it cannot be turned off again`) : replace(`the server refuses to turn ${what} off`);

const lowered = (from: Json, to: Json, unlimited: number): boolean =>
  Number(to) !== unlimited && (Number(from) === unlimited || Number(to) < Number(from));

/** A canonical configuration has an empty mirror where there is none. */
export const isMirror = ({ mirror }: Config): boolean => isObject(mirror) && Boolean(mirror.name);

const onlyMirrorOrSources = (config: Config): boolean =>
  isMirror(config) || (Array.isArray(config.sources) && config.sources.length > 0);

/** Every field of a stream's configuration. The name is the spec's key. */
export const streamFields: readonly Field[] = [
  {
    name: 'description',
    type: { type: 'text' },
    doc: 'What the stream is for.',
    fill: '',
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'subjects',
    type: { type: 'texts' },
    doc: 'The subjects it stores.',
    fill: ({ config }) => (onlyMirrorOrSources(config) ? [] : [String(config.name ?? '')]),
    change: ({ from, to }) => {
      const kept = to as string[];
      const dropped = (from as string[]).filter((subject) => !kept.some((each) => subjectCovers(each, subject)));
      return inPlace(
        dropped.length > 0
          ? `messages stored on ${dropped.join(', ')} stay; publishers there get "no responders"`
          : undefined,
      );
    },
    source: MEASURED,
  },
  {
    name: 'retention',
    type: {
      type: 'choice',
      values: ['limits', 'interest', 'workqueue'],
      aliases: { workq: 'workqueue', work: 'workqueue' },
    },
    doc: 'When a message may go: at a limit, when all consumers acked it, or when one worker acked it.',
    fill: 'limits',
    change: ({ from, to }) =>
      from === 'workqueue' || to === 'workqueue'
        ? replace('the server cannot change retention to or from workqueue (10052)')
        : inPlace(to === 'interest' ? 'messages without an interested consumer go at once' : undefined),
    source: MEASURED,
  },
  {
    name: 'storage',
    type: { type: 'choice', values: ['file', 'memory'] },
    doc: 'Where messages are kept.',
    fill: 'file',
    change: { never: 'the server cannot change the storage type (10052)' },
    source: MEASURED,
  },
  {
    name: 'compression',
    type: { type: 'choice', values: ['none', 's2'] },
    doc: 'Compression of stored blocks.',
    fill: 'none',
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'num_replicas',
    type: { type: 'count', min: 1, max: 5 },
    doc: 'How many servers of the cluster hold a copy.',
    fill: 1,
    change: ({ from, to }) =>
      inPlace(
        Number(to) > Number(from)
          ? 'new replicas catch up in the background'
          : 'fewer servers hold a copy; a lost server weighs more',
      ),
    aliases: ['replicas'],
    source: `${MEASURED}; clusters of three`,
  },
  {
    name: 'max_consumers',
    type: { type: 'count', unlimited: true },
    doc: 'How many consumers it may have.',
    fill: -1,
    change: ({ version }) =>
      atLeast(version, '2.12.0') ? inPlace() : replace('servers before 2.12 cannot change max_consumers (10052)'),
    source: MEASURED,
  },
  {
    name: 'max_msgs',
    type: { type: 'count', unlimited: true },
    doc: 'The most messages it holds.',
    fill: -1,
    change: 'in-place',
    loss: 'messages',
    aliases: ['max_messages'],
    source: MEASURED,
  },
  {
    name: 'max_bytes',
    type: { type: 'size', unlimited: true },
    doc: 'The most bytes it holds.',
    fill: -1,
    change: 'in-place',
    loss: 'bytes',
    source: MEASURED,
  },
  {
    name: 'max_age',
    type: { type: 'duration', unlimited: true },
    doc: 'How long a message is kept; 0 is for ever.',
    fill: 0,
    change: 'in-place',
    loss: 'age',
    source: MEASURED,
  },
  {
    name: 'max_msgs_per_subject',
    type: { type: 'count', unlimited: true },
    doc: 'The most messages it holds for each subject.',
    fill: -1,
    change: 'in-place',
    loss: 'per-subject',
    aliases: ['max_messages_per_subject'],
    source: `${MEASURED}: where there was no limit, servers up to 2.12.8 delete at their next start only`,
  },
  {
    name: 'max_msg_size',
    type: { type: 'size', unlimited: true, bits: 32 },
    doc: 'The largest message it takes.',
    fill: -1,
    change: ({ from, to }) =>
      inPlace(lowered(from, to, -1) ? 'larger messages stay; new ones of that size are refused (10054)' : undefined),
    source: MEASURED,
  },
  {
    name: 'discard',
    type: { type: 'choice', values: ['old', 'new'] },
    doc: 'At a limit: drop the oldest, or refuse the newest.',
    fill: 'old',
    change: ({ to }) =>
      inPlace(
        to === 'new'
          ? 'at a limit publishers are refused (10077) instead of the oldest being dropped'
          : 'at a limit the oldest messages are dropped, unprocessed ones too',
      ),
    aliases: ['discard_policy'],
    source: MEASURED,
  },
  {
    name: 'discard_new_per_subject',
    type: { type: 'flag' },
    doc: 'With discard new: max_msgs_per_subject refuses as well.',
    fill: false,
    change: 'in-place',
    aliases: ['discard_per_subject'],
    source: MEASURED,
  },
  {
    name: 'duplicate_window',
    type: { type: 'duration', min: 100e6 },
    doc: 'How long a Nats-Msg-Id is remembered.',
    fill: ({ config }) => {
      if (isMirror(config)) return 0;
      const age = Number(config.max_age ?? 0);
      return age > 0 && age < TWO_MINUTES ? age : TWO_MINUTES;
    },
    change: ({ from, to }) =>
      inPlace(Number(to) < Number(from) ? 'a repeated publish is recognised for a shorter time' : undefined),
    lowers: true,
    aliases: ['dupe_window', 'duplicates'],
    source: MEASURED,
  },
  {
    name: 'no_ack',
    type: { type: 'flag' },
    doc: 'Do not confirm publishes.',
    fill: false,
    change: ({ to }) => inPlace(to ? 'publishers that wait for a confirmation time out' : undefined),
    source: MEASURED,
  },
  {
    name: 'placement',
    type: { type: 'group', fields: placementFields },
    doc: 'Which servers hold it.',
    fill: {},
    change: ({ clustered }) => inPlace(clustered ? 'replicas move to the servers that match' : undefined),
    source: `${MEASURED}, single server; nats-server stream.go for clusters`,
  },
  {
    name: 'mirror',
    type: { type: 'group', fields: sourceFields },
    doc: 'The one stream it copies.',
    fill: {},
    change: ({ from, to, version }) => {
      if (Object.keys(from as Config).length === 0) return replace('a stream cannot become a mirror (10034)');
      if (Object.keys(to as Config).length > 0) return replace('the server cannot change a mirror (10055)');
      return atLeast(version, '2.12.0')
        ? inPlace('the mirror becomes a stream of its own')
        : replace('servers before 2.12 cannot end a mirror in place (10055)');
    },
    source: MEASURED,
  },
  {
    name: 'sources',
    type: { type: 'groups', fields: sourceFields, key: 'name' },
    doc: 'The streams it copies from.',
    fill: [],
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'subject_transform',
    type: { type: 'group', fields: transformFields },
    doc: 'Renames subjects as messages come in.',
    fill: {},
    change: ({ to }) =>
      inPlace(Object.keys(to as Config).length > 0 ? 'new messages are stored under the new subject' : undefined),
    source: MEASURED,
  },
  {
    name: 'republish',
    type: { type: 'group', fields: republishFields },
    doc: 'Sends every stored message on again.',
    fill: {},
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'consumer_limits',
    type: { type: 'group', fields: consumerLimitFields },
    doc: 'Limits and defaults for its consumers.',
    fill: {},
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'metadata',
    type: { type: 'map' },
    doc: 'Labels of your own; `_nats.*` belongs to the server and `osapi-ops.*` to this tool.',
    fill: {},
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'sealed',
    type: { type: 'flag' },
    doc: 'Takes no message and loses none, for good.',
    fill: false,
    change: ({ to }) =>
      to
        ? inPlace('for good: nothing can be stored, deleted or changed any more (10109)')
        : replace('a sealed stream cannot be opened (10052)'),
    source: `${MEASURED}: refused in a new stream; sealing sets deny_delete, deny_purge, discard new and max_age 0`,
  },
  {
    name: 'deny_delete',
    type: { type: 'flag' },
    doc: 'Messages cannot be deleted through the API.',
    fill: false,
    change: oneWay('deny_delete'),
    source: MEASURED,
  },
  {
    name: 'deny_purge',
    type: { type: 'flag' },
    doc: 'The stream cannot be purged through the API.',
    fill: false,
    change: oneWay('deny_purge'),
    source: MEASURED,
  },
  {
    name: 'allow_rollup_hdrs',
    type: { type: 'flag' },
    doc: 'A message with Nats-Rollup replaces those before it.',
    // A marker, and a schedule, replaces what came before it.
    fill: ({ config, version }) =>
      (atLeast(version, '2.11.0') && Number(config.subject_delete_marker_ttl ?? 0) > 0) ||
      (atLeast(version, '2.12.0') && config.allow_msg_schedules === true),
    change: 'in-place',
    aliases: ['allow_rollup'],
    source: MEASURED,
  },
  {
    name: 'allow_direct',
    type: { type: 'flag' },
    doc: 'Any replica may answer reads.',
    fill: false,
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'mirror_direct',
    type: { type: 'flag' },
    doc: 'Mirrors may answer reads.',
    fill: false,
    change: 'in-place',
    source: `${MEASURED}: a mirror of this account has its origin’s allow_direct, whatever is asked for`,
  },
  {
    name: 'first_seq',
    type: { type: 'count', min: 0 },
    doc: 'The first sequence of a new stream.',
    fill: 0,
    change: { never: 'first_seq counts at creation only; the server ignores it in an update' },
    source: MEASURED,
  },
  {
    name: 'allow_msg_ttl',
    type: { type: 'flag' },
    doc: 'Messages may carry a time to live of their own.',
    fill: ({ config }) => Number(config.subject_delete_marker_ttl ?? 0) > 0,
    since: '2.11.0',
    change: oneWay('allow_msg_ttl'),
    source: MEASURED,
  },
  {
    name: 'subject_delete_marker_ttl',
    type: { type: 'duration', min: 1e9 },
    doc: 'How long a marker of an expired message stays.',
    fill: 0,
    since: '2.11.0',
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'allow_msg_counter',
    type: { type: 'flag' },
    doc: 'Subjects are counters.',
    fill: false,
    since: '2.12.0',
    change: { never: 'the server cannot change the counter setting (10052)' },
    source: MEASURED,
  },
  {
    name: 'allow_atomic',
    type: { type: 'flag' },
    doc: 'Batches may be published atomically.',
    fill: false,
    since: '2.12.0',
    change: 'in-place',
    aliases: ['allow_atomic_publish'],
    source: MEASURED,
  },
  {
    name: 'allow_msg_schedules',
    type: { type: 'flag' },
    doc: 'Messages may be scheduled. Not with discard new.',
    fill: false,
    since: '2.12.0',
    change: oneWay('allow_msg_schedules'),
    source: `${MEASURED}; with discard new 2.12.8 takes it, 2.12.15 and newer refuse it (10052)`,
  },
  {
    name: 'persist_mode',
    type: { type: 'choice', values: ['default', 'async'] },
    doc: 'Whether a publish waits for the disk.',
    fill: 'default',
    since: '2.12.0',
    change: { never: 'the server cannot change persist_mode (10052)' },
    source: MEASURED,
  },
  {
    name: 'allow_batched',
    type: { type: 'flag' },
    doc: 'Batches may be published fast, without one confirmation each.',
    fill: false,
    since: '2.14.0',
    change: 'in-place',
    source: 'measured on 2.14.6 and 2.15.2; unknown to 2.12.15',
  },
  {
    name: 'template_owner',
    type: { type: 'text' },
    doc: 'The stream template that made it; templates are gone from newer servers.',
    fill: '',
    until: '2.12',
    change: { never: 'template_owner is set by the server' },
    source: MEASURED,
  },
];
