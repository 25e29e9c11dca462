import { Flags } from '@oclif/core';
import { OpsError } from '../errors/ops-error.ts';
import { ENTRY_REASONS, ENTRY_STATES, type EntryReason, type EntryState } from '../model/entry.ts';
import type { EntryChoice, EntryFilter } from '../model/entry-filter.ts';
import { readEscapes } from '../model/visible.ts';
import { durationMs, fileFlag, isToCome, momentFlag } from './spec-flags.ts';

const GROUP = 'FILTER';

/** The filters of every dlq verb. Those that may be repeated take any of their values; different ones all have to hold. */
export const dlqFilterFlags = {
  ...fileFlag,
  queue: Flags.string({
    summary: 'only this queue (its stream)',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: GROUP,
  }),
  consumer: Flags.string({
    summary: 'only what died at this consumer',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: GROUP,
  }),
  subject: Flags.string({
    summary: 'only requests on this subject; * and > work',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: GROUP,
  }),
  since: Flags.string({
    summary: 'died at this time or later: 2h (ago), 03:10, yesterday, 2026-11-24, 2026-11-24T08:00Z',
    helpGroup: GROUP,
  }),
  until: Flags.string({
    summary: "died before this time, written as for --since; a time to come is today's",
    helpGroup: GROUP,
  }),
  'older-than': Flags.string({ summary: 'died longer ago than this, as 7d', helpGroup: GROUP }),
  reason: Flags.string({
    summary: 'only this reason',
    options: [...ENTRY_REASONS],
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: GROUP,
  }),
  state: Flags.string({
    summary: 'only this state',
    options: [...ENTRY_STATES],
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: GROUP,
  }),
  where: Flags.string({
    summary: 'only where this holds: detail=VALUE, header:NAME!=VALUE, json:.path=VALUE; * is any text; repeatable',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: GROUP,
  }),
  match: Flags.string({
    summary: 'only with this text in the payload; JSON is compared as JSON, not by its blanks',
    helpGroup: GROUP,
  }),
  'request-id': Flags.string({
    summary: 'only the request of this id',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: GROUP,
  }),
  ids: Flags.string({ summary: 'only the entries that this file names, an id a line; - is stdin', helpGroup: GROUP }),
  limit: Flags.integer({ summary: 'at most so many', min: 1, helpGroup: GROUP }),
};

export interface WrittenFilter {
  readonly queue?: readonly string[];
  readonly consumer?: readonly string[];
  readonly subject?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly 'older-than'?: string;
  readonly reason?: readonly string[];
  readonly state?: readonly string[];
  readonly match?: string;
  readonly 'request-id'?: readonly string[];
  readonly limit?: number;
}

/** The flags of a dlq verb as what it is about. @throws OpsError USAGE */
export const choiceFrom = (
  flags: WrittenFilter & Pick<EntryChoice, 'where' | 'file'> & { readonly ids?: string },
  ids: readonly string[],
  now: Date,
): EntryChoice => ({ ids, idsFrom: flags.ids, where: flags.where, filter: filterFrom(flags, now), file: flags.file });

/** A time to come ends today, and yesterday where what it ends begins then: at 01:00, from 22:00 until 23:00. */
function untilMs(text: string, since: number | undefined, written: string | undefined, now: Date): number {
  const yesterday = momentFlag('--until', text, now).getTime();
  if (since !== undefined && isToCome(written!, now) && yesterday > since) return yesterday;
  return momentFlag('--until', text, now, 'today').getTime();
}

const emptySpan = (since: number, before: number, isOlder: boolean): OpsError =>
  new OpsError(
    'USAGE',
    `nothing died since ${new Date(since).toISOString()} and before ${new Date(before).toISOString()}`,
    {
      where: isOlder ? '--older-than' : '--until',
      why: 'The second time is not after the first.',
      hints: ['give the earlier time to --since: --since 3h --until 2h'],
    },
  );

/** The flags as a filter. Times are measured from `now`. @throws OpsError USAGE */
export function filterFrom(flags: WrittenFilter, now: Date): EntryFilter {
  const since = flags.since === undefined ? undefined : momentFlag('--since', flags.since, now).getTime();
  const until = flags.until === undefined ? undefined : untilMs(flags.until, since, flags.since, now);
  const older =
    flags['older-than'] === undefined ? undefined : now.getTime() - durationMs('--older-than', flags['older-than']);
  const before = until === undefined ? older : Math.min(until, older ?? until);
  if (since !== undefined && before !== undefined && since >= before)
    throw emptySpan(since, before, flags.until === undefined);
  return {
    ...(flags.queue?.length && { queues: flags.queue }),
    ...(flags.consumer?.length && { consumers: flags.consumer }),
    ...(flags.subject?.length && { subjects: flags.subject.map(readEscapes) }),
    ...(since !== undefined && { since }),
    ...(before !== undefined && { until: before }),
    ...(flags.reason?.length && { reasons: flags.reason as EntryReason[] }),
    ...(flags.state?.length && { states: flags.state as EntryState[] }),
    ...(flags.match !== undefined && { match: flags.match }),
    ...(flags['request-id']?.length && { requestIds: flags['request-id'] }),
    ...(flags.limit !== undefined && { limit: flags.limit }),
  };
}
