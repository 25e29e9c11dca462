import { nearest } from '../errors/nearest.ts';
import { bucketFields } from '../facts/bucket-fields.ts';
import { consumerFields } from '../facts/consumer-fields.ts';
import { camelCase, type Field } from '../facts/field.ts';
import { streamFields } from '../facts/stream-fields.ts';
import type { Explanation } from '../model/explanation.ts';
import type { Config } from '../model/json.ts';
import { QUEUE_DEFAULTS } from './assemble.ts';
import { changeCases, defaultWords, line, ownDefault, slotType } from './field-words.ts';
import { type ObjectShape, type Shape, type Slot, specShape } from './shape.ts';

interface Found {
  readonly path: readonly string[];
  readonly slot: Slot;
}

const MOST_NEAR = 3;

/** `[KEY]`: the shape below a map by name or a list counts for what is in it. */
const within = (shape: Shape): { readonly object?: ObjectShape; readonly named: boolean } => {
  if (shape.kind === 'object') return { object: shape, named: false };
  if (shape.kind === 'leaf') return { named: false };
  return { object: within(shape.of).object, named: shape.kind === 'named' };
};

function* everySlot(shape: Shape, path: readonly string[]): Generator<Found> {
  const { object, named } = within(shape);
  for (const slot of object?.slots.values() ?? []) {
    const here = [...path, ...(named ? ['NAME'] : []), slot.name];
    yield { path: here, slot };
    yield* everySlot(slot.shape, here);
  }
}

const ALL: readonly Found[] = [...everySlot(specShape, [])];
const isCalled = (slot: Slot, word: string): boolean =>
  [slot.name, ...slot.aliases, camelCase(slot.name)].includes(word);

/** Follows a whole path from the top; names of resources, and their absence, are passed over. */
function follow(words: readonly string[]): Found | undefined {
  let found: Found | undefined;
  let isNamed = false;
  for (const word of words) {
    const { object, named } = within(found?.slot.shape ?? specShape);
    const slot = [...(object?.slots.values() ?? [])].find((each) => isCalled(each, word));
    if (slot) found = { path: [...(found?.path ?? []), ...(named ? ['NAME'] : []), slot.name], slot };
    else if (!named || isNamed) return undefined;
    isNamed = slot === undefined;
  }
  return found;
}

const TABLES: Readonly<Record<string, readonly Field[]>> = {
  stream: streamFields,
  consumer: consumerFields,
  bucket: bucketFields,
};

/** What the spec puts where a key of a queue's own is left out, where that is not for the server to say. */
const ownDefaults = (path: readonly string[]): Config =>
  path.length === 3 && path[0] === 'queues' ? QUEUE_DEFAULTS : {};

function ofField(
  field: Field,
  path: readonly string[],
): Pick<Explanation, 'default' | 'since' | 'until' | 'changes' | 'may_delete' | 'source'> {
  const table = Object.values(TABLES).find((fields) => fields.includes(field));
  return {
    ...(table && {
      default: ownDefault(
        field,
        ownDefaults(path),
        defaultWords(field, table, table === consumerFields ? streamFields : undefined),
      ),
      changes: changeCases(field).map(({ verdict: { impact, note = '' }, when }) => ({
        when,
        in_place: impact !== 'replace',
        note,
      })),
      may_delete: field.loss !== undefined,
    }),
    ...(field.since && { since: line(field.since) }),
    ...(field.until && { until: field.until }),
    source: field.source,
  };
}

function explanationOf({ path, slot }: Found): Explanation {
  const { object } = within(slot.shape);
  return {
    path: path.join('.'),
    type: slotType(slot),
    doc: slot.doc,
    required: slot.required === true,
    ...(slot.field && ofField(slot.field, path)),
    also_understood: [...new Set([...slot.aliases, camelCase(slot.name)])].filter((word) => word !== slot.name),
    keys: [...(object?.slots.values() ?? [])].map((each) => ({
      name: each.name,
      type: slotType(each),
      doc: each.doc,
    })),
  };
}

/** The keys of a spec at its top. */
export const topKeys = (): Explanation['keys'] =>
  [...specShape.slots.values()].map((slot) => ({ name: slot.name, type: slotType(slot), doc: slot.doc }));

/** Paths that may be meant: those whose last word is nearest, first where more of the other words are theirs, too. */
function nearPaths(words: readonly string[]): readonly string[] {
  const shared = (path: readonly string[]) => words.filter((word) => path.includes(word)).length;
  const names = nearest(
    words.at(-1) ?? '',
    ALL.map(({ slot }) => slot.name),
    MOST_NEAR,
  );
  const paths = names.flatMap((name) =>
    ALL.flatMap(({ slot, path }) => (slot.name === name ? [path] : [])).sort((a, b) => shared(b) - shared(a)),
  );
  return [...new Set(paths.map((path) => path.join('.')))].slice(0, MOST_NEAR);
}

/**
 * What is known of a key: by its whole path (with or without the names of resources), or by its last words alone.
 * @returns the same key in several places is told once for each that differs; the nearest paths where there is none
 */
export function explain(path: string): { readonly found: readonly Explanation[]; readonly near: readonly string[] } {
  const words = path.split('.').filter((word) => word !== '');
  const whole = follow(words);
  if (whole) return { found: [explanationOf(whole)], near: [] };
  const ending = ALL.filter(({ path: at, slot }) => {
    const keys = at.filter((word) => word !== 'NAME');
    const before = words.slice(0, -1);
    return (
      isCalled(slot, words.at(-1) ?? '') && before.every((word, i) => keys[keys.length - words.length + i] === word)
    );
  });
  // `dlq.max_age` and `queues.NAME.max_age` are one field of the server's.
  const firsts = ending.filter(
    ({ slot }, at) => ending.findIndex((other) => (other.slot.field ?? other.slot) === (slot.field ?? slot)) === at,
  );
  if (firsts.length > 0) return { found: firsts.map(explanationOf), near: [] };
  return { found: [], near: nearPaths(words) };
}
