import type { EntryFilter } from '../model/entry-filter.ts';
import { escapeOf, TRICKY } from '../model/visible.ts';

const each = (flag: string, values: readonly string[] = []): string[] =>
  values.flatMap((value) => (value.startsWith('-') ? [`${flag}=${value}`] : [flag, value]));

const time = (flag: string, at: number | undefined): string[] =>
  at === undefined ? [] : [flag, new Date(at).toISOString()];

/** A filter as the words of a command line that chooses the same at any later time; but for a limit. */
export const filterWords = (filter: EntryFilter): string[] => [
  ...(filter.ids ?? []).map(({ text }) => text),
  ...each('--queue', filter.queues),
  ...each('--consumer', filter.consumers),
  ...each(
    '--subject',
    filter.subjects?.map((subject) => subject.replace(TRICKY, escapeOf)),
  ),
  ...time('--since', filter.since),
  ...time('--until', filter.until),
  ...each('--reason', filter.reasons),
  ...each('--state', filter.states),
  ...each('--match', filter.match === undefined ? [] : [filter.match]),
  ...each('--request-id', filter.requestIds),
  ...each(
    '--where',
    filter.where?.map(({ text }) => text),
  ),
];
