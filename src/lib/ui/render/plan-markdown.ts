import type { Change, Finding, ShownPlan } from '../../model/plan.ts';
import { keyOf } from '../../model/resource.ts';
import { clean } from '../sanitize.ts';
import { asSentences, counted } from '../text.ts';
import { SIGNS } from '../theme.ts';
import { showField } from './value.ts';
import {
  fieldOrigin,
  messageUnder,
  originWords,
  reasonOf,
  retriesOf,
  serverOf,
  summaryOf,
  verdictOf,
  wayBackOf,
} from './words.ts';

export interface MarkdownView {
  /** Characters. */
  readonly maxLength?: number;
}

/** GitHub refuses a comment of more than 65,536 characters; some are left for who writes more into it. */
export const LONGEST_COMMENT = 60_000;

/**
 * Everything Markdown or HTML could read as syntax. Letters, digits, spaces and a few harmless signs stay readable; so do a
 * single underscore within a word, which emphasizes nothing, and the colons of a server's address, which nothing links.
 */
const SYNTAX =
  /(?!(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])|(?<=\b(?:nats|tls)):(?=\/\/)|:(?=\d{1,5}(?![\w:])))[^\p{L}\p{N} .,;/=+%→°-]/gu;

const entity = (character: string): string => `&#${character.codePointAt(0)};`;

/** Untrusted text behind other text. A mention is looked for after entities are read, so the sign is parted from the name. */
const inLine = (value: string): string =>
  clean(value)
    .replace(SYNTAX, entity)
    .replaceAll('&#64;', '&#64;<!-- -->')
    .replace(/www\./gi, (match) => match.replace('.', '&#46;'));

/** Untrusted text for a sentence. */
const text = (value: string): string =>
  inLine(value)
    // At the start of a line these would open a list or underline a heading.
    .replace(/^(\s*)([-+=])/, (_, space: string, sign: string) => space + entity(sign))
    .replace(/^(\s*\d+)\./, '$1&#46;');

/** Untrusted text as code: no mention, no link, no emphasis. */
const code = (value: string): string => `<code>${inLine(value)}</code>`;

/** A plan as a comment on a pull request: Markdown, at most `maxLength` characters; what does not fit is counted. */
export function renderPlanMarkdown(plan: ShownPlan, { maxLength = LONGEST_COMMENT }: MarkdownView = {}): string {
  const { create, update, replace, delete: gone } = plan.summary;
  const isEmpty = create + update + replace + gone === 0;
  const head = [
    `### Plan for ${code(plan.system)}`,
    isEmpty
      ? plan.summary.unchanged === 0
        ? '**Nothing to do.**'
        : `**Nothing to do:** ${counted(plan.summary.unchanged, 'resource')} as the spec says.`
      : `**${summaryOf(plan)}**`,
    `${code(plan.target.url)}, ${inLine(serverOf(plan.target))}; chosen by ${inLine(plan.target.chosenBy)}`,
  ];
  const blocks = [
    ...refusalsOf(plan).map((finding) => `> **${verdictOf(finding)}:** ${sentenceOf(finding, true)}`),
    ...plan.changes.map((change) => changeBlock(plan, change)),
    ...unplaced(plan).map((finding) => `**${verdictOf(finding)}:** ${sentenceOf(finding, true)}`),
    ...leftAloneBlock(plan),
  ];
  return `${within(head, blocks, maxLength).join('\n\n')}\n`;
}

/** Kept free for the sentence that says how much is missing, in characters. */
const RESERVE = 200;

function within(head: readonly string[], blocks: readonly string[], maxLength: number): string[] {
  const shown = [...head];
  let length = head.join('\n\n').length;
  for (const [index, block] of blocks.entries()) {
    length += block.length + 2;
    if (length + RESERVE > maxLength) {
      const missing = counted(blocks.length - index, 'more part');
      return [
        ...shown,
        `_${missing} of this plan would make the comment too long. Run_ \`osapi-ops plan\` _to read all._`,
      ];
    }
    shown.push(block);
  }
  return shown;
}

const stops = ({ severity, unless }: Finding): boolean => severity === 'refuse' && unless === undefined;

const refusalsOf = ({ findings }: ShownPlan): Finding[] => findings.filter(stops);

/** Findings that no block of a change shows, and that are no refusals (those stand on top). */
const unplaced = ({ findings, changes }: ShownPlan): Finding[] =>
  findings.filter((finding) => !stops(finding) && !changes.some((change) => keyOf(change) === finding.resource));

function sentenceOf(finding: Finding, isNamed: boolean): string {
  const isTold = finding.hint !== undefined && finding.unless === undefined;
  const sentences = asSentences([text(messageUnder(finding)), ...(isTold ? [text(finding.hint!)] : [])]);
  return isNamed ? `${code(finding.resource)}: ${sentences}` : sentences;
}

function changeBlock(plan: ShownPlan, change: Change): string {
  const origin = originWords(change);
  const title = `<strong>${SIGNS[change.action]} ${change.action}</strong> ${change.kind} ${code(change.name)}${origin ? `: ${origin}` : ''}`;
  const notes = [
    ...[reasonOf(change)].flatMap((reason) => (reason ? [text(reason)] : [])),
    ...[retriesOf(change)].flatMap((line) => (line ? [text(line)] : [])),
    ...plan.findings
      .filter((finding) => finding.resource === keyOf(change) && !stops(finding))
      .map((finding) => `**${verdictOf(finding)}:** ${sentenceOf(finding, false)}`),
    ...(wayBackOf(change) ? [`The way back: ${text(wayBackOf(change))}`] : []),
  ];
  const body = [...tableOf(change), ...notes].join('\n\n');
  // What is new is long and seldom read line by line; what changes or goes must not hide.
  const open = change.action === 'create' ? '' : ' open';
  return `<details${open}><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

function tableOf(change: Change): string[] {
  if (change.fields.length === 0) return [];
  const isNew = change.action === 'create' && change.fields.every((field) => field.from === null);
  const rows = change.fields.map((field) => {
    const meaning = [
      ...(field.impact === 'replace' ? ['**cannot be changed in place**'] : []),
      ...(field.note ? [text(field.note)] : []),
      ...(field.origin !== change.origin && change.action !== 'create' ? [fieldOrigin(field.origin)] : []),
    ].filter(Boolean);
    const sides = isNew ? (['to'] as const) : (['from', 'to'] as const);
    const values = sides.map((side) => code(showField(change.kind, field, side)));
    return `| ${[code(field.path), ...values, meaning.join('; ')].join(' | ')} |`;
  });
  const columns = ['field', ...(isNew ? ['value'] : ['on the server', 'after apply']), 'what it means'];
  return [[`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`, ...rows].join('\n')];
}

function leftAloneBlock({ leftAlone }: ShownPlan): string[] {
  if (leftAlone.length === 0) return [];
  const lines = leftAlone.map(({ resource, what }) => `- ${code(resource)}: ${text(what)}`);
  return [`<details><summary>Left alone: ${leftAlone.length}</summary>\n\n${lines.join('\n')}\n\n</details>`];
}
