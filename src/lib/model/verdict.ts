import type { FailingFigures } from './failing.ts';
import type { Change } from './plan.ts';
import type { Target } from './resource.ts';

/** From best to worst: `ok`, `unknown`, `warn`, `critical`. `unknown`: it could not be found out, and nothing says it is bad. */
export type Health = 'ok' | 'warn' | 'critical' | 'unknown';

/** Where a check begins to warn, and where it is critical; `null` where that limit is off. In the unit of the value. */
export interface CheckThreshold {
  readonly warn: number | null;
  readonly critical: number | null;
}

/** One thing that was looked at. */
export interface Check {
  /** `connection`, `REQUESTS.dead`, `REQUESTS/request-worker.pulling`: stable, and the same every time. */
  readonly id: string;
  /** A name of facts/checks. */
  readonly name: string;
  /** What it is about: a stream, `stream/consumer`, a bucket; absent where it is about all. */
  readonly resource?: string;
  readonly status: Health;
  /** One sentence with its figures. */
  readonly summary: string;
  readonly value?: number;
  readonly threshold?: CheckThreshold;
  /** The command to type next, where there is one. */
  readonly next?: string;
}

/** Where a queue is going. */
export interface Trend {
  readonly state: 'clears' | 'grows' | 'stalled';
  /** How what waits (`clears`) or what is stored (`grows`) changes. */
  readonly per_second?: number;
  /** Until nothing waits, until it is full, or since anything moved; absent where it has no end that one can know. */
  readonly seconds?: number;
  /** In a sentence. */
  readonly summary: string;
}

/** The figures of one queue. `null` where they cannot be known. */
export interface QueueFigures {
  readonly name: string;
  readonly ready: number | null;
  readonly in_flight: number | null;
  /** Whatever needs a person: the dead that are still in the queue, and those that a worker rejected into its DLQ. */
  readonly dead: number | null;
  /** Where `dead` is unknown: so many are dead for certain. */
  readonly dead_least?: number;
  /** Of the dead, those that a worker rejected. */
  readonly rejected: number | null;
  /** Of the dead, those that died again after the most replays there are. */
  readonly parked: number | null;
  readonly redelivered: number | null;
  /** What fails now and is tried again. */
  readonly failing: FailingFigures | null;
  /** The age of the oldest message that waits undelivered; 0 where none waits. */
  readonly oldest_seconds: number | null;
  /** Messages in the bucket of the responses. */
  readonly responses: number | null;
  /** Of the dead, those that a replay which has not ended holds in its journal. */
  readonly journalled: number | null;
  /** Whether each of the dead was looked at; else `dead` is by arithmetic. */
  readonly exact: boolean;
  /** Absent where it goes nowhere, or where nobody can know. */
  readonly trend?: Trend;
  /** What is stored, and how much may be; absent where the queue is not there. */
  readonly stored?: Stored;
}

/** `null` where there is no limit. */
export interface Stored {
  readonly messages: number;
  readonly bytes: number;
  readonly max_messages: number | null;
  readonly max_bytes: number | null;
}

/** Everything `status` says. */
export interface StatusReport {
  /** `null` where nothing was ever applied and the queues were found on the server. */
  readonly system: string | null;
  readonly health: Health;
  readonly checks: readonly Check[];
  readonly queues: readonly QueueFigures[];
  readonly drift: readonly Change[];
  /** RFC 3339, the server's clock where it tells. */
  readonly at: string;
  /** Absent where no server was reached. */
  readonly target?: Target;
}

const RANK: Readonly<Record<Health, number>> = { ok: 0, unknown: 1, warn: 2, critical: 3 };

/** The worse of two. */
export const worse = (a: Health, b: Health): Health => (RANK[b] > RANK[a] ? b : a);

/** How bad it must be to fail. */
export type FailOn = 'warning' | 'critical';

/** Whether nothing is there that could be judged: no system was ever applied, and no queue was found. */
export const isNothing = ({ system, queues, target }: StatusReport): boolean =>
  target !== undefined && system === null && queues.length === 0;

/** Whether a verdict fails a pipeline. What is unknown does not. */
export const fails = (health: Health, failOn: FailOn): boolean =>
  health === 'critical' || (failOn === 'warning' && health === 'warn');

/** Whether a check does: as its verdict; and where there is nothing to judge, what says so. */
export const failsBy = (report: StatusReport, { name, status }: Check, failOn: FailOn): boolean =>
  fails(status, failOn) || (name === 'resources' && isNothing(report));
