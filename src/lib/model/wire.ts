// What the console's process and its page say to each other: both have these types, and nobody writes them again. A result
// is what the command prints under `--json`.
import type { DeadLetter } from './dead-letter.ts';
import type { DeadStats, DeathsOverTime, Suggestion } from './dead-stats.ts';
import type { EntryJson, EntryState } from './entry.ts';
import type { HistoryRecord } from './history.ts';
import type { Event, Question } from './io.ts';
import type { LiveStatus } from './live.ts';
import type { PlanJson } from './plan.ts';
import type { ImportResult, PurgeResult, ReplayResult } from './replay.ts';
import type { ReplayRunJson } from './replay-run.ts';
import type { RequestStatus, TimelineJson, WaitingJson } from './request.ts';
import type { Position, ServerIdentity } from './resource.ts';

/** What somebody does with a queue. */
export type Action =
  | 'look'
  | 'export'
  | 'replay'
  | 'purge'
  | 'import'
  | 'pause'
  | 'stop'
  | 'cancel'
  | 'send'
  | 'apply'
  | 'move';

/** Whether a user may do something, and the subjects that are missing. */
export interface May {
  readonly allowed: boolean;
  readonly missing: readonly string[];
}

/** What stands in the way of something, at its place in a spec where it has one. */
export interface WireProblem extends Partial<Position> {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly why?: string;
  readonly hint?: string;
}

export interface WireError {
  /** As in docs/errors.md. */
  readonly code: string;
  readonly message: string;
  readonly where?: string;
  readonly why?: string;
  readonly hint?: string;
  readonly hints?: readonly string[];
  readonly problems?: readonly WireProblem[];
}

/** How the server stands, as it was seen last. */
export interface ServerState {
  readonly state: 'starting' | 'connected' | 'away' | 'denied';
  /** RFC 3339. */
  readonly since: string;
  readonly error?: WireError;
  readonly retry_in_ms?: number;
}

export interface About {
  readonly tool: string;
  readonly read_only: boolean;
  readonly port: number;
  /** Null as long as no server was reached. */
  readonly target: {
    readonly url: string;
    readonly account: string;
    readonly server: ServerIdentity;
    readonly chosen_by: string;
  } | null;
  readonly server: ServerState;
  readonly specs: readonly string[];
  /** The line that watches the same. */
  readonly command: CommandLine;
  readonly transforms: readonly string[];
  readonly may: Readonly<Record<Action, May>>;
  readonly session: { readonly idle_ms: number };
}

/** What somebody is told beside a result. */
export type Note = Extract<Event, { type: 'note' | 'warning' }>;

/** A line to type that does the same, with no secret in it. */
export interface CommandLine {
  readonly argv: readonly string[];
  readonly text: string;
}

/** What every question about the server is answered with. */
export interface Envelope<T> {
  readonly result: T;
  readonly notes: readonly Note[];
  readonly command: CommandLine;
  /** As the CLI would have ended. */
  readonly exit: number;
}

/** All queues at one moment. */
export type Queues = LiveStatus;

export interface Overview extends Envelope<DeadStats> {
  readonly timeline: DeathsOverTime;
  readonly suggest: readonly Suggestion[];
  readonly states: Readonly<Record<EntryState, number>>;
  /** RFC 3339. */
  readonly looked_at: string;
}

/** A page of a list. */
export interface Listed extends Envelope<readonly EntryJson[]> {
  readonly from: number;
  /** Of the next page; null at the end. */
  readonly next: string | null;
}

/** A payload as it comes: text, or bytes; cut where it is long. */
export interface Body {
  readonly payload?: string;
  readonly payload_base64?: string;
  readonly payload_cut?: boolean;
  /** In bytes, where it is cut. */
  readonly payload_size?: number;
}

export type ShownLetter = Omit<DeadLetter, keyof Body> & Body;

/** A message of the same kind that was worked on, and how the dead one differs from it. */
export interface Lived {
  readonly request_id: string | null;
  readonly seq: number;
  readonly subject: string;
  /** RFC 3339. */
  readonly published_at: string;
  /** `subject`, `header:NAME`, `json:.path`, or `payload` where it is no JSON; null where there is no such thing. */
  readonly differences: readonly {
    readonly path: string;
    readonly dead: string | null;
    readonly lived: string | null;
  }[];
}

