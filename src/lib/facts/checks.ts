/** What a check's value counts. */
export type CheckUnit = 'milliseconds' | 'seconds' | 'percent' | 'messages' | 'resources' | 'entries';

export interface CheckFact {
  /** Two to four words. */
  readonly title: string;
  /** One sentence: what is looked at, and when it is bad. */
  readonly doc: string;
  readonly unit?: CheckUnit;
}

/** Every check of `status`, in the order in which it is told. */
export const CHECKS = {
  connection: {
    title: 'round trip',
    doc: 'The time from a ping to its answer, of a few where one is slow the quickest. Warns at 500 ms, critical at 1 s, as `nats server check connection` does.',
    unit: 'milliseconds',
  },
  server: {
    title: 'server version',
    doc: 'Critical where the server is older than the oldest line this design works on.',
  },
  defects: {
    title: 'known defects',
    doc: 'Defects of this server version that can lose or hide messages of this system. Warns where one does.',
    unit: 'entries',
  },
  storage: {
    title: 'JetStream limits',
    doc: 'Storage, memory, streams and consumers against the limits of the account. Warns at 70 %, critical at 90 %.',
    unit: 'percent',
  },
  resources: {
    title: 'resources present',
    doc: 'Critical where a stream, consumer or bucket of the spec is missing, or does not answer.',
    unit: 'resources',
  },
  drift: {
    title: 'as declared',
    doc: 'Fields that differ from the spec. Warns where there are any; unknown where nothing was ever applied.',
    unit: 'resources',
  },
  migration: {
    title: 'half moved',
    doc: 'Something is being moved, or was left half-way by who moved it. Warns; critical while nobody takes what is published or workers find nothing.',
  },
  replicas: {
    title: 'leader and replicas',
    doc: 'Warns where a replica is offline or lags, critical without a leader. The value is the longest lag.',
    unit: 'messages',
  },
  usage: {
    title: 'room in the queue',
    doc: 'Stored messages and bytes against max_msgs and max_bytes, and who holds them: waiting, in flight, dead.',
    unit: 'percent',
  },
  backlog: { title: 'backlog', doc: 'Messages that wait undelivered.', unit: 'messages' },
  uncovered: {
    title: 'waiting for nobody',
    doc: 'Messages on subjects that no consumer’s filter takes. Warns where there are any.',
    unit: 'messages',
  },
  oldest: { title: 'oldest waiting', doc: 'The age of the oldest message that waits undelivered.', unit: 'seconds' },
  in_flight: {
    title: 'in flight',
    doc: 'Unacknowledged messages against max_ack_pending. Warns when the limit stops delivery, critical when nothing moved for longer than the ack wait.',
    unit: 'percent',
  },
  pulling: {
    title: 'workers',
    doc: 'Whether anybody asks for messages that wait. Warns after 30 s, critical after 5 min.',
    unit: 'seconds',
  },
  paused: { title: 'paused', doc: 'Warns while delivery is paused.' },
  redelivery: {
    title: 'redelivery',
    doc: 'The share of messages in flight that failed before. Warns at 50 % of ten or more.',
    unit: 'percent',
  },
  dead: {
    title: 'dead',
    doc: 'What needs a person, as `dlq ls` lists it: the dead in the queue, what is kept in the DLQ with its payload, what an unfinished replay holds.',
    unit: 'messages',
  },
  dying: {
    title: 'dying',
    doc: 'Past the last ack wait; they are dead when the next pull request comes. Warns where there are any.',
    unit: 'messages',
  },
  orphans: {
    title: 'orphans',
    doc: 'Dead messages that no entry of the DLQ speaks of. Critical where there are any.',
    unit: 'messages',
  },
  expired: {
    title: 'died and expired',
    doc: 'Requests that died and outlived max_age: nothing is left of them but the record. Warns where there are any.',
    unit: 'messages',
  },
  copies: {
    title: 'held for a copy',
    doc: 'What a mirror or source of the queue has not taken yet stays stored, answered or not (server 2.14 and newer). Warns while one lags.',
    unit: 'messages',
  },
  dlq: {
    title: 'room in the DLQ',
    doc: 'The DLQ stream against its limits. Beyond them entries are dropped, or never stored.',
    unit: 'percent',
  },
  responses: { title: 'responses', doc: 'The bucket of the responses against its max_bytes.', unit: 'percent' },
} as const satisfies Record<string, CheckFact>;

export type CheckName = keyof typeof CHECKS;
