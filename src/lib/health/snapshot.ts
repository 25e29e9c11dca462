import type { ConsumerStanding, SeenQueue, SeenStream } from '../dlq/standing.ts';
import type { AccountUsage } from '../model/account.ts';
import type { Failing } from '../model/failing.ts';
import type { Config } from '../model/json.ts';
import type { Unfinished } from '../model/migration.ts';
import type { Change } from '../model/plan.ts';
import type { ClusterFigures, ResourceKey, StreamFigures, Target } from '../model/resource.ts';
import type { HealthSpec } from '../model/spec.ts';

/** A stream, or a bucket's stream, at one moment. */
export interface StreamState {
  readonly config: Config;
  readonly figures: StreamFigures;
  readonly cluster?: ClusterFigures;
}

export interface ConsumerState extends ConsumerStanding {
  /** -1: without end. */
  readonly maxAckPending: number;
  /** RFC 3339; the last delivery or ack, whichever was later. Absent where there was none. */
  readonly lastMoved?: string;
  readonly push: boolean;
  /** Of a push consumer: whether somebody listens. */
  readonly bound: boolean;
  /** RFC 3339. */
  readonly pausedUntil?: string;
  /** How long the oldest message has waited for it, in milliseconds; 0: none waits; absent: not known. */
  readonly oldestWaitingMs?: number;
}

/** What the queue's figures and its DLQ say of its dead. Together they are the entries of `dlq ls` that are not gone. */
export interface DeadState {
  /** In the queue's stream. */
  readonly dead: number;
  /** Taken out of the queue by a worker's reject, kept in the DLQ with their payload. */
  readonly rejected: number;
  /** Held in the journal of a replay that has not ended. */
  readonly journalled: number;
  /** Of all these, those that died again after so many replays that another is no use; absent where nobody looked. */
  readonly parked?: number;
  readonly dying: number;
  /** At most so many are stored only for a mirror or source that lags, and cannot be told from the dead. */
  readonly held: number;
  /** Died, and nothing is left of them: they outlived max_age. Absent where nobody looked. */
  readonly expired?: number;
  /** Answered, and stored all the same. Absent where nobody looked. */
  readonly answered?: number;
  /** Messages of the DLQ that are no dead letters. Absent where nobody looked. */
  readonly foreign?: number;
  /** Why the figures could not be found out; then they are the least there is. */
  readonly unknown?: string;
  /** Where they are unknown: so many are dead for certain. */
  readonly least?: number;
  /** False where the figures moved all the time while they were read. */
  readonly steady: boolean;
  /** Without an entry; absent where it could not be found out. */
  readonly orphans?: number;
  /** False where `orphans` is only the least there are. */
  readonly exact: boolean;
  /** Milliseconds since 1970. */
  readonly oldestDiedAt?: number;
  /** How many died within the last hour. */
  readonly lastHour?: number;
}

/** How a queue went between two looks, for each second; and how many seconds they were apart. */
export interface Flow {
  readonly seconds: number;
  readonly messages: number;
  readonly bytes: number;
  readonly waiting: number;
  readonly delivered: number;
}

export interface QueueState {
  readonly name: string;
  readonly health: HealthSpec;
  /** Absent where the stream is missing or silent. */
  readonly stream?: StreamState;
  /** Every consumer of the stream that a worker can be bound to, the spec's or not. */
  readonly consumers: readonly ConsumerState[];
  /** The server's own, by which mirrors and sources read it. */
  readonly copies: readonly ConsumerState[];
  /** Waiting on subjects that no consumer's filter takes. */
  readonly uncovered: number;
  /** What workers wrote down of those in flight that failed, the nearest to its death first. */
  readonly failing?: readonly Failing[];
  /** Absent where the stream is missing or silent. */
  readonly deadState?: DeadState;
  /** That of the spec, else the first that was found. */
  readonly dlq?: StreamState & { readonly name: string };
  /** All streams that take its deaths. */
  readonly dlqs: readonly SeenStream[];
  readonly responses?: StreamState & { readonly name: string };
  /** The queue and its DLQ as they were looked at, for who reads its dead. */
  readonly seen?: SeenQueue['seen'];
  /** How the queue grew between two looks, for each second; absent where there was one look only. */
  readonly growth?: { readonly messages: number; readonly bytes: number };
  /** The same with what waited and what was delivered; absent where there was one look only. */
  readonly flow?: Flow;
}

export type Drift =
  | { readonly known: true; readonly changes: readonly Change[] }
  /** Why it cannot be told. */
  | { readonly known: false; readonly why: string };

/** All that `status` judges, read at one moment. */
export interface Snapshot {
  readonly system: string | null;
  /** The spec's file, for the commands to type next; absent where the ledger or the server itself had to do. */
  readonly source?: string;
  readonly target: Target;
  /** The server's clock where it tells, in milliseconds since 1970. */
  readonly now: number;
  readonly rttMs: number;
  /** Absent where this user may not ask. */
  readonly account?: AccountUsage;
  /** What should be there. */
  readonly wanted: readonly ResourceKey[];
  readonly missing: readonly ResourceKey[];
  /** Asked for and not answered, with the reason. */
  readonly silent: ReadonlyMap<ResourceKey, string>;
  /** Raft facts and replicas asked for, of each resource that was found. */
  readonly placed: readonly { readonly name: string; readonly replicas: number; readonly cluster?: ClusterFigures }[];
  readonly queues: readonly QueueState[];
  readonly drift: Drift;
  /** What somebody has begun to move and not ended; absent where this user may not read it. */
  readonly unfinished?: readonly Unfinished[];
}

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0);

/** What waits, for a consumer or for nobody. */
export const readyOf = ({ consumers, uncovered }: QueueState): number =>
  sum(consumers, ({ pending }) => pending) + uncovered;
export const inFlightOf = ({ consumers }: QueueState): number => sum(consumers, ({ ackPending }) => ackPending);

/** How long the oldest message waits for any consumer, in milliseconds; `undefined` where that is not known. */
export function oldestOf({ consumers }: QueueState): number | undefined {
  const ages = consumers.map(({ pending, oldestWaitingMs }) => (pending === 0 ? 0 : oldestWaitingMs));
  return ages.some((age) => age === undefined) ? undefined : Math.max(0, ...(ages as number[]));
}

/** What needs a person: the dead of the queue, the rejected in its DLQ, what a replay holds in its journal. */
export const deathsOf = ({ deadState }: QueueState): number =>
  deadState === undefined ? 0 : deadState.dead + deadState.rejected + deadState.journalled;

/** What its DLQ streams hold, of other queues too where it shares one. */
export const recordsOf = ({ dlqs }: Pick<QueueState, 'dlqs'>): number => sum(dlqs, ({ figures }) => figures.messages);

/** Messages in flight that were delivered before. The server counts the dead among the redelivered. */
export function retryingOf(queue: QueueState): number {
  const dead = queue.deadState?.dead ?? 0;
  const redelivered = sum(queue.consumers, (consumer) => consumer.redelivered);
  return Math.min(inFlightOf(queue), Math.max(0, redelivered - dead));
}
