// Sentences about a field, found by asking its own rules: representative values go in, what differs is told.
import type { Field, FieldType, FillContext, Verdict } from '../facts/field.ts';
import { hasField } from '../facts/fields.ts';
import { type Config, equalJson, type Json } from '../model/json.ts';
import { printDuration, printSize } from '../model/units.ts';
import type { Slot } from './shape.ts';

/** The server lines that differ in some fact, oldest first. */
export const LINES = ['2.10', '2.11', '2.12', '2.14'] as const;

const MINUTE = 60e9;

/** Values that show how a field of this type behaves; the first is what it commonly is without a word about it. */
function samplesOf(type: FieldType): readonly Json[] {
  switch (type.type) {
    case 'flag':
      return [false, true];
    case 'count':
    case 'size':
      return [1, 3];
    case 'duration':
      return [MINUTE, 10 * MINUTE];
    case 'choice':
      return type.values;
    case 'text':
      return ['', 'one', 'other'];
    case 'time':
      return ['', '2030-01-31T12:00:00Z'];
    case 'texts':
      return [['orders.new'], ['orders.new', 'orders.old']];
    case 'durations':
      return [[5e9], [5e9, 10e9]];
    case 'map':
      return [{}, { team: 'ops' }];
    case 'group':
      return [{}, { name: 'ONE' }, { name: 'OTHER' }];
    case 'groups':
      return [[], [{ name: 'ONE' }]];
  }
}

/** A value as the spec writes it. */
export function written(type: FieldType, value: Json): string {
  if (type.type === 'duration') return value === 0 ? '0' : printDuration(Number(value));
  if (type.type === 'durations') return `[${(value as number[]).map(printDuration).join(', ')}]`;
  if ((type.type === 'count' || type.type === 'size') && value === -1) return 'unlimited';
  if (type.type === 'size') return printSize(Number(value));
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}

/** How a value of the type is written, in a few words. */
export function typeWords(type: FieldType): string {
  switch (type.type) {
    case 'flag':
      return 'true or false';
    case 'count': {
      const least = type.min ?? (type.unlimited ? undefined : 0);
      const range = type.max === undefined ? (least ? ` from ${least}` : '') : `, ${least ?? 0} to ${type.max}`;
      return `number${range}${type.unlimited ? ' or unlimited' : ''}`;
    }
    case 'size':
      return `size (\`512MB\`, \`1GiB\`, bytes)${type.unlimited ? ' or unlimited' : ''}`;
    case 'duration':
      return `duration (\`30s\`, \`1h30m\`, \`7d\`)${type.min && type.min > 1 ? `, at least ${printDuration(type.min)}` : ''}`;
    case 'durations':
      return 'list of durations';
    case 'choice':
      return type.values
        .map((value) => `\`${value}\`${type.since?.[value] ? ` (from ${line(type.since[value])})` : ''}`)
        .join(', ');
    case 'text':
      return 'text';
    case 'time':
      return 'moment (`2030-01-31T12:00:00Z`)';
    case 'texts':
      return 'list of texts';
    case 'map':
      return 'map of texts';
    case 'group':
      return 'map';
    case 'groups':
      return `list of maps, told apart by \`${type.key}\``;
  }
}

/** What a slot takes, for the keys that are the spec's own. */
export function slotType({ shape, field }: Slot): string {
  if (field) return typeWords(field.type);
  if (shape.kind === 'named') return `map of ${shape.what}s by name`;
  if (shape.kind !== 'leaf') return 'map';
  switch (shape.type.type) {
    case 'version':
      return '`1`';
    case 'name':
      return 'name: letters, digits, `-`, `_`';
    case 'server-version':
      return 'version, as `2.12`';
    case 'secret':
      return 'text, never printed';
    case 'urls':
      return 'list of URLs, or one text with commas';
    case 'choices':
      return `list of ${shape.type.values.map((value) => `\`${value}\``).join(', ')}`;
    case 'limit':
      return { count: 'number or `off`', duration: 'duration or `off`', percent: 'percentage or `off`' }[shape.type.of];
    default:
      return typeWords(shape.type);
  }
}

/** `2.11.0` → `2.11`. */
export const line = (version: string): string => version.split('.').slice(0, 2).join('.');

const fillOf = (field: Field, context: FillContext): Json =>
  typeof field.fill === 'function' ? field.fill(context) : field.fill;

/**
 * What the server puts where the field is left out, and which neighbours alter that: each other field of the table is
 * set alone to each of its sample values, on each server line, and what comes out otherwise is told.
 */
export function defaultWords(field: Field, table: readonly Field[], streamTable?: readonly Field[]): string {
  const lines = LINES.filter((version) => hasField(field, `${version}.0`));
  const base = fillOf(field, { version: `${lines.at(-1)}.0`, config: { name: 'NAME' } });
  const plain = written(field.type, base);
  if (typeof field.fill !== 'function') return isUnset(base) ? 'none' : `\`${plain}\``;
  const cases = new Map<string, string[]>();
  const probe = (words: string, context: Omit<FillContext, 'version'>): void => {
    const differs = lines.filter((version) => !equalJson(fillOf(field, { version: `${version}.0`, ...context }), base));
    if (differs.length === 0) return;
    const value = written(field.type, fillOf(field, { version: `${differs.at(-1)}.0`, ...context }));
    const from = differs[0] === lines[0] ? '' : ` (from ${differs[0]})`;
    cases.set(`${value}${from}`, [...(cases.get(`${value}${from}`) ?? []), words]);
  };
  for (const other of table.filter(({ name }) => name !== field.name)) {
    for (const sample of samplesOf(other.type).filter((value) => !isNothing(value)))
      probe(`\`${other.name}: ${written(other.type, sample)}\``, { config: { name: 'NAME', [other.name]: sample } });
  }
  const limits = streamTable?.find(({ name }) => name === 'consumer_limits')?.type;
  for (const part of limits?.type === 'group' ? limits.fields : []) {
    const stream = { consumer_limits: { [part.name]: part.type.type === 'duration' ? MINUTE : 500 } } as Config;
    probe(`the stream’s \`consumer_limits.${part.name}\``, { config: { name: 'NAME' }, stream });
  }
  const started = equalJson(base, ['NAME']) ? 'the stream’s name' : isUnset(base) ? 'none' : `\`${plain}\``;
  const others = [...cases].map(([value, words]) => {
    const [, shown, from = ''] = /^(.*?)( \(from .*\))?$/.exec(value)!;
    return `${shown === '[]' ? 'none' : `\`${shown}\``}${from} with ${anyOf(words)}`;
  });
  return [started, ...others].join('; ');
}

/** The default of a field that the spec has one of its own for; `server` is what the server would put. */
export function ownDefault(field: Field, own: Config, server: string): string {
  const value = own[field.name];
  return value === undefined ? server : `\`${written(field.type, value)}\` (the server’s own is ${server})`;
}

