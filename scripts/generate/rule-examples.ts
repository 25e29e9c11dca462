import type { Rule } from '../../src/lib/spec/rules/rule.ts';

/** What docs/rules.md shows of a rule beside its reason. */
export interface RuleExample {
  /** One sentence. */
  readonly title: string;
  /** A whole spec that breaks this rule and no other. */
  readonly bad: string;
  /** The same, mended; it has no problem at all. */
  readonly good: string;
}

/** A whole spec around the fields of one queue. */
export const example = (queue: string): string =>
  `version: 1\nname: shop\nqueues:\n  ORDERS:\n${queue
    .trim()
    .split('\n')
    .map((line) => (line ? `    ${line}` : line))
    .join('\n')}\n`;

/** The same around what stands at the top level. */
export const topExample = (text: string): string => `version: 1\nname: shop\n${text.trim()}\n`;

export const RULE_EXAMPLES: Readonly<Partial<Record<Rule['id'], RuleExample>>> = {
  SPEC_NAME_REFUSED: {
    title: 'Names hold no blanks, dots, wildcards or slashes.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer.v2: {}
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer-v2: {}
`),
  },
  SPEC_NAME_TWICE: {
    title: 'Each stream and bucket is declared once.',
    bad: topExample(`
queues:
  ORDERS:
    subjects: ["orders.*"]
    responses: {bucket: answers, ttl: 1d}
  RETURNS:
    subjects: ["returns.*"]
    responses: {bucket: answers, ttl: 7d}
`),
    good: topExample(`
queues:
  ORDERS:
    subjects: ["orders.*"]
    responses: {bucket: answers, ttl: 7d}
  RETURNS:
    subjects: ["returns.*"]
    responses: {bucket: answers, ttl: 7d}
`),
  },
  SPEC_METADATA_RESERVED: {
    title: 'Metadata keys of the server and of this tool are not written in a spec.',
    bad: example(`
subjects: ["orders.*"]
metadata:
  team: shop
  osapi-ops.owner: somebody
`),
    good: example(`
subjects: ["orders.*"]
metadata:
  team: shop
`),
  },
  SPEC_MOVED_FROM: {
    title: 'moved_from names what a resource was called before, and nothing that is there now.',
    bad: topExample(`
queues:
  ORDERS_2:
    subjects: ["orders.*"]
    moved_from: ORDERS
  ORDERS:
    subjects: ["old.orders.*"]
`),
    good: topExample(`
queues:
  ORDERS_2:
    subjects: ["orders.*"]
    moved_from: ORDERS
`),
  },
  SPEC_SUBJECT: {
    title: 'Subjects have the form the server takes.',
    bad: example(`
subjects: ["orders..new"]
`),
    good: example(`
subjects: ["orders.new"]
`),
  },
  SPEC_SUBJECT_QUOTED: {
    title: 'No quotes are part of a subject.',
    bad: example(`
subjects: [“orders.new”]
`),
    good: example(`
subjects: ["orders.new"]
`),
  },
  SPEC_SUBJECTS_OVERLAP: {
    title: 'No two streams store the same subject.',
    bad: topExample(`
queues:
  ORDERS:
    subjects: ["shop.>"]
  RETURNS:
    subjects: ["shop.returns.*"]
`),
    good: topExample(`
queues:
  ORDERS:
    subjects: ["shop.orders.*"]
  RETURNS:
    subjects: ["shop.returns.*"]
`),
  },
  SPEC_FILTER_UNMATCHED: {
    title: 'A filter can match a subject of its stream.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    filter_subject: "order.*"
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    filter_subject: "orders.*"
`),
  },
  SPEC_FILTERS_BOTH: {
    title: 'A consumer has filter_subject or filter_subjects, not both.',
    bad: example(`
subjects: [orders.new, orders.paid]
consumers:
  packer:
    filter_subject: orders.new
    filter_subjects: [orders.paid]
`),
    good: example(`
subjects: [orders.new, orders.paid]
consumers:
  packer:
    filter_subjects: [orders.new, orders.paid]
`),
  },
  SPEC_FILTERS_OVERLAP: {
    title: 'The filters of one consumer do not overlap.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    filter_subjects: ["orders.*", "orders.new"]
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    filter_subjects: ["orders.*"]
`),
  },
  SPEC_WORKQUEUE_DELIVER_POLICY: {
    title: 'A consumer of a workqueue delivers all messages.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    deliver_policy: new
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    deliver_policy: all
`),
  },
  SPEC_WORKQUEUE_ACK: {
    title: 'A consumer of a workqueue acknowledges each message.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    ack_policy: none
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    ack_policy: explicit
`),
  },
  SPEC_WORKQUEUE_CONSUMERS: {
    title: 'Consumers of one workqueue share no subject.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    filter_subject: "orders.*"
  biller:
    filter_subject: "orders.paid"
`),
    good: example(`
subjects: [orders.new, orders.paid]
consumers:
  packer:
    filter_subject: "orders.new"
  biller:
    filter_subject: "orders.paid"
`),
  },
  SPEC_QUEUE_UNCOVERED: {
    title: 'Every subject of a workqueue is taken by one of its consumers.',
    bad: example(`
subjects: [orders.new, orders.paid]
consumers:
  packer:
    filter_subject: orders.new
`),
    good: example(`
subjects: [orders.new, orders.paid]
consumers:
  packer:
    filter_subject: orders.new
  biller:
    filter_subject: orders.paid
`),
  },
  SPEC_QUEUE_DISCARD_OLD: {
    title: 'A queue at its limit refuses the newest; it does not drop the oldest.',
    bad: example(`
subjects: ["orders.*"]
max_msgs: 1000
`),
    good: example(`
subjects: ["orders.*"]
max_msgs: 1000
discard: new
`),
  },
  SPEC_QUEUE_UNLIMITED: {
    title: 'A queue with discard new has a limit.',
    bad: example(`
subjects: ["orders.*"]
discard: new
`),
    good: example(`
subjects: ["orders.*"]
discard: new
max_bytes: 1GiB
`),
  },
  SPEC_QUEUE_DENY_DELETE: {
    title: 'A queue allows deletion, so that dead requests can be replayed.',
    bad: example(`
subjects: ["orders.*"]
deny_delete: true
`),
    good: example(`
subjects: ["orders.*"]
`),
  },
  SPEC_QUEUE_NO_ACK: {
    title: 'A queue confirms what it stores.',
    bad: example(`
subjects: ["orders.*"]
no_ack: true
`),
    good: example(`
subjects: ["orders.*"]
no_ack: false
`),
  },
  SPEC_MAX_AGE_SHORT: {
    title: 'max_age (a bucket’s ttl) is at least 100ms.',
    bad: example(`
subjects: ["orders.*"]
max_age: 30ms
`),
    good: example(`
subjects: ["orders.*"]
max_age: 30s
`),
  },
  SPEC_DUPLICATE_WINDOW: {
    title: 'duplicate_window is not longer than max_age.',
    bad: example(`
subjects: ["orders.*"]
max_age: 1m
duplicate_window: 2m
`),
    good: example(`
subjects: ["orders.*"]
max_age: 1h
duplicate_window: 2m
`),
  },
  SPEC_DISCARD_PER_SUBJECT: {
    title: 'discard_new_per_subject needs discard new and max_msgs_per_subject.',
    bad: example(`
subjects: ["orders.*"]
discard: new
discard_new_per_subject: true
max_msgs: 1000
`),
    good: example(`
subjects: ["orders.*"]
discard: new
discard_new_per_subject: true
max_msgs_per_subject: 10
`),
  },
  SPEC_DENY_PURGE_ROLLUP: {
    title: 'allow_rollup_hdrs and deny_purge exclude each other.',
    bad: topExample(`
streams:
  EVENTS:
    subjects: ["events.>"]
    deny_purge: true
    allow_rollup_hdrs: true
`),
    good: topExample(`
streams:
  EVENTS:
    subjects: ["events.>"]
    allow_rollup_hdrs: true
`),
  },
  SPEC_DISCARD_NEW_REFUSED: {
    title: 'Scheduled messages and counters need discard old.',
    bad: topExample(`
streams:
  TIMERS:
    subjects: ["timers.>"]
    discard: new
    allow_msg_schedules: true
`),
    good: topExample(`
streams:
  TIMERS:
    subjects: ["timers.>"]
    allow_msg_schedules: true
`),
  },
  SPEC_SCHEDULES_TAKEN: {
    title: 'No worker is handed the schedules themselves.',
    bad: example(`
subjects: ["orders.*", "schedules.>"]
discard: old
allow_msg_schedules: true
consumers:
  packer: {}
`),
    good: example(`
subjects: ["orders.*", "schedules.>"]
discard: old
allow_msg_schedules: true
consumers:
  packer:
    filter_subject: "orders.*"
`),
  },
  SPEC_MIRROR: {
    title: 'A mirror has no subjects, sources or first_seq of its own.',
    bad: topExample(`
streams:
  COPY:
    subjects: ["orders.*"]
    mirror: {name: ORDERS}
`),
    good: topExample(`
streams:
  COPY:
    mirror: {name: ORDERS}
`),
  },
  SPEC_REPLICAS_EVEN: {
    title: 'num_replicas is odd.',
    bad: example(`
subjects: ["orders.*"]
num_replicas: 2
`),
    good: example(`
subjects: ["orders.*"]
num_replicas: 3
`),
  },
  SPEC_REPLICAS_ONE_SERVER: {
    title: 'Replicas need a cluster.',
    bad: topExample(`
connection: {servers: ["nats://127.0.0.1:4222"]}
queues:
  ORDERS:
    subjects: ["orders.*"]
    num_replicas: 3
`),
    good: topExample(`
connection: {servers: ["nats://127.0.0.1:4222"]}
queues:
  ORDERS:
    subjects: ["orders.*"]
`),
  },
  SPEC_PERSIST_ASYNC_REPLICAS: {
    title: 'persist_mode async is for streams with one replica.',
    bad: topExample(`
streams:
  LOGS:
    subjects: ["logs.>"]
    persist_mode: async
    num_replicas: 3
`),
    good: topExample(`
streams:
  LOGS:
    subjects: ["logs.>"]
    num_replicas: 3
`),
  },
  SPEC_BACKOFF_TOO_LONG: {
    title: 'backoff has at most max_deliver steps.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 2
    backoff: [5s, 10s, 15s]
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 3
    backoff: [5s, 10s, 15s]
`),
  },
  SPEC_WAIT_NOT_POSITIVE: {
    title: 'ack_wait and every step of backoff are longer than nothing.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 5
    backoff: [0, 10s]
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 5
    backoff: [1s, 10s]
`),
  },
  SPEC_ACK_WAIT_OVERRIDDEN: {
    title: 'With backoff, ack_wait is its first step.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 5
    ack_wait: 30s
    backoff: [5s, 10s]
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 5
    backoff: [5s, 10s]
`),
  },
  SPEC_MAX_ACK_PENDING_LOW: {
    title: 'max_ack_pending leaves room for requests that wait in backoff.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 10
    backoff: [5s, 10s, 15s]
    max_ack_pending: 10
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 10
    backoff: [5s, 10s, 15s]
    max_ack_pending: 1000
`),
  },
  SPEC_NEVER_DIES: {
    title: 'Where there is a DLQ, max_deliver is limited.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer: {}
dlq:
  stream: orders_dlq
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 5
dlq:
  stream: orders_dlq
`),
  },
  SPEC_PUSH_PULL: {
    title: 'Fields of push consumers stand on push consumers, those of pull consumers on pull consumers.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    idle_heartbeat: 5s
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    deliver_subject: packer.orders
    idle_heartbeat: 5s
`),
  },
  SPEC_START: {
    title: 'deliver_policy and its start belong together.',
    bad: topExample(`
streams:
  EVENTS:
    subjects: ["events.>"]
    consumers:
      audit:
        deliver_policy: by_start_sequence
`),
    good: topExample(`
streams:
  EVENTS:
    subjects: ["events.>"]
    consumers:
      audit:
        deliver_policy: by_start_sequence
        opt_start_seq: 100
`),
  },
  SPEC_CONSUMER_REPLICAS: {
    title: 'A consumer has the replicas its stream allows.',
    bad: example(`
subjects: ["orders.*"]
num_replicas: 3
consumers:
  packer:
    num_replicas: 1
`),
    good: example(`
subjects: ["orders.*"]
num_replicas: 3
consumers:
  packer: {}
`),
  },
  SPEC_PRIORITY: {
    title: 'priority_policy and priority_groups belong together.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    priority_policy: overflow
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    priority_policy: overflow
    priority_groups: [main]
`),
  },
  SPEC_CONSUMER_OVER_LIMITS: {
    title: 'A consumer keeps to its stream’s consumer_limits.',
    bad: example(`
subjects: ["orders.*"]
consumer_limits: {max_ack_pending: 100}
consumers:
  packer:
    max_ack_pending: 500
`),
    good: example(`
subjects: ["orders.*"]
consumer_limits: {max_ack_pending: 500}
consumers:
  packer:
    max_ack_pending: 500
`),
  },
  SPEC_DLQ_CAPTURE: {
    title: 'A DLQ captures both kinds of death.',
    bad: example(`
subjects: ["orders.*"]
dlq:
  stream: orders_dlq
  capture: [max_deliveries]
`),
    good: example(`
subjects: ["orders.*"]
dlq:
  stream: orders_dlq
  capture: [max_deliveries, terminated]
`),
  },
  SPEC_DLQ_SUBJECTS: {
    title: 'A stream of advisories captures those of a queue that exists, of all its consumers.',
    bad: topExample(`
queues:
  ORDERS:
    subjects: ["orders.*"]
streams:
  orders_dlq:
    subjects: ["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ORDER.*"]
`),
    good: example(`
subjects: ["orders.*"]
dlq:
  stream: orders_dlq
`),
  },
  SPEC_DLQ_RETENTION: {
    title: 'A DLQ has retention limits.',
    bad: example(`
subjects: ["orders.*"]
dlq:
  stream: orders_dlq
  retention: workqueue
`),
    good: example(`
subjects: ["orders.*"]
dlq:
  stream: orders_dlq
`),
  },
  SPEC_DLQ_DANGLING: {
    title: 'A DLQ’s entries do not outlive the requests they point at.',
    bad: example(`
subjects: ["orders.*"]
max_age: 7d
dlq:
  stream: orders_dlq
  max_age: 30d
`),
    good: example(`
subjects: ["orders.*"]
max_age: 30d
dlq:
  stream: orders_dlq
  max_age: 30d
`),
  },
  SPEC_DLQ_OUTLIVED: {
    title: 'A DLQ’s entries live as long as the requests they point at.',
    bad: example(`
subjects: ["orders.*"]
max_age: 30d
dlq:
  stream: orders_dlq
  max_age: 7d
`),
    good: example(`
subjects: ["orders.*"]
max_age: 30d
dlq:
  stream: orders_dlq
  max_age: 30d
`),
  },
  SPEC_DLQ_CAP: {
    title: 'A DLQ has room for as many entries as its queue holds requests.',
    bad: example(`
subjects: ["orders.*"]
discard: new
max_msgs: 10000
dlq:
  stream: orders_dlq
  max_msgs: 1000
`),
    good: example(`
subjects: ["orders.*"]
discard: new
max_msgs: 10000
dlq:
  stream: orders_dlq
  max_msgs: 10000
`),
  },
  SPEC_RESPONSE_TTL: {
    title: 'A response lives longer than a request may take.',
    bad: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 10
    backoff: [5s, 10s, 15s]
responses:
  bucket: answers
  ttl: 1m
`),
    good: example(`
subjects: ["orders.*"]
consumers:
  packer:
    max_deliver: 10
    backoff: [5s, 10s, 15s]
responses:
  bucket: answers
  ttl: 1h
`),
  },
  SPEC_FIELD_NEWER: {
    title: 'Every field is known to the oldest server the spec promises to run on.',
    bad: topExample(`
min_server_version: "2.10"
streams:
  EVENTS:
    subjects: ["events.>"]
    allow_msg_ttl: true
`),
    good: topExample(`
min_server_version: "2.11"
streams:
  EVENTS:
    subjects: ["events.>"]
    allow_msg_ttl: true
`),
  },
  SPEC_HEALTH_ORDER: {
    title: 'A warning comes before the critical threshold.',
    bad: example(`
subjects: ["orders.*"]
health:
  dead: {warn: 100, critical: 10}
`),
    good: example(`
subjects: ["orders.*"]
health:
  dead: {warn: 10, critical: 100}
`),
  },
  SPEC_SECRET: {
    title: 'A secret stands in the environment, not in the file.',
    bad: topExample(`
connection:
  user: ops
  password: hunter2
queues:
  ORDERS:
    subjects: ["orders.*"]
`),
    good: topExample(`
connection:
  user: ops
  password: \${NATS_PASSWORD:-}
queues:
  ORDERS:
    subjects: ["orders.*"]
`),
  },
  SPEC_NOTHING_DECLARED: {
    title: 'A spec declares something.',
    bad: topExample('queues: {}'),
    good: example('subjects: ["orders.*"]'),
  },
};
