import type { Action, Change } from '../../model/plan.ts';
import type { ResourceKind } from '../../model/resource.ts';
import { clean } from '../sanitize.ts';
import { flow } from '../text.ts';
import type { Theme } from '../theme.ts';
import { resourceName } from './words.ts';

const PAST: Readonly<Record<Action, string>> = {
  create: 'created',
  update: 'updated',
  replace: 'replaced',
  delete: 'deleted',
  migrate: 'moved',
};

export interface AppliedView {
  readonly theme: Theme;
  readonly width: number;
  /** How many resources were as they should be. */
  readonly unchanged: number;
  /** `Applied` unless told: destroy says `Destroyed`, and only what was deleted. */
  readonly verb?: 'Destroyed';
  /** Each change was told as it was done: only what was not is told again. */
  readonly seen?: boolean;
}

/** What became of each change, and the sum. Where something failed: what to do next. */
export function renderApplied(
  changes: readonly Change[],
  { theme, width, unchanged, verb, seen }: AppliedView,
): string {
  const lines = changes
    .filter(({ status }) => !seen || status !== 'applied')
    .map((change) => renderOutcome(change, { theme, width }));
  const done = changes.filter((change) => change.status === 'applied');
  const counts = (['create', 'update', 'migrate', 'replace', 'delete'] as const)
    .map((action) => ({ action, count: done.filter((change) => change.action === action).length }))
    .filter(({ action, count }) => (verb ? action === 'delete' : count > 0 || !['migrate', 'replace'].includes(action)))
    .map(({ action, count }) => `${count} ${PAST[action]}`);
  const [failed, skipped] = (['failed', 'skipped'] as const).map(
    (status) => changes.filter((change) => change.status === status).length,
  );
  const sum = `${verb ?? 'Applied'}: ${[...counts, ...(verb ? [] : [`${unchanged} unchanged`])].join(', ')}.`;
  const rest =
    failed || skipped ? ` ${failed} failed, ${skipped} not reached. Run it again: it goes on from here.` : '';
  const summary = flow(theme.strong(sum) + theme.refuse(rest), { width, first: '' });
  return `${[...lines, ...(lines.length > 0 ? [''] : []), summary].join('\n')}\n`;
}

/** What was taken back of moves, a line each. */
export function renderUndone(
  undone: readonly { readonly kind: ResourceKind; readonly name: string }[],
  { theme, width }: { theme: Theme; width: number },
): string {
  const lines = undone.map((each) =>
    flow(`${theme.good('as it was')} ${resourceName(each)}`, { width, first: `${theme.good('✓')} ` }),
  );
  return lines.map((line) => `${line}\n`).join('');
}

function renderOutcome(change: Change, { theme, width }: { theme: Theme; width: number }): string {
  const name = resourceName(change);
  const error = change.error ? `: ${clean(change.error)}` : '';
  switch (change.status) {
    case 'applied':
      return flow(`${theme.good(PAST[change.action])} ${name}`, { width, first: `${theme.good('✓')} ` });
    case 'failed':
      return flow(`${theme.refuse(`failed to ${change.action}`)} ${name}${error}`, {
        width,
        first: `${theme.refuse('✗')} `,
      });
    default:
      return flow(`${theme.faint(`not reached: ${change.action}`)} ${name}${error}`, {
        width,
        first: `${theme.faint('·')} `,
      });
  }
}
