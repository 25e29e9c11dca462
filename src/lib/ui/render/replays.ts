import type { ReplayRunJson } from '../../model/replay-run.ts';
import { clean } from '../sanitize.ts';
import { flow, padEnd, secondOf, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { ageOf, shorten } from './dlq.ts';
import { renderColumns } from './dlq-show.ts';

/** How far a run is, in words. */
function progressOf({
  chosen,
  replayed,
  answered,
  acked,
  died,
  skipped,
  failed,
  waiting,
  seconds_left: left,
  taken_over_by: heir,
  finished_by: helpers = [],
  finished_for: helped = [],
}: ReplayRunJson) {
  const parts = [
    `${replayed} of ${chosen} replayed`,
    ...helpers.map(({ id, count }) => `${count} of them finished by ${id}`),
    ...helped.filter(({ count }) => count > 0).map(({ id, count }) => `${count} finished of ${id ?? 'an earlier run'}`),
    // What needs somebody comes first.
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(died > 0 ? [`${died} died again`] : []),
    ...(answered > 0 ? [`${answered} answered`] : []),
    ...(acked > 0 ? [`${acked} acked`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(waiting > 0 && heir === undefined ? [`${waiting} waiting`] : []),
    ...(heir === undefined ? [] : [`then taken over by ${heir}`]),
    ...(left === null ? [] : [left < 120 ? `${left}s left` : `${Math.ceil(left / 60)}m left`]),
  ];
  return parts.join(', ');
}

/** Running and recent replays, a row each. */
export function renderRuns(
  runs: readonly ReplayRunJson[],
  { theme, width, now }: { theme: Theme; width: number; now: Date },
): string {
  const rows = runs.map((run) => [
    clean(run.id),
    run.state,
    ageOf(run.started_at, now),
    clean(run.who),
    clean(run.ci ?? run.host),
    clean(progressOf(run)),
  ]);
  const all = [['ID', 'STATE', 'BEGAN', 'WHO', 'FROM', 'HOW FAR'], ...rows];
  // Where the terminal is narrow, from where goes first; then how far it is gets lines of its own.
  const fits = (columns: readonly number[]) => {
    const lines = renderColumns(
      all.map((row) => columns.map((column) => row[column]!)),
      new Set(),
    );
    return { lines, columns, widest: Math.max(...lines.map(widthOf)) };
  };
  const tries = [
    [0, 1, 2, 3, 4, 5],
    [0, 1, 2, 3, 5],
    [0, 1, 2, 5],
    [0, 1, 2, 3],
    [0, 1, 2],
  ].map(fits);
  const { lines, columns } = tries.find(({ widest }) => widest <= width) ?? tries.at(-1)!;
  const isApart = !columns.includes(5);
  const drawn = lines.flatMap((line, index) => {
    const own = widthOf(line) > width ? shorten(line, width) : line;
    return isApart && index > 0 ? [own, flow(rows[index - 1]![5]!, { width, first: '  ' })] : [own];
  });
  const [head, ...body] = drawn;
  return `${[theme.strong(head!), ...body].join('\n')}\n`;
}

/** What another run took over is finished there. */
const isToGoOn = ({ state, taken_over_by: heir }: ReplayRunJson): boolean =>
  state !== 'running' && state !== 'done' && heir === undefined;

/** One replay with what failed in it. */
export function renderRun(run: ReplayRunJson, { theme, width }: { theme: Theme; width: number }): string {
  const fact = (name: string, text: string): string => flow(clean(text), { width, first: `  ${padEnd(name, 10)}` });
  const failures = run.failures.map(({ id, new_seq: now, error }) =>
    flow(clean(`${id}${now === undefined ? '' : `, now ${now}`}  ${error}`), { width, first: '  ' }),
  );
  const more = run.failed + run.died - run.failures.length;
  return `${[
    theme.strong(clean(run.id)),
    fact('state', run.stopped_by === undefined ? run.state : `${run.state}, stopped by ${run.stopped_by}`),
    fact('by', `${run.who} on ${run.host} (pid ${run.pid}${run.ci ? `, ${run.ci}` : ''})`),
    fact('began', `${secondOf(run.started_at)}, last heard of ${secondOf(run.updated_at)}`),
    fact('queues', run.queues.join(', ')),
    fact('how far', progressOf(run)),
    ...(run.error === undefined ? [] : [fact('ended', run.error)]),
    // It is there to be copied: never broken.
    `  ${padEnd(isToGoOn(run) ? 'go on' : 'line', 10)}${clean(run.line)}`,
    ...(failures.length > 0 ? ['', theme.strong('What failed or died again'), ...failures] : []),
    ...(more > 0 && failures.length > 0 ? [theme.faint(`  … and ${more} more`)] : []),
  ].join('\n')}\n`;
}
