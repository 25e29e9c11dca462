import { distance } from 'fastest-levenshtein';
import { safeParse } from 'zod/mini';
import type { Mend, SpecProblem } from './problem.ts';
import { specSchema } from './schema.ts';
import { bucketShape, consumerShape, type ObjectShape, type Shape, shapeAt, specShape, streamShape } from './shape.ts';
import { entryAt, type Node, nodeAt, type Path, type Place, placeOf, positionOfPlace } from './tree.ts';
import { type Fault, readValue } from './value.ts';

/** What zod made of a spec: wire names and units, names not yet resolved to a `Spec`. */
export type Written = Readonly<Record<string, unknown>>;

export interface Checked {
  /** What could be read: faulty fields are left out, so that the rest can be judged all the same. */
  readonly written: Written;
  readonly problems: readonly SpecProblem[];
  /** Paths of the faulty fields. */
  readonly faulty: readonly Path[];
}

/** Checks keys, types and forms, and reads every value into wire names and units. */
export function check(root: Node): Checked {
  const problems: SpecProblem[] = [];
  const faulty: Path[] = [];
  const dropped = new Set<Node>();
  // A second pass is needed where a required key is missing: its whole object goes. Three levels of that exist.
  for (let pass = 0; pass < 4; pass++) {
    const plain = toPlain(root, dropped) as Record<string, unknown>;
    const result = safeParse(specSchema(), withNames(plain, problems.length > 0));
    if (result.success) return { written: result.data as Written, problems, faulty };
    for (const issue of result.error.issues) {
      const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
      if (issue.code === 'unrecognized_keys') {
        for (const key of issue.keys) {
          problems.push(unknownKey(root, path, key));
          faulty.push([...path, key]);
          drop(root, [...path, key], dropped);
        }
        continue;
      }
      problems.push(faultAt(root, path));
      faulty.push(path);
      drop(root, path, dropped);
    }
  }
  return { written: withNames({}, true), problems, faulty };
}

/** The value of a tree; null means unwritten. */
function toPlain(node: Node, dropped: ReadonlySet<Node>): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map((item) => toPlain(item, dropped));
  const plain: Record<string, unknown> = {};
  for (const [key, { value }] of node.entries) {
    if (dropped.has(value) || (value.kind === 'scalar' && value.value === null)) continue;
    plain[key] = toPlain(value, dropped);
  }
  return plain;
}

/** So that a spec without a name (which has been told) can still be judged. */
function withNames(plain: Record<string, unknown>, told: boolean): Record<string, unknown> {
  return told ? { version: 1, name: 'unnamed', ...plain } : plain;
}

/** Leaves out the node at a path, or what encloses it where it is not there or is an item of a list. */
function drop(root: Node, path: Path, dropped: Set<Node>): void {
  for (let length = path.length; length > 0; length--) {
    const part = path.slice(0, length);
    const entry = entryAt(root, part);
    if (entry) {
      dropped.add(entry.value);
      return;
    }
  }
}

const at = (place: Place, path: Path) => ({ ...positionOfPlace(place), path: path.join('.') });

const isSecret = (path: Path): boolean => path[0] === 'connection';

/** The value as it was written, short and in quotes; nothing where it is or may hold a secret. */
function quoted(node: Node, path: Path): string {
  if (node.kind !== 'scalar' || isSecret(path)) return 'this value';
  const text = node.written ?? String(node.value);
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return node.written === undefined && typeof node.value === 'string' ? JSON.stringify(short) : `\`${short}\``;
}

function faultAt(root: Node, path: Path): SpecProblem {
  const shape = shapeAt(path);
  const node = nodeAt(root, path);
  const name = String(path.at(-1) ?? 'the spec');
  if (!node || (node.kind === 'scalar' && node.value === null)) return missing(root, path, name);
  const fault = shape ? faultOf(shape, node) : undefined;
  const { place, value } = culprit(node, shape);
  return {
    code: 'SPEC_TYPE',
    severity: 'error',
    ...at(place, path),
    message: path.length === 0 ? 'this file is no spec' : `${name} must be ${fault?.expected ?? 'something else'}`,
    why: `${capital(quoted(value, path))} is ${kindOf(value)}.`,
    hint: fault?.hint ?? 'see the reference of fields.',
    ...(shape ? mendOf(shape, value) : {}),
  };
}

/** In a list or a map of texts, the one item that is wrong. */
function culprit(node: Node, shape: Shape | undefined): { place: Place; value: Node } {
  if (shape?.kind === 'leaf') {
    const { type } = shape.type;
    const items =
      node.kind === 'list'
        ? node.items
        : node.kind === 'map'
          ? [...node.entries.values()].map((each) => each.value)
          : [];
    const wrong = items.find((item) => {
      if (item.kind !== 'scalar') return true;
      if (type === 'durations') return 'fault' in readValue({ type: 'duration' }, item.value);
      return (type === 'texts' || type === 'map') && (typeof item.value !== 'string' || item.value === '');
    });
    if (wrong && type !== 'choices') return { place: wrong.place, value: wrong };
  }
  return { place: node.place, value: node };
}

