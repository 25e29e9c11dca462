import { bucketFields } from '../facts/bucket-fields.ts';
import { consumerFields } from '../facts/consumer-fields.ts';
import type { Field, FieldType } from '../facts/field.ts';
import { streamFields } from '../facts/stream-fields.ts';
import { MOVED_FROM } from '../model/spec.ts';
import type { Leaf } from './value.ts';

/**
 * What a spec may hold, as data: made from the tables of facts, read by the checker, the JSON Schema and the printer.
 *
 *   spec ─ queues ─ <name> ─ every stream field · consumers ─ <name> ─ every consumer field
 *        │                 · dlq ─ stream · capture · every stream field
 *        │                 · responses ─ bucket · every bucket field
 *        │                 · health ─ dead · backlog · oldest · usage ─ warn · critical
 *        ├ streams ─ <name> ─ every stream field · consumers
 *        └ buckets ─ <name> ─ every bucket field
 */
export type Shape =
  | { readonly kind: 'leaf'; readonly type: Leaf }
  | { readonly kind: 'object'; readonly id: string; readonly slots: ReadonlyMap<string, Slot> }
  | { readonly kind: 'named'; readonly of: Shape; readonly what: string }
  | { readonly kind: 'list'; readonly of: Shape };

export type ObjectShape = Extract<Shape, { kind: 'object' }>;

/** A key of an object. */
export interface Slot {
  readonly name: string;
  readonly shape: Shape;
  readonly doc: string;
  readonly required?: boolean;
  readonly aliases: readonly string[];
  /** The facts of the server's field behind it. */
  readonly field?: Field;
}

const leaf = (type: Leaf): Shape => ({ kind: 'leaf', type });
const slot = (name: string, shape: Shape, doc: string, extra: Partial<Slot> = {}): Slot => ({
  name,
  shape,
  doc,
  aliases: [],
  ...extra,
});
const object = (id: string, slots: readonly Slot[]): ObjectShape => ({
  kind: 'object',
  id,
  slots: new Map(slots.map((each) => [each.name, each])),
});

function shapeOf(type: FieldType, id: string): Shape {
  if (type.type === 'group')
    return object(
      id,
      type.fields.map((field) => slotOf(field, id)),
    );
  if (type.type === 'groups')
    return {
      kind: 'list',
      of: object(
        id,
        type.fields.map((field) => slotOf(field, id)),
      ),
    };
  return leaf(type);
}

const slotOf = (field: Field, id: string): Slot =>
  slot(field.name, shapeOf(field.type, `${id}_${field.name}`), field.doc, { aliases: field.aliases ?? [], field });

const movedFrom = (what: string): Slot =>
  slot(
    MOVED_FROM,
    leaf({ type: 'text' }),
    `The name that the ${what} had before: apply --migrate moves it from there.`,
  );

const streamSlots = [...streamFields.map((field) => slotOf(field, 'stream')), movedFrom('stream')];
const bucketSlots = [...bucketFields.map((field) => slotOf(field, 'bucket')), movedFrom('bucket')];
export const consumerShape = object('consumer', [
  ...consumerFields.map((field) => slotOf(field, 'consumer')),
  movedFrom('consumer'),
]);

const consumers = slot(
  'consumers',
  { kind: 'named', of: consumerShape, what: 'consumer' },
  'The consumers, by name: durable, pull unless deliver_subject is set.',
);

const threshold = (name: string, of: 'count' | 'duration' | 'percent', doc: string): Slot =>
  slot(
    name,
    object(`threshold_${of}`, [
      slot('warn', leaf({ type: 'limit', of }), 'From here on status warns; `off` never.', { aliases: ['warning'] }),
      slot('critical', leaf({ type: 'limit', of }), 'From here on status is critical; `off` never.', {
        aliases: ['crit'],
      }),
    ]),
    doc,
  );

export const healthShape = object('health', [
  threshold('dead', 'count', 'Dead messages. Default: warn 1, critical 100.'),
  threshold('backlog', 'count', 'Messages that wait undelivered. Default: warn 1000, critical 10000.'),
  threshold('oldest', 'duration', 'Age of the oldest message. Default: warn 5m, critical 1h.'),
  threshold('usage', 'percent', 'Share of the stream’s limits in use. Default: warn 70%, critical 90%.'),
]);

