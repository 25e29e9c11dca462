import type { Diagnosis, Symptom } from '../../model/diagnosis.ts';
import { clean } from '../sanitize.ts';
import { flow, padEnd, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';
import { nextLine } from './words.ts';

const SIGNS: Readonly<Record<Symptom['status'], string>> = {
  ok: '✓',
  warn: '!',
  critical: '✗',
  unknown: '?',
  skipped: '-',
};

/** The walk from the settings to the permissions, a line for each step, with what to do where it goes wrong. */
export function renderDiagnosis(
  { settings, symptoms }: Diagnosis,
  { theme, width }: { theme: Theme; width: number },
): string {
  const style = {
    ok: theme.good,
    warn: theme.warn,
    critical: theme.refuse,
    unknown: theme.faint,
    skipped: theme.faint,
  };
  const names = Math.max(...settings.map(({ name }) => widthOf(name)));
  const ids = Math.max(...symptoms.map(({ id }) => widthOf(id)));
  const lines = [
    theme.strong('Settings'),
    ...settings.map(({ name, value, source }) =>
      flow(`${clean(value)} ${theme.faint(`(${clean(source)})`)}`, { width, first: `  ${padEnd(name, names)}  ` }),
    ),
    '',
    theme.strong('Findings'),
  ];
  for (const { id, status, summary, next } of symptoms) {
    lines.push(flow(clean(summary), { width, first: `${style[status](SIGNS[status])} ${padEnd(clean(id), ids)}  ` }));
    if (next) lines.push(nextLine(clean(next), { theme, width, indent: ids + 4 }));
  }
  return `${lines.join('\n')}\n`;
}
