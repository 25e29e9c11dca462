import type { Config } from '../model/json.ts';
import type { Capture } from '../model/spec.ts';

/** All names and subjects the tool uses on a server, in one place. */
export const OWNER_KEY = 'osapi-ops.owner';
export const OWN_PREFIX = 'osapi-ops.';
export const SERVER_PREFIX = '_nats.';
/**
 * Labels by which the nats CLI checks a stream or a consumer: `nats server check stream` and `nats audit analyze` read
 * them; `nats server check consumer` of v0.5.1 says that it does, and does not. Source: jsm.go v0.5.1, monitor/.
 */
export const MONITOR_PREFIX = 'io.nats.monitor.';
export const MONITOR = {
  /** `nats audit analyze` leaves out what does not have it. */
  enabled: `${MONITOR_PREFIX}enabled`,
  /** Messages not delivered yet; critical from so many on. */
  backlog: `${MONITOR_PREFIX}unprocessed-critical`,
  /** Copies of a replicated stream; without it the check expects none, and is critical of every replicated stream. */
  peers: `${MONITOR_PREFIX}peer-expect`,
  /** Raft entries that a replica may be behind. */
  lag: `${MONITOR_PREFIX}peer-lag-critical`,
  /** How long a replica may be silent. */
  seen: `${MONITOR_PREFIX}peer-seen-critical`,
} as const;

/** A replica that is so many raft entries behind is told: the default of `nats server check jetstream`. */
export const REPLICA_LAG = 200;

export const LEDGER_BUCKET = 'osapi_ops';
/** Where responses lie where nothing says otherwise: as in the system that this one was made for. */
export const RESPONSES_BUCKET = 'responses';
export const KV_PREFIX = 'KV_';

export const CONSUMER_ADVISORY = '$JS.EVENT.ADVISORY.CONSUMER';
export const ADVISORY = {
  max_deliveries: `${CONSUMER_ADVISORY}.MAX_DELIVERIES`,
  terminated: `${CONSUMER_ADVISORY}.MSG_TERMINATED`,
} as const satisfies Record<Capture, string>;

/** What a DLQ captures where nothing else is said. */
export const CAPTURES: readonly Capture[] = ['max_deliveries', 'terminated'];

/** The subject of one kind of death on one stream, all consumers: what a DLQ stream captures. */
export const advisorySubject = (capture: Capture, stream: string, consumer = '*'): string =>
  `${ADVISORY[capture]}.${stream}.${consumer}`;

export const bucketStream = (bucket: string): string => `${KV_PREFIX}${bucket}`;
/** All that a bucket's stream takes. */
export const bucketSubjects = (bucket: string): string => `$KV.${bucket}.>`;

export const MOVING_PREFIX = 'osapi-ops.moving.';
/** A subject that nobody publishes on, for what keeps nothing of its own for a moment: no two streams may hold one. */
export const movingSubject = (name: string): string => `${MOVING_PREFIX}${name.replace('/', '.')}`;
/** The label of a copy that is on its way, with when its stream was made: no stream of another's making has it. */
export const MOVING_KEY = 'osapi-ops.moving';
/** What a stream is called on its way back to its own name. */
export const movingName = (stream: string): string => `${stream}_moving`;

/**
 * Servers from 2.14 on read a work queue for its mirrors and sources by durable consumers of their own. No worker can be
 * bound to one. A source may name its consumer as it likes: only the configuration tells then.
 */
export const isServersOwn = (consumer: string, { ack_policy, sourcing }: Config = {}): boolean =>
  /^JS_(?:MIRROR|SRC)_[A-Za-z0-9]{8}$/.test(consumer) || ack_policy === 'flow_control' || sourcing === true;

/** Where a worker puts what it can never handle, payload and all: a TERM alone would delete it from a work queue. */
export const REJECTED_PREFIX = 'osapi-ops.rejected';
export const rejectedSubject = (stream: string, consumer = '*'): string => `${REJECTED_PREFIX}.${stream}.${consumer}`;

/**
 * The subjects of a queue's DLQ stream. A worker's reject is a termination whose payload is kept: who captures the one
 * captures the other.
 */
export const dlqSubjects = (queue: string, capture: readonly Capture[]): string[] => [
  ...capture.map((kind) => advisorySubject(kind, queue)),
  ...(capture.includes('terminated') ? [rejectedSubject(queue)] : []),
];

/** The headers that a reject adds to those of the request. */
export const REJECT_HEADER = {
  reason: 'Osapi-Reject-Reason',
  stream: 'Osapi-Reject-Stream',
  consumer: 'Osapi-Reject-Consumer',
  seq: 'Osapi-Reject-Seq',
  subject: 'Osapi-Reject-Subject',
  time: 'Osapi-Reject-Time',
  deliveries: 'Osapi-Reject-Deliveries',
} as const;

/**
 * Before the names of those of the request's headers that a server acts on (Nats-Msg-Id, Nats-Expected-…, Nats-TTL,
 * Nats-Rollup): in the DLQ they would swallow, refuse, expire or purge.
 */
export const REJECT_KEPT = 'Osapi-Reject-Kept-';

/** What an import adds to a reject's headers: what was archived of the death, and of the message itself. */
export const IMPORT_HEADER = {
  reason: 'Osapi-Import-Reason',
  /** The worker's words as JSON, where a header cannot have them as they are. */
  detail: 'Osapi-Import-Detail',
  published: 'Osapi-Import-Published',
} as const;
/** The message ids of imported records begin with this. */
export const IMPORT_ID = 'osapi-ops.import.';

/** The headers that a replay adds to the copy. */
export const REPLAY_HEADER = {
  of: 'Osapi-Replay-Of',
  count: 'Osapi-Replay-Count',
  originalMsgId: 'Osapi-Original-Msg-Id',
} as const;

/**
 * Replays under way, in the ledger bucket: one key for each original that left the stream before its copy was in. Its
 * time is part of it: a queue that is made anew gives the same sequence again.
 */
export const journalSubject = (stream: string, seq: number, time: string): string =>
  `$KV.${LEDGER_BUCKET}.journal.${stream}.${seq}.${time.replace(/[^0-9]/g, '')}`;
/** All of a queue. */
export const journalSubjects = (stream: string): string => `$KV.${LEDGER_BUCKET}.journal.${stream}.>`;

/** Why a request's deliveries failed, in the ledger bucket: a value for each delivery, gone when it is answered. */
export const failureKey = (stream: string, seq: number): string => `failure.${stream}.${seq}`;
