import { camelCase } from '../facts/field.ts';
import type { Mend, SpecProblem } from './problem.ts';
import type { ObjectShape, Shape } from './shape.ts';
import {
  type Entry,
  type MapNode,
  mapEntries,
  mapItems,
  type Node,
  type Path,
  type Place,
  type ScalarNode,
  whereOf,
} from './tree.ts';
import type { Leaf } from './value.ts';

/** Every spelling of an object's keys → the name on the wire. Made once for each shape. */
const spellings = new WeakMap<ObjectShape, ReadonlyMap<string, string>>();

function spellingsOf(shape: ObjectShape): ReadonlyMap<string, string> {
  let known = spellings.get(shape);
  if (!known) {
    const words = new Map<string, string>();
    for (const { name, aliases } of shape.slots.values()) {
      for (const word of [...aliases, camelCase(name), ...aliases.map(camelCase), name.replaceAll('_', '-')]) {
        if (!shape.slots.has(word)) words.set(word, name);
      }
    }
    known = words;
    spellings.set(shape, known);
  }
  return known;
}

const simple = (text: string): string => text.toLowerCase().replaceAll(/[\s_-]/g, '');

/** The word the server knows for a spelling people bring along (`workq`, `WorkQueue`, `byStartTime`). */
export function choiceOf(type: Extract<Leaf, { type: 'choice' }>, value: string): string | undefined {
  if (type.values.includes(value)) return undefined;
  const meant = simple(value);
  return type.aliases?.[meant] ?? type.values.find((word) => simple(word) === meant);
}

/**
 * Rewrites what people know from elsewhere into the server's words: the nats CLI's names, camelCase, other spellings of
 * a choice. Each is told as a warning with its mend. Empty maps stand for a resource with nothing but defaults.
 */
export function translate(
  root: Node,
  shape: Shape,
): { readonly root: Node; readonly problems: readonly SpecProblem[] } {
  const problems: SpecProblem[] = [];
  const visit = (node: Node, at: Shape, path: Path): Node => {
    if (at.kind === 'leaf') return leafOf(node, at.type, path);
    if (at.kind === 'list') {
      if (node.kind !== 'list') return node;
      return mapItems(node, (item, index) => visit(item, at.of, [...path, index]));
    }
    if (node.kind !== 'map') return node;
    if (at.kind === 'named') return mapEntries(node, (value, name) => visit(orEmpty(value), at.of, [...path, name]));
    return objectOf(node, at, path);
  };
  const objectOf = (node: MapNode, at: ObjectShape, path: Path): Node => {
    const entries = new Map<string, Entry>();
    let isSame = true;
    for (const [key, entry] of node.entries) {
      // Keys beginning with x- hold anchors to share and mean nothing themselves.
      if (at.id === 'spec' && (key.startsWith('x-') || key === 'extends')) {
        isSame = false;
        continue;
      }
      const name = at.slots.has(key) ? key : (spellingsOf(at).get(key) ?? key);
      if (name !== key) {
        if (node.entries.has(name)) {
          problems.push(twice(entry.keyPlace, [...path, key], key, name));
          isSame = false;
          continue;
        }
        problems.push(otherKey(entry.keyPlace, [...path, key], key, name));
      }
      const slot = at.slots.get(name);
      const value = slot ? visit(entry.value, slot.shape, [...path, name]) : entry.value;
      entries.set(name, value === entry.value ? entry : { ...entry, value });
      isSame &&= name === key && value === entry.value;
    }
    return isSame ? node : { ...node, entries };
  };
  const leafOf = (node: Node, type: Leaf, path: Path): Node => {
    if (type.type === 'texts' || type.type === 'choices') {
      if (node.kind === 'list') return mapItems(node, asText);
      // One text where a list is wanted can only mean a list of one.
      if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '') {
        return { kind: 'list', items: [node], place: node.place };
      }
      return node;
    }
    if (type.type === 'map' && node.kind === 'map') return mapEntries(node, asText);
    if (node.kind !== 'scalar') return node;
    if (type.type === 'text' || type.type === 'secret' || type.type === 'name' || type.type === 'server-version') {
      return asText(node);
    }
    if (type.type === 'choice' && typeof node.value === 'string') {
      const word = choiceOf(type, node.value);
      if (word === undefined) return node;
      problems.push(otherValue(node, path, word));
      return { ...node, value: word };
    }
    return node;
  };
  return { root: visit(root, shape, []), problems };
}

/** A variable's value is text where text is wanted, though `7` alone would be a number. */
const asText = (node: Node): Node =>
  node.kind === 'scalar' && node.filled !== undefined ? { ...node, value: node.filled } : node;

const orEmpty = (node: Node): Node =>
  node.kind === 'scalar' && node.value === null ? { kind: 'map', entries: new Map(), place: node.place } : node;

/** Keeps the quotes that are there. */
function rewrite(place: Place, text: string): Mend {
  const raw = place.file.text.slice(place.start, place.end);
  const quote = raw.startsWith('"') || raw.startsWith("'") ? raw[0]! : '';
  return { edits: [{ start: place.start, end: place.end, text: `${quote}${text}${quote}` }] };
}

const otherKey = (place: Place, path: Path, key: string, name: string): SpecProblem => ({
  code: 'SPEC_OTHER_WORD',
  severity: 'warning',
  ...whereOf(place, path),
  message: `\`${key}\` is called \`${name}\` here`,
  why: 'A spec uses the names of the JetStream API; other spellings are understood.',
  hint: `write ${name}.`,
  mend: rewrite(place, name),
});

const otherValue = (node: ScalarNode, path: Path, word: string): SpecProblem => ({
  code: 'SPEC_OTHER_WORD',
  severity: 'warning',
  ...whereOf(node.place, path),
  message: `\`${node.written ?? node.value}\` is called \`${word}\` here`,
  why: 'A spec uses the words of the JetStream API; other spellings are understood.',
  hint: `write ${word}.`,
  ...(node.written === undefined ? { mend: rewrite(node.place, word) } : {}),
});

const twice = (place: Place, path: Path, key: string, name: string): SpecProblem => ({
  code: 'SPEC_DUPLICATE_KEY',
  severity: 'error',
  ...whereOf(place, path),
  message: `\`${key}\` and \`${name}\` are the same field`,
  why: 'Only one of the two could count.',
  hint: `keep ${name}.`,
});