function faultOf(shape: Shape, node: Node): Fault {
  if (shape.kind === 'leaf') {
    const reading = readValue(shape.type, toPlain(node, new Set()));
    if ('fault' in reading) return reading.fault;
  }
  if (shape.kind === 'list')
    return { expected: 'a list', hint: 'write its parts one after another, a dash before each.' };
  const keys = shape.kind === 'object' ? [...shape.slots.keys()].slice(0, 4).join(', ') : 'names';
  return { expected: `a map with keys such as ${keys}`, hint: 'write `key: value` lines below it, indented.' };
}

function kindOf(node: Node): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.written !== undefined) return 'something else once its variables are filled in';
  if (typeof node.value === 'string') return node.value === '' ? 'empty text' : 'text';
  return typeof node.value === 'number' ? 'a number' : 'true or false';
}

/** Quotes that are missing around text, or too many around a number, can be mended without doubt. */
function mendOf(shape: Shape, node: Node): { mend?: Mend } {
  if (shape.kind !== 'leaf' || node.kind !== 'scalar' || node.written !== undefined) return {};
  const { start, end, file } = node.place;
  const { type } = shape.type;
  const raw = file.text.slice(start, end);
  if (node.plain && typeof node.value !== 'string' && ['text', 'texts', 'map', 'server-version'].includes(type)) {
    return { mend: { edits: [{ start, end, text: JSON.stringify(raw) }] } };
  }
  if (!node.plain && typeof node.value === 'string' && ['count', 'flag', 'version'].includes(type)) {
    const bare = type === 'flag' ? /^(true|false)$/ : /^-?\d+$/;
    if (bare.test(node.value)) return { mend: { edits: [{ start, end, text: node.value }] } };
  }
  return {};
}

const REQUIRED: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  version: [
    'It says which format the file has, so that later builds read it as it was meant.',
    'add `version: 1` at the top.',
  ],
  name: [
    'It is the owner mark on every resource, by which apply and destroy tell theirs from others.',
    'add `name: ` and a name of letters, digits, dashes and underscores.',
  ],
  stream: ['The DLQ is a stream of its own.', 'add `stream: ` and a name, such as requests_dlq.'],
  bucket: ['Responses are kept in a KV bucket.', 'add `bucket: ` and a name, such as responses.'],
};

function missing(root: Node, path: Path, name: string): SpecProblem {
  const [why, hint] = REQUIRED[name] ?? ['It cannot be left out.', `add ${name}.`];
  return {
    code: 'SPEC_MISSING',
    severity: 'error',
    ...at(placeOf(root, path), path),
    message: path.length > 1 ? `${path.slice(0, -1).join('.')} has no ${name}` : `the spec has no ${name}`,
    why,
    hint,
  };
}

function unknownKey(root: Node, path: Path, key: string): SpecProblem {
  const shape = shapeAt(path) as ObjectShape;
  const place = entryAt(root, [...path, key])?.keyPlace ?? placeOf(root, path);
  const guess = nearest(key, shape);
  const parent = path.length === 0 ? 'a spec' : `\`${path.at(-1)}\``;
  return {
    code: 'SPEC_UNKNOWN_KEY',
    severity: 'error',
    ...at(place, [...path, key]),
    message: `${path.length === 0 ? parent : shape.id === 'spec' ? parent : `a ${shape.id.replaceAll('_', ' ')}`} has no \`${key}\``,
    why: 'A misspelt key would silently leave its field at the server’s default.',
    hint: elsewhere(key, shape) ?? (guess ? `did you mean ${guess}?` : `known are ${listed(shape)}.`),
  };
}

function nearest(key: string, shape: ObjectShape): string | undefined {
  let best: { name: string; off: number } | undefined;
  for (const { name, aliases } of shape.slots.values()) {
    for (const word of [name, ...aliases]) {
      const off = distance(key.toLowerCase(), word);
      if (!best || off < best.off) best = { name, off };
    }
  }
  return best && best.off <= Math.max(2, Math.floor(key.length / 3)) ? best.name : undefined;
}

/** Keys that are right in another place. */
function elsewhere(key: string, shape: ObjectShape): string | undefined {
  if (['name', 'durable_name', 'durable'].includes(key)) return 'leave it out: the name is the key above.';
  const homes: readonly (readonly [ObjectShape, string])[] = [
    [consumerShape, 'a consumer: move it below `consumers`'],
    [streamShape, 'a stream'],
    [bucketShape, 'a bucket'],
    [specShape, 'the spec: move it to the top level'],
  ];
  const home = homes.find(([other]) => other !== shape && other.slots.has(key));
  return home ? `it belongs to ${home[1]}.` : undefined;
}

function listed(shape: ObjectShape): string {
  const names = [...shape.slots.keys()];
  return names.length > 12 ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more` : names.join(', ');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