export interface Alike extends Envelope<Lived | null> {
  /** Why there is none. */
  readonly why?: string;
}

/** Bytes of a request: the JSON that they are, text, or base64; cut where they are long. */
export interface RequestBodies {
  readonly payload?: unknown;
  readonly payload_base64?: string;
  readonly payload_cut?: boolean;
  readonly payload_size?: number;
  readonly response?: unknown;
  readonly response_base64?: string;
  readonly response_cut?: boolean;
  readonly response_size?: number;
}

export type RequestLife = TimelineJson & RequestBodies;

/** Of a request what waits, and whether there is more. */
export interface WaitingList extends Envelope<readonly WaitingJson[]> {
  readonly more: boolean;
}

/** A plan of one system, and what it takes to apply just it. */
export interface PlanExtra {
  readonly system: string;
  readonly digest: string;
  readonly pending: boolean;
  /** The spec's file; null where it is what the server has of it. */
  readonly source: string | null;
}

export interface PlansAnswer extends Envelope<readonly PlanJson[]> {
  readonly plans: readonly PlanExtra[];
}

/** A choice that was looked at and is kept, so that what is done is done to exactly these. */
export interface Chosen extends Envelope<Omit<ReplayResult, 'entries'> | PurgeResult> {
  readonly plan: string;
  /** What died later is not among them. */
  readonly looked_at: string;
  readonly count: number;
  /** The line that acts on them as they were looked at, to which the flags of a run are added. */
  readonly acts: CommandLine;
}

/** An archive that came from a browser and is kept, and what an import of it would do. */
export interface Uploaded extends Envelope<Omit<ImportResult, 'entries'>> {
  readonly archive: string;
  readonly bytes: number;
}

export type Verb = 'replay' | 'purge' | 'import' | 'apply' | 'pause' | 'resume' | 'send' | 'cancel' | 'stop';

export interface Task {
  readonly title: string;
  readonly state: 'waiting' | Extract<Event, { type: 'task' }>['state'];
  readonly detail?: string;
}

/** Something that the console's process does or did. */
export interface Run {
  readonly id: string;
  readonly verb: Verb;
  readonly state: 'running' | 'asking' | 'done' | 'failed' | 'stopped';
  readonly started_at: string;
  readonly ended_at?: string;
  readonly command: CommandLine;
  readonly tells: readonly Note[];
  readonly progress?: { readonly title: string; readonly done: number; readonly total?: number };
  readonly tasks?: readonly Task[];
  readonly question?: Question & { readonly n: number };
  /** What the command prints. */
  readonly result?: unknown;
  readonly error?: WireError;
  readonly exit?: number;
  /** Its id among the replays of the server. */
  readonly replay?: string;
  readonly archive?: { readonly name: string; readonly bytes: number };
}

/** What each GET answers; `*` stands for an id. */
export interface Answers {
  readonly '/api/about': About;
  readonly '/api/queues': Envelope<Queues>;
  readonly '/api/dlq/overview': Overview;
  readonly '/api/dlq/ls': Listed;
  readonly '/api/dlq/show': Envelope<ShownLetter>;
  readonly '/api/dlq/alike': Alike;
  readonly '/api/dlq/replays': Envelope<readonly ReplayRunJson[]>;
  readonly '/api/dlq/replays/*': Envelope<ReplayRunJson>;
  readonly '/api/request/show': Envelope<RequestLife>;
  readonly '/api/request/get': Envelope<RequestStatus & RequestBodies>;
  readonly '/api/request/ls': WaitingList;
  readonly '/api/plan': PlansAnswer;
  readonly '/api/history': Envelope<readonly HistoryRecord[]>;
  readonly '/api/runs': readonly Run[];
  readonly '/api/runs/*': Run;
}

/** What each POST answers. */
export interface Deeds {
  readonly '/api/session': { readonly key: string; readonly about: About };
  readonly '/api/tickets': { readonly url: string };
  readonly '/api/plans': Chosen;
  readonly '/api/lines': CommandLine;
  readonly '/api/runs': Run;
  readonly '/api/runs/*/answer': Run;
  readonly '/api/runs/*/stop': Run;
}

/** The events of the stream, each with the newest of its topic. */
export interface Events {
  readonly server: ServerState;
  readonly queues: Queues;
  readonly replays: readonly ReplayRunJson[];
  readonly run: Run;
}
