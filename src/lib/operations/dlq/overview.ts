import { createDeathsOverTime } from '../../dlq/deaths-over-time.ts';
import { parseDimensions } from '../../dlq/dimension.ts';
import { createSuggestions } from '../../dlq/suggest.ts';
import type { Context } from '../../model/context.ts';
import type { DeadStats, DeathsOverTime, Suggestion } from '../../model/dead-stats.ts';
import type { EntryState } from '../../model/entry.ts';
import type { Target } from '../../model/resource.ts';
import type { DlqChoice } from './scope.ts';
import { statsOfDeadLetters } from './stats.ts';

/** Dead letters at one look: in groups, over time, and by what else they could be chosen. */
export interface DeadOverview {
  readonly stats: DeadStats;
  readonly timeline: DeathsOverTime;
  readonly suggest: readonly Suggestion[];
  readonly states: Readonly<Record<EntryState, number>>;
}

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
