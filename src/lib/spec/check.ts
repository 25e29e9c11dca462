import { nearest } from '../errors/nearest.ts';
import type { Mend, SpecProblem } from './problem.ts';
import { bucketShape, consumerShape, type ObjectShape, type Shape, specShape, streamShape } from './shape.ts';
import { entryAt, type MapNode, type Node, type Path, type Place, placeOf, type ScalarNode, whereOf } from './tree.ts';
import { type Fault, readValue } from './value.ts';

/** What a spec says, with wire names and units; names not yet resolved to a `Spec`. */
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
  const fail = (path: Path, problem: SpecProblem): undefined => {
    problems.push(problem);
    faulty.push(path);
  };
  /** Undefined where it cannot be read, which has been told then. */
  const read = (node: Node, shape: Shape, path: Path): unknown => {
    if (isUnwritten(node)) return fail(path, missing(root, path));
    if (shape.kind === 'leaf') {
      const reading = readValue(shape.type, toPlain(node));
      return 'value' in reading ? reading.value : fail(path, wrong(node, shape, path, reading.fault));
    }
    if (shape.kind === 'list') {
      if (node.kind !== 'list') return fail(path, wrong(node, shape, path, LIST));
      const items = node.items.map((item, index) => read(item, shape.of, [...path, index]));
      return items.includes(undefined) ? undefined : items;
    }
    if (node.kind !== 'map') return fail(path, wrong(node, shape, path, mapFault(shape)));
    if (shape.kind === 'object') return readObject(node, shape, path);
    return fromEntries(
      [...node.entries].map(([name, { value }]) => [name, value, shape.of]),
      path,
    );
  };
  const fromEntries = (entries: readonly (readonly [string, Node, Shape])[], path: Path): Record<string, unknown> =>
    Object.fromEntries(
      entries
        .filter(([, node]) => !isUnwritten(node))
        .map(([name, node, shape]) => [name, read(node, shape, [...path, name])] as const)
        .filter(([, value]) => value !== undefined),
    );
  const readObject = (node: MapNode, shape: ObjectShape, path: Path): Record<string, unknown> | undefined => {
    const slots = [...shape.slots.values()];
    const written = (name: string) => node.entries.get(name)?.value;
    for (const { name, required } of slots) {
      if (required && isUnwritten(written(name))) fail([...path, name], missing(root, [...path, name]));
    }
    const made = fromEntries(
      slots.flatMap(({ name, shape }) => (written(name) ? [[name, written(name)!, shape] as const] : [])),
      path,
    );
    for (const key of node.entries.keys()) {
      if (!shape.slots.has(key)) fail([...path, key], unknownKey(root, path, key, shape));
    }
    const isWhole = slots.every(({ name, required }) => !required || made[name] !== undefined);
    if (isWhole) return made;
    // So that a spec without a name (which has been told) can still be judged. What else lacks its name goes as a whole.
    return shape === specShape ? { version: 1, name: 'unnamed', ...made } : undefined;
  };
  return { written: (read(root, specShape, []) ?? UNREAD) as Written, problems, faulty };
}

const UNREAD: Written = { version: 1, name: 'unnamed' };

const isUnwritten = (node: Node | undefined): boolean => !node || (node.kind === 'scalar' && node.value === null);

/** The value of a tree; what is unwritten is left out. */
function toPlain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  const written = [...node.entries].filter(([, { value }]) => !isUnwritten(value));
  return Object.fromEntries(written.map(([key, { value }]) => [key, toPlain(value)]));
}

const isSecret = (path: Path): boolean => path[0] === 'connection';

/** The value as it was written, short and in quotes; nothing where it is or may hold a secret. */
function quoted(node: Node, path: Path): string {
  if (node.kind !== 'scalar' || isSecret(path)) return 'this value';
  const text = node.written ?? typed(node);
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return node.written === undefined && typeof node.value === 'string' ? JSON.stringify(short) : `\`${short}\``;
}

/** A number of more digits than JavaScript keeps is quoted as it was typed. */
function typed({ value, place: { file, start, end } }: ScalarNode): string {
  const raw = file.text.slice(start, end);
  return typeof value === 'number' && Number(raw) === value ? raw : String(value);
}

