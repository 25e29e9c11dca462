// What the console's process answers: the results of the commands as they are, and what only a page needs.
import type { DeadLetter } from '../lib/model/dead-letter.ts';
import type { DeadStats } from '../lib/model/dead-stats.ts';
import type { EntryJson, EntryState } from '../lib/model/entry.ts';
import type { Event, Question } from '../lib/model/io.ts';
import type { Change, Finding, PlanSummary } from '../lib/model/plan.ts';
import type { FieldChange, ReplayResult } from '../lib/model/replay.ts';
import type { ReplayRunJson } from '../lib/model/replay-run.ts';
import type { TimelineJson, WaitingJson } from '../lib/model/request.ts';
import type { Health, StatusReport, Trend } from '../lib/model/verdict.ts';

export type {
  Change,
  DeadLetter,
  EntryJson,
  EntryState,
  FieldChange,
  Finding,
  Health,
  ReplayRunJson,
  Trend,
  WaitingJson,
};

/** A payload as it comes: text, or bytes; cut where it is long. */
export interface Body {
  readonly payload?: string;
  readonly payload_base64?: string;
  readonly payload_cut?: boolean;
  readonly payload_size?: number;
}

export type Action = 'look' | 'replay' | 'purge' | 'import' | 'apply' | 'pause' | 'send' | 'cancel' | 'stop' | 'export';

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly where?: string;
  readonly why?: string;
  readonly hint?: string;
  readonly hints?: readonly string[];
}

export interface ServerState {
  readonly state: 'connected' | 'away' | 'denied' | 'starting';
  readonly since: string;
  readonly error?: WireError;
  readonly retry_in_ms?: number;
}

export interface About {
  readonly tool: string;
  readonly read_only: boolean;
  readonly port: number;
  readonly target: {
    readonly url: string;
    readonly account?: string;
    readonly server?: { readonly name?: string; readonly version?: string };
    readonly chosen_by?: string;
  } | null;
  readonly server: ServerState;
  readonly transforms: readonly string[];
  readonly may: Readonly<Record<Action, { readonly allowed: boolean; readonly missing: readonly string[] }>>;
  readonly session: { readonly idle_ms: number };
}

export interface Note {
  readonly type: 'note' | 'warning';
  readonly text: string;
}

export interface CommandLine {
  readonly argv: readonly string[];
  readonly text: string;
}

/** What every question about the server is answered with. */
export interface Envelope<T> {
  readonly result: T;
  readonly notes: readonly Note[];
  readonly command?: CommandLine;
  readonly exit?: number;
}

export interface Schedule {
  readonly consumer: string;
  /** Before the second try, the third, … */
  readonly waits_seconds: readonly number[];
  readonly tries: number;
  readonly gives_up_after_seconds: number | null;
  readonly text: string;
}

export interface Queue {
  readonly name: string;
  readonly system: string | null;
  readonly health: Health;
  readonly ready: number | null;
  readonly in_flight: number | null;
  readonly retrying: number | null;
  readonly dead: number | null;
  readonly dying?: number | null;
  readonly oldest_seconds: number | null;
  readonly capacity: {
    readonly messages: number | null;
    readonly bytes: number | null;
    readonly max_messages: number | null;
    readonly max_bytes: number | null;
    readonly share: number | null;
    readonly free_messages: number | null;
    readonly discard: 'new' | 'old';
  };
  readonly trend?: Trend;
  readonly rates: {
    readonly step_seconds: number;
    readonly at: readonly number[];
    readonly in: readonly (number | null)[];
    readonly out: readonly (number | null)[];
    readonly dead: readonly (number | null)[];
    readonly now: { readonly in: number | null; readonly out: number | null; readonly dead: number | null };
  };
  readonly paused: readonly { readonly consumer: string; readonly until: string | null }[];
  readonly consumers: readonly {
    readonly name: string;
    readonly pending: number | null;
    readonly ack_pending: number | null;
    readonly max_deliver?: number;
    readonly schedule?: Schedule;
  }[];
}

export type Filters = Readonly<Record<string, readonly string[]>>;