/** A set of examples of one field is told by the field alone where all of them act alike. */
function anyOf(words: readonly string[]): string {
  const fields = new Map<string, string[]>();
  for (const word of words) {
    const name = /^`(\w+):/.exec(word)?.[1] ?? word;
    fields.set(name, [...(fields.get(name) ?? []), word]);
  }
  return [...fields]
    .map(([name, all]) => ((all.length > 1 && all[0] !== name) || /[{[]/.test(all[0]!) ? `\`${name}\`` : all[0]!))
    .join(' or ');
}

const isUnset = (value: Json): boolean =>
  value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
const isNothing = (value: Json): boolean => value === false || isUnset(value);

/** One thing the server does with a change, and when it does so. */
export interface ChangeCase {
  readonly verdict: Verdict;
  readonly when: string;
}

/** How the server takes a change: every pair of sample values on every line, single and clustered, then told as few cases. */
export function changeCases(field: Field): readonly ChangeCase[] {
  const { change } = field;
  if (change === 'in-place') return [{ verdict: { impact: 'in-place' }, when: '' }];
  if (typeof change === 'object') return [{ verdict: { impact: 'replace', note: change.never }, when: '' }];
  const lines = LINES.filter((version) => hasField(field, `${version}.0`));
  const samples = samplesOf(field.type);
  const found = new Map<string, { verdict: Verdict; moves: Set<string>; lines: Set<string>; modes: Set<boolean> }>();
  for (const version of lines) {
    for (const clustered of [false, true]) {
      for (const from of samples) {
        for (const to of samples.filter((value) => !equalJson(value, from))) {
          const move = { from, to, before: {}, after: {}, version: `${version}.0`, clustered };
          const verdict = change(move);
          const key = JSON.stringify(verdict);
          const known = found.get(key) ?? { verdict, moves: new Set(), lines: new Set(), modes: new Set() };
          found.set(key, {
            verdict,
            moves: known.moves.add(moveWords(field.type, from, to)),
            lines: known.lines.add(version),
            modes: known.modes.add(clustered),
          });
        }
      }
    }
  }
  const allMoves = new Set([...found.values()].flatMap(({ moves }) => [...moves]));
  return [...found.values()].map(({ verdict, moves, lines: on, modes }) => ({
    verdict,
    when: [
      moves.size === allMoves.size ? '' : movesWords(field.type, [...moves]),
      modes.size === 2 ? '' : modes.has(true) ? 'on a cluster' : 'on a single server',
      on.size === lines.length ? '' : on.has(lines[0]!) ? `up to ${[...on].at(-1)}` : `from ${[...on][0]}`,
    ]
      .filter(Boolean)
      .join(', '),
  }));
}

function moveWords(type: FieldType, from: Json, to: Json): string {
  switch (type.type) {
    case 'flag':
      return to ? 'on' : 'off';
    case 'count':
    case 'size':
    case 'duration':
      return Number(to) > Number(from) ? 'raised' : 'lowered';
    case 'texts':
    case 'durations':
    case 'groups':
      return (to as Json[]).length > (from as Json[]).length ? 'added to' : 'taken from';
    case 'choice':
      return `${written(type, from)} → ${written(type, to)}`;
    default:
      return isNothing(from) ? 'set' : isNothing(to) ? 'removed' : 'to another';
  }
}

/** Every move from or to one choice is told by that choice. */
function movesWords(type: FieldType, moves: readonly string[]): string {
  if (type.type !== 'choice') return moves.join(' or ');
  const all = type.values.flatMap((from) => type.values.filter((to) => to !== from).map((to) => `${from} → ${to}`));
  const around = type.values.find((value) => {
    const mine = all.filter((move) => move.split(' → ').includes(value));
    return mine.length === moves.length && mine.every((move) => moves.includes(move));
  });
  if (around) return `to or from \`${around}\``;
  return moves.map((move) => `\`${move}\``).join(' or ');
}
