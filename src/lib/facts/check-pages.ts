import type { CheckName } from './checks.ts';

/** What somebody does about a check: docs/checks.md, and the alerts that are made for it. */
export interface CheckPage {
  /** What to look at, and what it tells. */
  readonly look: string;
  /** What to type, in the order in which it helps; `QUEUE` and `CONSUMER` stand for names. */
  readonly type: readonly string[];
  /** How long it may last before somebody is called, as Prometheus writes it. */
  readonly patience: string;
}

/** A line to type with the names in it, each as a shell takes it. */
export const withNames = (line: string, queue: string, consumer = ''): string =>
  line.replace(/\b(?:QUEUE|CONSUMER)\b/g, (name) => (name === 'QUEUE' ? queue : consumer));

/** The code of a check, in every output form and in docs/checks.md. */
export const checkCode = (name: string): string => `CHECK_${name.toUpperCase()}`;

export const CHECK_PAGES = {
  connection: {
    look: 'The network between here and the server, and how busy the server is. Every figure below comes over it.',
    type: ['osapi-ops doctor', 'nats rtt'],
    patience: '10m',
  },
  server: {
    look: 'The version that the server names. Older lines lack what the design stands on, so nothing else can be promised.',
    type: ['osapi-ops doctor'],
    patience: '1h',
  },
  defects: {
    look: 'What the defect loses or hides, and from which version on it is mended.',
    type: ['osapi-ops doctor'],
    patience: '1h',
  },
  storage: {
    look: 'Which limit of the account is near. At it every publish and every response is refused (10023).',
    type: [
      'nats account info',
      'osapi-ops dlq stats --by queue',
      'osapi-ops dlq purge --older-than 30d --archive old.ndjson',
    ],
    patience: '5m',
  },
  resources: {
    look: 'Whether somebody deleted it, the store was lost, or this is another account: the first line of the report says where it looked.',
    type: ['osapi-ops plan', 'osapi-ops history', 'osapi-ops apply'],
    patience: '1m',
  },
  drift: {
    look: 'Which field, and whether the spec or the server changed. A change made on the server is undone by the next apply.',
    type: ['osapi-ops plan', 'osapi-ops history', 'osapi-ops apply'],
    patience: '15m',
  },
  migration: {
    look: 'Who moves it since when, and at which step it stands. Whoever does it may be at work right now; where nobody is, it waits for somebody to go on or back.',
    type: ['osapi-ops plan', 'osapi-ops apply --migrate', 'osapi-ops apply --undo-migrate'],
    patience: '15m',
  },
  replicas: {
    look: 'Which server holds the replica that is offline or behind. Without a leader nothing is stored, and deaths leave no record.',
    type: ['nats stream cluster info QUEUE', 'nats server report jetstream', 'osapi-ops dlq rebuild'],
    patience: '2m',
  },
  usage: {
    look: 'Who holds the room: what waits (workers are slow or gone), what is in flight, or what is dead. A full queue refuses publishers (10077).',
    type: ['osapi-ops status', 'osapi-ops request ls --queue QUEUE', 'osapi-ops dlq stats --by detail --queue QUEUE'],
    patience: '5m',
  },
  backlog: {
    look: 'Whether workers run and how fast: what comes in against what is done.',
    type: ['osapi-ops status --watch', 'osapi-ops request ls --queue QUEUE', 'nats consumer report QUEUE'],
    patience: '10m',
  },
  uncovered: {
    look: 'Which subjects they are on, and whether a filter is too narrow or a publisher has a typing error.',
    type: ['nats stream subjects QUEUE', 'osapi-ops plan', 'osapi-ops request ls --queue QUEUE'],
    patience: '10m',
  },
  oldest: {
    look: 'The message that waits longest, and whether anything behind it moves.',
    type: ['osapi-ops request ls --queue QUEUE --limit 10', 'osapi-ops status --watch'],
    patience: '5m',
  },
  in_flight: {
    look: 'Whether workers hang: the limit of unacknowledged messages is reached, so that nothing more is delivered.',
    type: ['nats consumer info QUEUE CONSUMER', 'osapi-ops request ls --queue QUEUE'],
    patience: '5m',
  },
  pulling: {
    look: 'Whether a worker runs at all, and whether it is bound to this consumer.',
    type: ['nats consumer report QUEUE', 'osapi-ops worker run'],
    patience: '5m',
  },
  paused: {
    look: 'Who paused it and until when.',
    type: ['osapi-ops history --verb pause', 'osapi-ops queue resume QUEUE'],
    patience: '1h',
  },
  redelivery: {
    look: 'What fails and will die soon: the log of the workers, and what they depend on.',
    type: ['osapi-ops request ls --queue QUEUE', 'osapi-ops dlq stats --by detail --queue QUEUE'],
    patience: '5m',
  },
  dead: {
    look: 'What they have in common. Mend the cause first; then bring them back, a few ahead.',
    type: [
      'osapi-ops dlq stats --by detail --queue QUEUE',
      'osapi-ops dlq ls --queue QUEUE',
      'osapi-ops dlq replay --queue QUEUE --canary 5 --wait',
    ],
    patience: '1m',
  },
  dying: {
    look: 'Whether any worker pulls: death comes with the next pull after the last ack wait.',
    type: ['osapi-ops status', 'osapi-ops worker run'],
    patience: '15m',
  },
  orphans: {
    look: 'Why they left no record: the DLQ stream came later, had no leader, was full, or its max_age passed.',
    type: ['osapi-ops dlq ls --state orphan', 'osapi-ops dlq rebuild', 'osapi-ops dlq replay'],
    patience: '5m',
  },
  expired: {
    look: 'Which requests were lost, and whether max_age of the queue is shorter than the time in which somebody brings them back.',
    type: ['osapi-ops dlq ls --state gone', 'osapi-ops dlq purge --state gone --archive lost.ndjson'],
    patience: '1h',
  },
  copies: {
    look: 'Whether the stream that copies this one is there, has a leader and room. A copy that was given up keeps what it had not taken.',
    type: ['nats stream info QUEUE', 'nats consumer report QUEUE'],
    patience: '15m',
  },
  dlq: {
    look: 'How much of the DLQ is still of use. At its limits entries are dropped, or never stored.',
    type: ['osapi-ops dlq stats --by day', 'osapi-ops dlq purge --older-than 30d --archive old.ndjson'],
    patience: '15m',
  },
  responses: {
    look: 'Whether responses are fetched and how long they are kept. A full bucket takes no more (10077), and workers cannot answer.',
    type: ['nats kv status responses', 'osapi-ops plan'],
    patience: '5m',
  },
} as const satisfies Record<CheckName, CheckPage>;
