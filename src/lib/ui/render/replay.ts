import {
  fateWords,
  type ImportResult,
  type ReplayGroup,
  type ReplayResult,
  type TransformSample,
} from '../../model/replay.ts';
import { toType } from '../../model/shell.ts';
import { clean, cleanLine } from '../sanitize.ts';
import { counted, flow, padEnd, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { ageOf, shorten } from './dlq.ts';

const agesOf = ({ first_died_at: first, last_died_at: last }: ReplayGroup, now: Date): string => {
  const [oldest, newest] = [ageOf(first, now), ageOf(last, now)];
  return oldest === newest ? `died ${oldest} ago` : `died ${newest} to ${oldest} ago`;
};

const WIDEST_VALUE = 200;

/** What a transform makes of one, in lines that are taken away and added. */
function sampleLines({ id, changes }: TransformSample, theme: Theme, width: number): string[] {
  const cell = (sign: string, path: string, value: string) => {
    const text = clean(`${path} ${value}`);
    return `    ${sign} ${widthOf(text) > WIDEST_VALUE ? shorten(text, WIDEST_VALUE) : text}`;
  };
  const lines = changes.flatMap(({ path, from, to }) => [
    ...(from === null ? [] : [theme.delete(cell('-', path, from))]),
    ...(to === null ? [] : [theme.create(cell('+', path, to))]),
  ]);
  return ['', flow(`${clean(id)} would be changed:`, { width, first: '  ' }), ...lines];
}

interface Look {
  readonly theme: Theme;
  readonly width: number;
  readonly now: Date;
}

/** A row for each group. */
function groupLines(groups: readonly ReplayGroup[], { width, now }: Look): string[] {
  const rows = groups.map((group) => [
    String(group.count),
    clean(`${group.queue}/${group.consumer}`),
    clean(group.subject),
    group.reason,
    group.first_died_at === null ? 'no advisory' : agesOf(group, now),
    cleanLine(group.detail ?? ''),
  ]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column]!))));
  return rows.map(([count = '', ...cells]) => {
    const text = cells.map((cell, column) => padEnd(cell, widths[column + 1]!)).join('  ');
    return flow(text.trimEnd(), { width, first: `  ${padEnd(count, widths[0]!)}  ` });
  });
}

/** What a dry run found. */
export function renderPreview(result: ReplayResult, look: Look): string {
  const { theme, width } = look;
  const groups = result.groups ?? [];
  if (groups.length === 0) return 'Nothing would be replayed.\n';
  const { changed, remaining } = result;
  const ofAll = changed === undefined ? [] : ['', `  ${changed} of ${remaining} would be changed.`];
  const samples = (result.samples ?? []).flatMap((sample) => sampleLines(sample, theme, width));
  return `${theme.strong(`Would replay ${counted(result.remaining, 'dead letter')}:`)}\n${[...groupLines(groups, look), ...ofAll, ...samples].join('\n')}\n`;
}

/** What a replay did, in a sentence or two. */
export function renderReplayed(result: ReplayResult, { theme }: { theme: Theme }): string {
  const { replayed, skipped, fates, deaths = {}, same_reason: same, late = 0 } = result;
  const lines = [
    replayed === 0 ? 'Nothing was replayed.' : theme.good(`Replayed ${counted(replayed, 'dead letter')}.`),
  ];
  if (fates) {
    const unfollowed = replayed - Object.values(fates).reduce((sum, count) => sum + count, 0);
    const reasons = Object.entries(deaths).map(([reason, count]) => `${count} × ${cleanLine(reason)}`);
    const why = ` (${same === fates.died ? 'same reason: ' : ''}${reasons.join(', ')})`;
    // A canary alone is followed without --wait.
    const parts = [...fateWords(fates, why), ...(unfollowed > 0 ? [`${unfollowed} not followed`] : [])];
    lines.push(`${parts.join(', ')}.`);
  }
  if (skipped > 0) lines.push(`${counted(skipped, 'dead letter')} skipped.`);
  if (late > 0) lines.push(`${late} left the queue by another hand at the same moment, and may be done twice.`);
  return `${lines.join('\n')}\n`;
}

/** What a rebuild did. */
export function renderRebuilt(
  result: { rebuilt: number; uncertain: number; dry_run?: true; entries: readonly unknown[] },
  { theme }: { theme: Theme },
): string {
  const { entries, uncertain } = result;
  const found = counted(entries.length, 'orphan');
  const text = result.dry_run
    ? `${found} would get an entry.`
    : entries.length === 0
      ? 'No orphans to write an entry for.'
      : theme.good(`${found} got an entry.`);
  const more =
    uncertain > 0 ? `\n${uncertain} more may be dead or in flight: run it again when those are settled.` : '';
  return `${text}${more}\n`;
}

/** What a purge did. */
export function renderPurged(
  result: {
    purged: number;
    originals: number;
    archive?: string;
    dry_run?: true;
    groups?: readonly ReplayGroup[];
  },
  look: Look,
): string {
  const { theme } = look;
  const what = counted(result.purged, 'dead letter');
  const { groups = [] } = result;
  if (groups.length > 0) return `${theme.strong(`Would purge ${what}:`)}\n${groupLines(groups, look).join('\n')}\n`;
  if (result.dry_run) return `Would purge ${what}.\n`;
  if (result.purged === 0) return 'Nothing to purge.\n';
  const archive = clean(result.archive ?? '');
  const messages = result.originals > 0 ? ` and ${counted(result.originals, 'message')}` : '';
  const back = clean(toType`osapi-ops dlq import ${result.archive ?? ''}`);
  return `${theme.good(`Purged ${what}`)}${messages}. Archived in ${archive}\n\`${back}\` brings them back\n`;
}

/** What an import did. */
export function renderImported(
  result: Pick<ImportResult, 'imported' | 'dry_run' | 'entries'>,
  { theme }: { theme: Theme },
): string {
  const what = counted(result.imported, 'dead letter');
  const why = Map.groupBy(
    result.entries.filter(({ outcome }) => outcome === 'skipped'),
    ({ error = '' }) => error,
  );
  const skipped = [...why].map(([reason, all]) => ` ${all.length} skipped: ${cleanLine(reason)}.`).join('');
  return `${result.dry_run ? `Would import ${what}.` : theme.good(`Imported ${what}.`)}${skipped}\n`;
}
