import { MONITOR_PREFIX } from '../../facts/names.ts';
import type { Change, FieldChange, Finding, LeftAlone, ShownPlan } from '../../model/plan.ts';
import { keyOf } from '../../model/resource.ts';
import { clean } from '../sanitize.ts';
import { asSentences, counted, flow, padEnd, widthOf } from '../text.ts';
import { SIGNS, type Theme } from '../theme.ts';
import { printValue, showField } from './value.ts';
import {
  fieldOrigin,
  type Given,
  isLifted,
  messageUnder,
  originWords,
  reasonOf,
  resourceName,
  retriesOf,
  serverOf,
  summaryOf,
  verdictOf,
  wayBackOf,
} from './words.ts';

export interface PlanView {
  readonly theme: Theme;
  /** Columns to fill. */
  readonly width: number;
  /** Leave the summary out: what was done with the plan is told after it. */
  readonly applied?: boolean;
  /** Flags of the command line: what they allow is told as allowed. */
  readonly given?: Given;
}

/** A plan for a person: where, what changes and why, what that means for messages, what is left alone, the sum. */
export function renderPlan(plan: ShownPlan, view: PlanView): string {
  const unplaced = plan.findings.filter(
    (finding) => !plan.changes.some((change) => keyOf(change) === finding.resource),
  );
  const blocks = [
    renderTarget(plan, view),
    ...plan.changes.map((change) => renderChange(plan, change, view)),
    ...unplaced.map((finding) => renderFinding(finding, '', view, true)),
    ...renderLeftAlone(plan.leftAlone, view),
    ...(view.applied ? [] : [renderSummary(plan, view)]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function renderTarget({ system, target }: ShownPlan, { theme, width }: PlanView): string {
  const text = `${theme.strong(clean(system))} on ${theme.strong(clean(target.url))}, ${serverOf(target)}; chosen by ${clean(target.chosenBy)}`;
  return flow(text, { width, first: '' });
}

const INDENT = '    ';

function renderChange(plan: ShownPlan, change: Change, view: PlanView): string {
  const { theme, width } = view;
  const style = theme[change.action];
  const origin = originWords(change);
  const title = `${style(change.action)} ${theme.strong(resourceName(change))}${origin ? `: ${origin}` : ''}`;
  const isMixed = change.fields.some((field) => field.origin !== change.origin);
  const retry = retriesOf(change);
  const sentences = [reasonOf(change), retry].filter((text) => text !== undefined);
  return [
    flow(title, { width, first: `${style(SIGNS[change.action])} ` }),
    ...renderFields(change, isMixed, view),
    ...sentences.map((text) => flow(clean(text), { width, first: INDENT })),
    ...plan.findings
      .filter((finding) => finding.resource === keyOf(change))
      .map((finding) => renderFinding(finding, INDENT, view, false)),
    ...(wayBackOf(change) ? [flow(`The way back: ${clean(wayBackOf(change))}`, { width, first: INDENT })] : []),
    ...statusLines(change, view),
  ].join('\n');
}

const MONITOR = `metadata.${MONITOR_PREFIX}`;

function renderFields(change: Change, isMixed: boolean, view: PlanView): string[] {
  const labels = change.fields.filter(({ path }) => path.startsWith(MONITOR));
  const fields = change.fields.filter((field) => !labels.includes(field));
  const column = Math.max(0, ...fields.map((field) => widthOf(clean(field.path))));
  // On a narrow terminal a long path would leave no room beside it.
  const room = Math.min(column, Math.floor(view.width / 3));
  return [...fields.flatMap((field) => renderField(change, field, room, isMixed, view)), ...renderLabels(labels, view)];
}

/** What the nats CLI checks by is one line: it follows from what the other lines say. */
function renderLabels(labels: readonly FieldChange[], { theme, width }: PlanView): string[] {
  if (labels.length === 0) return [];
  const moves = labels.map(({ path, from, to }) => {
    const move = from === null ? printValue(to) : `${printValue(from)} → ${printValue(to)}`;
    return `${clean(path.slice(MONITOR.length))} ${move}`;
  });
  return [flow(theme.faint(`labels for \`nats server check\`: ${moves.join(', ')}`), { width, first: INDENT })];
}

function renderField(
  change: Change,
  field: FieldChange,
  column: number,
  isMixed: boolean,
  { theme, width }: PlanView,
): string[] {
  const first = `${INDENT}${padEnd(clean(field.path), column)}  `;
  const rest = `${INDENT}${' '.repeat(column)}  `;
  const value = renderMove(change, field, { theme, room: width - widthOf(first) });
  const origin = isMixed && change.action !== 'create' ? fieldOrigin(field.origin) : '';
  const why = [
    ...(field.impact === 'replace' ? ['cannot be changed in place'] : []),
    ...(field.note ? [clean(field.note)] : []),
  ].join(': ');
  return [
    ...value.map((line, at) => flow(line, { width, first: at === 0 ? first : rest })),
    ...(origin ? [flow(theme.faint(origin), { width, first: rest })] : []),
    ...(why ? [flow(field.impact === 'replace' ? theme.replace(why) : theme.faint(why), { width, first: rest })] : []),
  ];
}

/** `old → new` on one line where it fits, on two where it does not. A created field has no old value worth a word. */
function renderMove(change: Change, field: FieldChange, { theme, room }: { theme: Theme; room: number }): string[] {
  const to = showField(change.kind, field, 'to');
  if (change.action === 'create' && field.from === null) return [theme.create(to)];
  const from = showField(change.kind, field, 'from');
  if (change.action === 'delete' && field.to === null) return [theme.delete(from)];
  const joined = `${from} → ${to}`;
  if (widthOf(joined) <= room) return [`${theme.delete(from)} → ${theme.create(to)}`];
  return [theme.delete(from), `→ ${theme.create(to)}`];
}

function renderFinding(finding: Finding, indent: string, { theme, width, given }: PlanView, isNamed: boolean): string {
  const lifted = isLifted(finding, given);
  const style =
    lifted || finding.unless
      ? theme.warn
      : { info: theme.faint, warning: theme.warn, refuse: theme.refuse }[finding.severity];
  const words = [
    clean(isNamed ? `${finding.resource}: ${messageUnder(finding)}` : messageUnder(finding)),
    ...(finding.hint && !lifted && !finding.unless ? [clean(finding.hint)] : []),
  ];
  const text = `${style(`${verdictOf(finding, given)}:`)} ${asSentences(words)} ${theme.faint(`[${theme.code(clean(finding.code))}]`)}`;
  return flow(text, { width, first: indent });
}

function statusLines(change: Change, { theme, width }: PlanView): string[] {
  if (!change.status) return [];
  const style = { applied: theme.good, failed: theme.refuse, skipped: theme.faint }[change.status];
  const error = change.error ? `: ${clean(change.error)}` : '';
  return [flow(`${style(change.status)}${error}`, { width, first: INDENT })];
}

function renderLeftAlone(leftAlone: readonly LeftAlone[], { theme, width }: PlanView): string[] {
  if (leftAlone.length === 0) return [];
  const lines = leftAlone.map(({ resource, what }) =>
    flow(`${clean(resource)}: ${clean(what)}`, { width, first: '  ' }),
  );
  return [[theme.strong('Left alone'), ...lines].join('\n')];
}

const nothingToDo = (unchanged: number): string =>
  unchanged === 0
    ? 'Nothing to do.'
    : `Nothing to do: ${counted(unchanged, 'resource')} ${unchanged === 1 ? 'is' : 'are'} as the spec says.`;

function renderSummary(plan: ShownPlan, { theme, width, given }: PlanView): string {
  const { summary, findings } = plan;
  const changes = summary.create + summary.update + summary.replace + summary.delete;
  const refusals = findings.filter(
    (finding) => finding.severity === 'refuse' && !finding.unless && !isLifted(finding, given),
  );
  const text = changes === 0 ? nothingToDo(summary.unchanged) : `Plan: ${summaryOf(plan)}.`;
  const flags = [...new Set(refusals.flatMap((finding) => (finding.needs ? [`--${finding.needs}`] : [])))];
  const stops = refusals.filter((finding) => !finding.needs).length;
  const demand = [
    ...(flags.length > 0 ? [`Apply needs ${flags.join(' and ')}`] : []),
    ...(stops > 0 ? [`${counted(stops, 'refusal')} no flag can lift`] : []),
  ].join('; ');
  return flow(theme.strong(text) + (demand ? ` ${theme.refuse(`${demand}.`)}` : ''), { width, first: '' });
}