export const dlqShape = object('dlq', [
  slot('stream', leaf({ type: 'text' }), 'The name of the DLQ’s stream.', { required: true, aliases: ['name'] }),
  slot(
    'capture',
    leaf({ type: 'choices', values: ['max_deliveries', 'terminated'] }),
    'Which deaths it captures: too many deliveries, termination by a worker (and with it what workers reject). Default: both.',
  ),
  ...streamSlots,
]);

export const responsesShape = object('responses', [
  slot('bucket', leaf({ type: 'text' }), 'The name of the KV bucket that holds the responses.', {
    required: true,
    aliases: ['name'],
  }),
  ...bucketSlots,
]);

export const streamShape = object('stream', [...streamSlots, consumers]);
export const queueShape = object('queue', [
  ...streamSlots.map((each) =>
    each.name === 'retention'
      ? { ...each, doc: `${each.doc} The default of a queue is workqueue.` }
      : each.name === 'allow_direct'
        ? { ...each, doc: `${each.doc} The default of a queue is true, so that replay can read.` }
        : each,
  ),
  consumers,
  slot('dlq', dlqShape, 'Where dead messages are recorded: a stream of the server’s advisories.'),
  slot('responses', responsesShape, 'The KV bucket where workers put their responses.'),
  slot('health', healthShape, 'Thresholds of status; each optional.'),
]);
export const bucketShape = object('bucket', bucketSlots);

const text = leaf({ type: 'text' });
const secret = leaf({ type: 'secret' });

export const connectionShape = object('connection', [
  slot('context', text, 'A context of the nats CLI.'),
  slot('servers', leaf({ type: 'urls' }), 'Server URLs.', { aliases: ['server', 'url', 'urls'] }),
  slot('creds', text, 'A credentials file.', { aliases: ['credentials'] }),
  slot('nkey', text, 'An nkey seed file.'),
  slot('user', text, 'The user.', { aliases: ['username'] }),
  slot('password', secret, `The password; take it from the environment: \${NATS_PASSWORD}.`, { aliases: ['pass'] }),
  slot('token', secret, `The token; take it from the environment: \${NATS_TOKEN}.`),
  slot('tls_cert', text, 'The client’s certificate.', { aliases: ['tlscert', 'cert'] }),
  slot('tls_key', text, 'The client’s key.', { aliases: ['tlskey', 'key'] }),
  slot('tls_ca', text, 'The certificate authority to trust.', { aliases: ['tlsca', 'ca'] }),
  slot('tls_first', leaf({ type: 'flag' }), 'TLS before the server’s greeting.', { aliases: ['tlsfirst'] }),
  slot('domain', text, 'The JetStream domain.', { aliases: ['js_domain', 'jetstream_domain'] }),
  slot('inbox_prefix', text, 'The prefix of reply subjects.'),
  slot('timeout', leaf({ type: 'duration' }), 'How long to wait for an answer.'),
]);

export const specShape = object('spec', [
  slot('version', leaf({ type: 'version' }), 'The format of this file: 1.', { required: true }),
  slot('name', leaf({ type: 'name' }), 'The system’s name: the owner mark on every resource this spec manages.', {
    required: true,
  }),
  slot('description', text, 'What the system is for.'),
  slot(
    'min_server_version',
    leaf({ type: 'server-version' }),
    'The oldest server this spec promises to run on: "2.12".',
  ),
  slot('extends', text, 'The file this one builds on; maps merge, lists and scalars replace.'),
  slot('connection', connectionShape, 'Where to connect, and as whom. Flags and environment win.'),
  slot('queues', { kind: 'named', of: queueShape, what: 'queue' }, 'The work queues, by the name of their stream.'),
  slot('streams', { kind: 'named', of: streamShape, what: 'stream' }, 'Other streams, by name.'),
  slot('buckets', { kind: 'named', of: bucketShape, what: 'bucket' }, 'Other KV buckets, by name.', {
    aliases: ['kv'],
  }),
]);
