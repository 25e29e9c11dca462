import { type Config, listOf } from '../model/json.ts';
import type { Field, FillContext, Verdict } from './field.ts';

const MEASURED =
  'measured on 2.10.26, 2.11.11, 2.12.8, 2.14.6 and 2.15.1 (test/server/fields), and on 2.10.29, 2.11.10, 2.12.15 and 2.15.2';
const SOURCE = 'nats-server consumer.go checkNewConsumerConfig';

const inPlace = (note?: string): Verdict => (note ? { impact: 'in-place', note } : { impact: 'in-place' });
const never = (what: string) => ({ never: `the server cannot change ${what} (10012)` });

const isPush = (config: Config): boolean => typeof config.deliver_subject === 'string' && config.deliver_subject !== '';
const acks = (config: Config): boolean => (config.ack_policy ?? 'explicit') !== 'none';

function limitOfStream({ stream }: FillContext, field: string): number {
  const limits = stream?.consumer_limits;
  return typeof limits === 'object' && limits !== null ? Number((limits as Config)[field] ?? 0) : 0;
}

/** Every field of a consumer's configuration. `name` and `durable_name` are the spec's key. */
export const consumerFields: readonly Field[] = [
  {
    name: 'description',
    type: { type: 'text' },
    doc: 'What the consumer is for.',
    fill: '',
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'deliver_policy',
    type: { type: 'choice', values: ['all', 'last', 'new', 'by_start_sequence', 'by_start_time', 'last_per_subject'] },
    doc: 'Where delivery begins; a workqueue allows all only (10101).',
    fill: 'all',
    change: never('deliver_policy'),
    source: MEASURED,
  },
  {
    name: 'opt_start_seq',
    type: { type: 'count', min: 0 },
    doc: 'The first sequence, with deliver_policy by_start_sequence.',
    fill: 0,
    change: never('opt_start_seq'),
    source: MEASURED,
  },
  {
    name: 'opt_start_time',
    type: { type: 'time' },
    doc: 'The first moment, with deliver_policy by_start_time.',
    fill: '',
    change: never('opt_start_time'),
    source: MEASURED,
  },
  {
    name: 'ack_policy',
    type: {
      type: 'choice',
      values: ['explicit', 'all', 'none', 'flow_control'],
      since: { flow_control: '2.14.0' },
    },
    doc: 'Whether each message, or all up to it, or none is acknowledged; flow_control is what a copy of a stream reads by. The default of a spec is explicit.',
    fill: 'explicit',
    change: never('ack_policy'),
    source: MEASURED,
  },
  {
    name: 'ack_wait',
    type: { type: 'duration', min: 1 },
    doc: 'How long a delivery may take; with backoff the server puts its first step here.',
    fill: ({ config }) => listOf(config.backoff)[0] ?? (acks(config) ? 30e9 : 0),
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'max_deliver',
    type: { type: 'count', unlimited: true },
    doc: 'How often a message is tried before it is dead.',
    fill: -1,
    change: ({ from, to }) =>
      inPlace(
        Number(from) !== -1 && (Number(to) === -1 || Number(to) > Number(from))
          ? 'what is already dead stays dead: replay it'
          : 'messages tried that often already die at their next try',
      ),
    aliases: ['max_delivery'],
    source: MEASURED,
  },
  {
    name: 'backoff',
    type: { type: 'durations' },
    doc: 'The wait after each failed delivery; the last one repeats. At most max_deliver steps (10116).',
    fill: [],
    change: 'in-place',
    aliases: ['back_off'],
    source: MEASURED,
  },
  {
    name: 'filter_subject',
    type: { type: 'text' },
    doc: 'Only messages on this subject.',
    fill: '',
    change: 'in-place',
    aliases: ['filter'],
    source: MEASURED,
  },
  {
    name: 'filter_subjects',
    type: { type: 'texts' },
    doc: 'Only messages on these subjects.',
    fill: [],
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'replay_policy',
    type: { type: 'choice', values: ['instant', 'original'] },
    doc: 'As fast as possible, or in the rhythm they came.',
    fill: 'instant',
    change: never('replay_policy'),
    source: MEASURED,
  },
  {
    name: 'rate_limit_bps',
    type: { type: 'count', min: 0 },
    doc: 'Bits a second of a push consumer.',
    fill: 0,
    change: 'in-place',
    aliases: ['rate_limit'],
    source: SOURCE,
  },
  {
    name: 'sample_freq',
    type: { type: 'text' },
    doc: 'The share of acks that are sampled, as `100%`.',
    fill: '',
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'max_waiting',
    type: { type: 'count', min: 0 },
    doc: 'How many pull requests may wait.',
    fill: ({ config }) => (isPush(config) ? 0 : 512),
    change: never('max_waiting'),
    source: MEASURED,
  },
  {
    name: 'max_ack_pending',
    type: { type: 'count', unlimited: true },
    doc: 'How many messages may be in flight.',
    // The stream's limit is filled in even for a consumer that acknowledges nothing.
    fill: (context) => limitOfStream(context, 'max_ack_pending') || (acks(context.config) ? 1000 : 0),
    change: 'in-place',
    lowers: true,
    source: MEASURED,
  },
  {
    name: 'flow_control',
    type: { type: 'flag' },
    doc: 'Flow control of a push consumer.',
    fill: false,
    change: never('flow_control'),
    source: SOURCE,
  },
  {
    name: 'idle_heartbeat',
    type: { type: 'duration' },
    doc: 'The rhythm of a push consumer’s heartbeats.',
    fill: 0,
    change: never('idle_heartbeat'),
    aliases: ['heartbeat'],
    source: SOURCE,
  },
  {
    name: 'headers_only',
    type: { type: 'flag' },
    doc: 'Deliver without payloads.',
    fill: false,
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'max_batch',
    type: { type: 'count', min: 0 },
    doc: 'The largest batch of one pull; 0 is no limit.',
    fill: 0,
    change: 'in-place',
    lowers: true,
    aliases: ['max_request_batch'],
    source: MEASURED,
  },
  {
    name: 'max_expires',
    type: { type: 'duration' },
    doc: 'The longest a pull may wait; 0 is no limit.',
    fill: 0,
    change: 'in-place',
    aliases: ['max_request_expires'],
    source: MEASURED,
  },
  {
    name: 'max_bytes',
    type: { type: 'size' },
    doc: 'The most bytes of one pull; 0 is no limit.',
    fill: 0,
    change: 'in-place',
    aliases: ['max_request_max_bytes'],
    source: MEASURED,
  },
  {
    name: 'inactive_threshold',
    type: { type: 'duration' },
    doc: 'The consumer is deleted when idle for so long; 0 is never.',
    fill: (context) => limitOfStream(context, 'inactive_threshold'),
    change: ({ to }) =>
      inPlace(Number(to) > 0 ? 'the server deletes the consumer when it is idle for so long' : undefined),
    source: MEASURED,
  },
  {
    name: 'num_replicas',
    type: { type: 'count', min: 0, max: 5 },
    doc: 'Copies of its state; 0 takes the stream’s number.',
    fill: 0,
    change: 'in-place',
    aliases: ['replicas'],
    source: MEASURED,
  },
  {
    name: 'mem_storage',
    type: { type: 'flag' },
    doc: 'Keep its state in memory.',
    fill: false,
    change: ({ version }) =>
      Number(version.split('.')[1]) >= 14
        ? { impact: 'replace', note: 'the server cannot change the storage type of a consumer (10012)' }
        : inPlace(),
    aliases: ['memory_storage'],
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
    name: 'pause_until',
    type: { type: 'time' },
    doc: 'Created paused until then. Later: `queue pause`.',
    fill: '',
    since: '2.11.0',
    change: 'in-place',
    source: `${MEASURED}: an update ignores it, the pause request does not`,
  },
  {
    name: 'priority_groups',
    type: { type: 'texts' },
    doc: 'The groups pulls belong to.',
    fill: [],
    since: '2.11.0',
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'priority_policy',
    type: {
      type: 'choice',
      values: ['none', 'overflow', 'pinned_client', 'prioritized'],
      since: { prioritized: '2.12.0' },
    },
    doc: 'How groups share the work.',
    fill: 'none',
    since: '2.11.0',
    change: 'in-place',
    source: MEASURED,
  },
  {
    name: 'priority_timeout',
    type: { type: 'duration' },
    doc: 'How long a pinned client may be silent.',
    fill: 0,
    since: '2.11.0',
    change: 'in-place',
    source: SOURCE,
  },
  {
    name: 'deliver_subject',
    type: { type: 'text' },
    doc: 'Makes it a push consumer that delivers there.',
    fill: '',
    change: ({ from, to }) =>
      from === '' || to === ''
        ? { impact: 'replace', note: 'the server cannot turn a pull consumer into a push consumer or back (10012)' }
        : inPlace('a running subscriber must follow to the new subject'),
    source: MEASURED,
  },
  {
    name: 'deliver_group',
    type: { type: 'text' },
    doc: 'The queue group that shares a push consumer.',
    fill: '',
    change: 'in-place',
    source: SOURCE,
  },
  {
    name: 'direct',
    type: { type: 'flag' },
    doc: 'Set by the server on consumers of its own.',
    fill: false,
    change: never('direct'),
    source: SOURCE,
  },
  {
    name: 'sourcing',
    type: { type: 'flag' },
    doc: 'A consumer that another stream sources from.',
    fill: false,
    since: '2.14.0',
    change: never('sourcing'),
    source: SOURCE,
  },
];
