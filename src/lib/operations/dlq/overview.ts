import { createDeathsOverTime } from '../../dlq/deaths-over-time.ts';
import { parseDimensions } from '../../dlq/dimension.ts';
import { filterWords } from '../../dlq/filter-words.ts';
import { createSuggestions } from '../../dlq/suggest.ts';
import { callWords } from '../../model/call.ts';
import type { Context } from '../../model/context.ts';
import type { DeadStats, DeathsOverTime, Suggestion } from '../../model/dead-stats.ts';
import type { EntryState } from '../../model/entry.ts';
import type { Target } from '../../model/resource.ts';
import { shellLine } from '../../model/shell.ts';
import type { DlqChoice } from './scope.ts';
import { statsOfDeadLetters } from './stats.ts';

/** Dead letters at one look: in groups, over time, and by what else they could be chosen. */
export interface DeadOverview {
  readonly stats: DeadStats;
  readonly timeline: DeathsOverTime;
  readonly suggest: readonly Suggestion[];
  readonly states: Readonly<Record<EntryState, number>>;
}

/** The line that counts the same, at any later time. Nothing secret of what was typed is in it. */
export const lineOfOverview = (
  { connection }: Pick<Context, 'connection'>,
  { file, filter, by }: DlqChoice & { readonly by: readonly string[] },
): string =>
  shellLine([
    ...callWords(connection, file, 'dlq', 'stats'),
    ...by.flatMap((one) => ['--by', one]),
    ...filterWords(filter),
  ]);

/** All of it in one pass, in bounded memory. @throws as `statsOfDeadLetters` */
export async function overviewOfDeadLetters(
  context: Context,
  choice: DlqChoice & { readonly by: readonly string[]; onTarget?(target: Target): void },
): Promise<DeadOverview> {
  const overTime = createDeathsOverTime(parseDimensions(choice.by));
  const suggestions = createSuggestions();
  const states = { replayable: 0, parked: 0, gone: 0, orphan: 0 };
  const stats = await statsOfDeadLetters(context, {
    ...choice,
    onEntry(entry) {
      states[entry.state] += 1;
      overTime.add(entry);
      suggestions.add(entry);
    },
  });
  return {
    stats,
    timeline: overTime.result(),
    suggest: suggestions.result(),
    states,
  };
}
