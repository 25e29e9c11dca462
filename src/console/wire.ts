// What the console's process answers, in the very types that it answers by.

export type { DeathsOverTime as Timeline, Suggestion } from '../lib/model/dead-stats.ts';
export type { EntryJson, EntryState } from '../lib/model/entry.ts';
export type { HistoryRecord as Deed } from '../lib/model/history.ts';
export type { LiveFinding as QueueFinding, LiveQueue as Queue, Schedule } from '../lib/model/live.ts';
export type { Change, Finding, PlanJson } from '../lib/model/plan.ts';
export type { ReplayRunJson } from '../lib/model/replay-run.ts';
export type { Health } from '../lib/model/verdict.ts';
export type * from '../lib/model/wire.ts';

import type { Answers, Deeds } from '../lib/model/wire.ts';

/** The route of an address; `*` stands for an id. */
type RouteOf<P extends string> = P extends `${infer Path}?${string}`
  ? RouteOf<Path>
  : P extends `/api/runs/${string}/${infer Verb}`
    ? `/api/runs/*/${Verb}`
    : P extends `/api/runs/${string}`
      ? '/api/runs/*'
      : P extends `/api/dlq/replays/${string}`
        ? '/api/dlq/replays/*'
        : P;

/** What is answered at an address. */
export type AnswerOf<P extends string> = RouteOf<P> extends infer R extends keyof Answers ? Answers[R] : never;
/** What is answered to who acts there. */
export type DeedOf<P extends string> = RouteOf<P> extends infer R extends keyof Deeds ? Deeds[R] : never;