function wrong(node: Node, shape: Shape, path: Path, { expected, hint }: Fault): SpecProblem {
  const { place, value } = culprit(node, shape);
  return {
    code: 'SPEC_TYPE',
    severity: 'error',
    ...whereOf(place, path),
    message: path.length === 0 ? 'this file is no spec' : `${nameAt(path)} must be ${expected}`,
    why: `${capital(quoted(value, path))} is ${kindOf(value)}.`,
    hint,
    ...mendOf(shape, value),
  };
}

/** `max_age`; for an item of a list `sources[2]`, counted from 0. */
function nameAt(path: Path): string {
  const last = path.at(-1);
  return typeof last === 'number' ? `${path.at(-2)}[${last}]` : String(last ?? 'the spec');
}

/** In a list or a map of texts, the one item that is wrong. */
function culprit(node: Node, shape: Shape): { place: Place; value: Node } {
  if (shape.kind === 'leaf') {
    const { type } = shape.type;
    const known = type === 'choices' ? new Set<unknown>(shape.type.values) : undefined;
    const items =
      node.kind === 'list'
        ? node.items
        : node.kind === 'map'
          ? [...node.entries.values()].map((each) => each.value)
          : [];
    const wrong = items.find((item) => {
      if (item.kind !== 'scalar') return true;
      if (known) return !known.has(item.value);
      if (type === 'durations') return 'fault' in readValue({ type: 'duration' }, item.value);
      return (type === 'texts' || type === 'map') && (typeof item.value !== 'string' || item.value === '');
    });
    if (wrong) return { place: wrong.place, value: wrong };
  }
  return { place: node.place, value: node };
}

const LIST: Fault = { expected: 'a list', hint: 'write its parts one after another, a dash before each.' };

function mapFault(shape: Exclude<Shape, { kind: 'leaf' | 'list' }>): Fault {
  const keys = shape.kind === 'object' ? [...shape.slots.keys()].slice(0, 4).join(', ') : 'names';
  return { expected: `a map with keys such as ${keys}`, hint: 'write `key: value` lines below it, indented.' };
}

function kindOf(node: Node): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.written !== undefined) return 'something else once its variables are filled in';
  if (typeof node.value === 'string') return node.value === '' ? 'empty text' : 'text';
  return typeof node.value === 'number' ? 'a number' : 'a boolean';
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

function missing(root: Node, path: Path): SpecProblem {
  const name = nameAt(path);
  const [why, hint] = REQUIRED[name] ?? ['It cannot be left out.', `add ${name}.`];
  return {
    code: 'SPEC_MISSING',
    severity: 'error',
    ...whereOf(placeOf(root, path), path),
    message: path.length > 1 ? `${path.slice(0, -1).join('.')} has no ${name}` : `the spec has no ${name}`,
    why,
    hint,
  };
}

function unknownKey(root: Node, path: Path, key: string, shape: ObjectShape): SpecProblem {
  const place = entryAt(root, [...path, key])?.keyPlace ?? placeOf(root, path);
  const guess = likelyKey(key, shape);
  // There a colon that was left out makes a key of the secret, or of a part that looks like some field.
  const isShown = !isSecret(path) || /^[a-z][a-z_]{0,30}$/i.test(key);
  const parent = path.length === 0 ? 'a spec' : `\`${path.at(-1)}\``;
  return {
    code: 'SPEC_UNKNOWN_KEY',
    severity: 'error',
    ...whereOf(place, isShown ? [...path, key] : path),
    message: `${path.length === 0 ? parent : shape.id === 'spec' ? parent : `a ${shape.id.replaceAll('_', ' ')}`} has no ${isShown ? `\`${key}\`` : 'such key'}`,
    why: 'A misspelt key would silently leave its field at the server’s default.',
    hint: elsewhere(key, shape) ?? (guess ? `did you mean ${guess}?` : `known are ${listed(shape)}.`),
  };
}

function likelyKey(key: string, shape: ObjectShape): string | undefined {
  const names = new Map(
    [...shape.slots.values()].flatMap(({ name, aliases }) => [name, ...aliases].map((word) => [word, name])),
  );
  return names.get(nearest(key, names.keys())[0] ?? '');
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
