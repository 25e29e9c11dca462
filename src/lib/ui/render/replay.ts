import type { ReplayGroup, ReplayResult } from '../../model/replay.ts';
import { clean } from '../sanitize.ts';
import { counted, padEnd, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { ageOf } from './dlq.ts';

const agesOf = ({ first_died_at: first, last_died_at: last }: ReplayGroup, now: Date): string => {
  const [oldest, newest] = [ageOf(first, now), ageOf(last, now)];
  return oldest === newest ? `died ${oldest} ago` : `died ${newest} to ${oldest} ago`;
};

/** What a dry run found: a row for each group. */
export function renderPreview(result: ReplayResult, { theme, now }: { theme: Theme; now: Date }): string {
  const groups = result.groups ?? [];
  if (groups.length === 0) return 'Nothing would be replayed.\n';
  const rows = groups.map((group) => [
    String(group.count),
    clean(`${group.queue}/${group.consumer}`),
    clean(group.subject),
    group.reason,
    group.first_died_at === null ? 'no advisory' : agesOf(group, now),
  ]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]!))));
  const lines = rows.map(
    (row) =>
      `  ${row
        .map((cell, column) => padEnd(cell, widths[column]!))
        .join('  ')
        .trimEnd()}`,
  );
  return `${theme.strong(`Would replay ${counted(result.remaining, 'dead letter')}:`)}\n${lines.join('\n')}\n`;
}

/** What a replay did, in a sentence or two. */
export function renderReplayed(result: ReplayResult, { theme }: { theme: Theme }): string {
  const { replayed, skipped, fates, deaths = {}, late = 0 } = result;
  const lines = [
    replayed === 0 ? 'Nothing was replayed.' : theme.good(`Replayed ${counted(replayed, 'dead letter')}.`),
  ];
  if (fates) {
    const reasons = Object.entries(deaths).map(([reason, count]) => `${count} × ${clean(reason)}`);
    const parts = [
      fates.answered > 0 ? `${fates.answered} answered` : '',
      fates.acked > 0 ? `${fates.acked} acked without a response` : '',
      fates.died > 0 ? `${fates.died} died again (${reasons.join(', ')})` : '',
      fates.unknown > 0 ? `${fates.unknown} not settled yet` : '',
    ];
    lines.push(`${parts.filter(Boolean).join(', ')}.`);
  }
  if (skipped > 0) lines.push(`${counted(skipped, 'dead letter')} skipped.`);
  if (late > 0) lines.push(`${late} left the queue by another hand at the same moment, and may be done twice.`);
  return `${lines.join('\n')}\n`;
}
