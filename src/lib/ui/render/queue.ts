import type { DrainResult, PauseResult } from '../../model/queue.ts';
import { toType } from '../../model/shell.ts';
import { clean } from '../sanitize.ts';
import { counted } from '../text.ts';
import type { Theme } from '../theme.ts';

interface View {
  readonly theme: Theme;
  /** Makes a line to type lead to the same server. */
  lead(line: string): string;
}

/** One line for each consumer. */
export function renderPauses(results: readonly PauseResult[], { theme, lead }: View): string {
  const lines = results.map(({ queue, consumer, paused, until, changed }) => {
    const name = theme.strong(clean(`${queue}/${consumer}`));
    if (!paused) return changed ? `${name} is delivering again` : `${name} was not paused`;
    return until === undefined
      ? `${name} is paused until \`${lead(toType`osapi-ops queue resume ${`${queue}/${consumer}`}`)}\``
      : `${name} is paused until ${clean(until)}`;
  });
  return `${lines.join('\n')}\n`;
}

/** Whether it is drained, and what remains. */
export function renderDrain(result: DrainResult, { theme, lead }: View): string {
  const { queue, drained, ready, in_flight, dead, waited_seconds } = result;
  const name = theme.strong(clean(queue));
  const remain =
    dead === null ? 'how many are dead is not known' : counted(dead, 'dead message remains', 'dead messages remain');
  const rest = dead === 0 ? '' : `; ${remain}: \`${lead(toType`osapi-ops dlq ls --queue ${queue}`)}\``;
  return drained
    ? `${name} is ${theme.good('drained')}: nothing waits, nothing is in flight${rest}\n`
    : `${name} is ${theme.refuse('not drained')} after ${waited_seconds}s: ${ready} waiting, ${in_flight} in flight${rest}\n`;
}
