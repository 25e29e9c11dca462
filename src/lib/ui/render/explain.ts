import type { Explanation } from '../../model/explanation.ts';
import { flow, padEnd, widthOf } from '../text.ts';
import type { Theme } from '../theme.ts';

interface View {
  readonly theme: Theme;
  readonly width: number;
}

/** What is known of keys of a spec, one after another. */
export const renderExplanations = (all: readonly Explanation[], view: View): string =>
  all.map((each) => renderOne(each, view)).join('\n\n');

/** Paragraphs are flowed to the width, with a line between; code stands as it is. */
const inBlocks = (text: string): string[] =>
  text
    .split(/\n\n+/)
    .flatMap((block, at) => [...(at > 0 ? [''] : []), isCode(block) ? block : block.replace(/\n/g, ' ')]);
const isCode = (block: string): boolean => block.startsWith('```');
const indented = (block: string): string =>
  block
    .replace(/^```.*\n?/gm, '')
    .trimEnd()
    .replace(/^/gm, '    ');

/** Markdown as it reads on a page: strong words strong, and a link by its words. */
const unmarked = (block: string, theme: Theme): string =>
  block.replace(/\*\*(.+?)\*\*/g, (_, words: string) => theme.strong(words)).replace(/\[([^\]]+)\]\([^)\s]+\)/g, '$1');

function renderOne(explanation: Explanation, { theme, width }: View): string {
  const { path, type, doc, changes = [], keys } = explanation;
  const { since, until } = explanation;
  const servers = [...(since ? [`from ${since}`] : []), ...(until ? [`up to ${until}`] : [])].join(', ');
  const rows: [string, string][] = [
    ['type', `${type}${explanation.required ? ', required' : ''}`],
    ...(explanation.default === undefined ? [] : [['default', explanation.default] as [string, string]]),
    ...(servers ? [['servers', servers] as [string, string]] : []),
    ...changes.map(({ when, in_place: inPlace, note }): [string, string] => [
      'change',
      [`${inPlace ? 'in place' : 'refused in place'}${when ? ` (${when})` : ''}`, ...(note ? [note] : [])].join(': '),
    ]),
    ...(explanation.may_delete
      ? [['data', 'a lower value can delete messages: --allow-data-loss'] as [string, string]]
      : []),
    ...(explanation.also_understood.length > 0
      ? [['also', explanation.also_understood.join(', ')] as [string, string]]
      : []),
    ...(explanation.source ? [['source', explanation.source] as [string, string]] : []),
  ];
  const label = (text: string): string => `  ${padEnd(text, 9)}`;
  const names = Math.max(0, ...keys.map(({ name }) => widthOf(name)));
  return [
    theme.strong(path),
    ...inBlocks(doc).map((block) =>
      isCode(block) ? indented(block) : block && flow(unmarked(block, theme), { width, first: '  ' }),
    ),
    '',
    ...rows.map(([name, text]) => flow(text, { width, first: theme.faint(label(name)) })),
    ...(keys.length > 0
      ? ['', ...keys.map((key) => flow(key.doc, { width, first: `  ${padEnd(key.name, names)}  ` }))]
      : []),
  ].join('\n');
}