export interface QueueFinding {
  readonly system: string | null;
  readonly queue?: string;
  readonly id: string;
  readonly code: string;
  readonly status: 'critical' | 'warn' | 'unknown';
  readonly summary: string;
  readonly page?: string;
  readonly next?: string;
  readonly act?: {
    readonly kind: 'see' | 'replay' | 'plan' | 'resume';
    readonly count?: number;
    readonly filters?: Filters;
  };
}

export interface Queues {
  readonly at: string;
  readonly health: Health;
  readonly systems: readonly {
    readonly system: string | null;
    readonly health: Health;
    readonly error?: WireError;
    readonly drift: number | null;
    readonly report?: StatusReport;
  }[];
  readonly findings: readonly QueueFinding[];
  readonly queues: readonly Queue[];
  readonly command?: CommandLine;
}

export interface Timeline {
  /** Null where nobody knows when any of them died. */
  readonly from: string | null;
  readonly to: string | null;
  readonly step_seconds: number;
  readonly groups: readonly {
    /** Absent where they are all others. */
    readonly by?: Readonly<Record<string, string | null>>;
    readonly other?: boolean;
    readonly count: number;
    readonly counts: readonly number[];
  }[];
  readonly undated: number;
}

export interface Suggestion {
  readonly key: string;
  readonly values: readonly { readonly value: string; readonly count: number }[];
  readonly more: number;
}

export interface Overview extends Envelope<DeadStats> {
  /** For each group, the conditions that hold for it and for no other. */
  readonly where: readonly (readonly string[])[];
  readonly timeline?: Timeline;
  readonly suggest: readonly Suggestion[];
  readonly states: Readonly<Record<EntryState, number>>;
  readonly looked_at: string;
}

export interface Listed extends Envelope<readonly EntryJson[]> {
  readonly next: string | null;
}

export type Shown = Envelope<DeadLetter & Body>;

export interface Alike
  extends Envelope<{
    readonly request_id: string | null;
    readonly seq: number | string;
    readonly subject: string;
    readonly published_at: string;
    readonly answered_at?: string;
    readonly differences: readonly {
      readonly path: string;
      readonly dead: string | null;
      readonly lived: string | null;
    }[];
  } | null> {
  readonly why?: string;
}

export interface PlansAnswer extends Envelope<readonly SystemPlan[]> {
  readonly plans: readonly {
    readonly system: string;
    readonly digest: string;
    readonly findings: readonly Finding[];
    readonly refused: readonly WireError[];
    readonly pending: number;
    readonly schedule: readonly Schedule[];
  }[];
}

export interface SystemPlan {
  readonly system: string;
  readonly changes: readonly Change[];
  readonly summary: PlanSummary;
}

export interface Deed {
  readonly id: string;
  readonly at: string;
  readonly system: string;
  readonly verb: string;
  readonly who: string;
  readonly host: string;
  readonly ci?: string;
  readonly summary: string;
  readonly detail?: unknown;
}

/** A choice that was looked at and is kept, so that what is done is done to exactly these. */
export interface Chosen
  extends Envelope<Omit<ReplayResult, 'entries'> & { readonly purged?: number; readonly originals?: number }> {
  readonly plan: string;
  readonly looked_at: string;
  readonly count: number;
  readonly edit?: { readonly differences: readonly FieldChange[] };
}

export type Verb = 'replay' | 'purge' | 'import' | 'apply' | 'pause' | 'resume' | 'send' | 'cancel' | 'stop';

/** Something that this console's process does or did. */
export interface Run {
  readonly id: string;
  readonly verb: Verb;
  readonly state: 'running' | 'asking' | 'done' | 'failed' | 'stopped';
  readonly started_at: string;
  readonly ended_at?: string;
  readonly command?: CommandLine;
  readonly tells: readonly Event[];
  readonly progress?: { readonly title: string; readonly done: number; readonly total?: number };
  readonly tasks?: readonly { readonly title: string; readonly state: string; readonly detail?: string }[];
  readonly question?: Question & { readonly n: number };
  readonly result?: unknown;
  readonly error?: WireError;
  readonly exit?: number;
  /** Its id among the replays of the server. */
  readonly replay?: string;
  readonly archive?: { readonly name: string; readonly bytes: number };
}

export type RequestLife = TimelineJson & Body & { readonly response?: unknown; readonly response_base64?: string };
