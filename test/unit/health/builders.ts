import type { ConsumerState, DeadState, QueueState, Snapshot, StreamState } from '../../../src/lib/health/snapshot.ts';
import type { Failing } from '../../../src/lib/model/failing.ts';
import type { Config } from '../../../src/lib/model/json.ts';
import type { StreamFigures, Target } from '../../../src/lib/model/resource.ts';

export const NOW = Date.parse('2026-11-24T12:00:00Z');
/** RFC 3339, so many milliseconds before the snapshot. */
export const ago = (ms: number): string => new Date(NOW - ms).toISOString();

export const target = (version = '2.15.1', cluster?: string): Target => ({
  server: {
    name: 'n1',
    version,
    id: 'ID',
    jetstream: true,
    max_payload: 1_048_576,
    ...(cluster !== undefined && { cluster }),
  },
  url: 'nats://127.0.0.1:4222',
  account: 'OSAPI',
  chosenBy: '--server',
});

export const streamOf = (figures: Partial<StreamFigures> = {}, config: Config = {}): StreamState => ({
  config: { discard: 'new', retention: 'workqueue', num_replicas: 1, ...config },
  figures: {
    messages: 0,
    bytes: 0,
    first_seq: 1,
    last_seq: 0,
    first_ts: ago(0),
    last_ts: ago(0),
    consumer_count: 1,
    num_subjects: 0,
    ...figures,
  },
});

export const consumerOf = (fields: Partial<ConsumerState> = {}): ConsumerState => ({
  name: 'worker',
  created: ago(3_600_000),
  filters: [],
  delivered: 0,
  ackFloor: 0,
  pending: 0,
  ackPending: 0,
  redelivered: 0,
  waiting: 1,
  maxDeliver: 10,
  waits: [5e9],
  paused: false,
  acks: true,
  maxAckPending: 1000,
  push: false,
  bound: false,
  ...fields,
});

export const deadOf = (fields: Partial<DeadState> = {}): DeadState => ({
  dead: 0,
  rejected: 0,
  journalled: 0,
  held: 0,
  dying: 0,
  steady: true,
  orphans: 0,
  exact: true,
  ...fields,
});

export const queueOf = (fields: Partial<QueueState> = {}): QueueState => ({
  name: 'REQUESTS',
  health: {
    dead: { warn: 1, critical: 100 },
    backlog: { warn: 1000, critical: 10_000 },
    oldest: { warn: 300e9, critical: 3600e9 },
    usage: { warn: 70, critical: 90 },
  },
  stream: streamOf(),
  consumers: [consumerOf()],
  copies: [],
  uncovered: 0,
  deadState: deadOf(),
  dlqs: fields.dlq ? [{ created: ago(3_600_000), ...fields.dlq }] : [],
  ...fields,
});

export const snapshotOf = (fields: Partial<Snapshot> = {}): Snapshot => ({
  system: 'osapi',
  source: 'prod.yaml',
  target: target(),
  now: NOW,
  rttMs: 0.5,
  account: {
    storage: 1024,
    reserved_storage: 0,
    reserved_memory: 0,
    memory: 0,
    streams: 3,
    consumers: 1,
    limits: { max_storage: -1, max_memory: -1, max_streams: -1, max_consumers: -1 },
  },
  wanted: ['stream REQUESTS'],
  missing: [],
  silent: new Map(),
  placed: [],
  queues: [queueOf()],
  drift: { known: true, changes: [] },
  ...fields,
});

/** A request that had three of ten deliveries. */
export const failingOf = (fields: Partial<Failing> = {}): Failing => ({
  queue: 'REQUESTS',
  consumer: 'worker',
  seq: 7,
  request_id: 'r7',
  deliveries: 3,
  max_deliver: 10,
  next_delivery_at: new Date(NOW + 4000).toISOString(),
  state: 'retry',
  detail: 'db is down',
  ...fields,
});
