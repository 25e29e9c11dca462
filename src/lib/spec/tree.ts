import type { LineCounter } from 'yaml';
import type { Position } from '../model/resource.ts';

/** One text of a spec, read once. Lines are counted only when a position is asked for. */
export interface SourceFile {
  /** As people see it: relative to the working directory where it is below it. `<stdin>` for `-`. */
  readonly name: string;
  readonly text: string;
  readonly lines: LineCounter;
  /** Offsets of the nodes that carry an anchor: a change there reaches every alias. */
  readonly anchored: readonly (readonly [number, number])[];
}

/** A stretch of a source file, in UTF-16 units. */
export interface Place {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

export type Path = readonly (string | number)[];

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** Without quotes: it is typed again after interpolation. */
  readonly plain: boolean;
  /** The text before interpolation, where variables were filled in. Shown in place of the value, which may be secret. */
  readonly written?: string;
  /** The text after interpolation, before it was typed. */
  readonly filled?: string;
  readonly place: Place;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly place: Place;
}

export interface Entry {
  readonly keyPlace: Place;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly place: Place;
}

/** A YAML value with its place. Aliases share the node they point to. */
export type Node = ScalarNode | ListNode | MapNode;

export function positionOfPlace({ file, start }: Place): Position {
  const { line, col } = file.lines.linePos(start);
  // A document without a line break never calls the counter; its first line is then line 0.
  return { file: file.name, line: Math.max(line, 1), column: line === 0 ? start + 1 : col };
}

/** What a problem says of where it is. */
export const whereOf = (place: Place, path: Path) => ({ ...positionOfPlace(place), path: path.join('.') });

/** The node at a path, or undefined. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const part of path) {
    if (node?.kind === 'map') node = node.entries.get(String(part))?.value;
    else if (node?.kind === 'list') node = node.items[Number(part)];
    else return undefined;
  }
  return node;
}

export function entryAt(root: Node, path: Path): Entry | undefined {
  const parent = nodeAt(root, path.slice(0, -1));
  return parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
}

/** The place of a path's key (of a list's item: the item), or of the nearest that is written. */
export function placeOf(root: Node, path: Path): Place {
  let node: Node = root;
  let place = root.place;
  for (const part of path) {
    if (node.kind === 'map') {
      const entry = node.entries.get(String(part));
      if (!entry) break;
      place = entry.keyPlace;
      node = entry.value;
    } else if (node.kind === 'list' && node.items[Number(part)]) {
      node = node.items[Number(part)]!;
      place = node.place;
    } else break;
  }
  return place;
}

/** Maps merge key by key; lists and scalars of `over` replace those of `base`. */
export function mergeNodes(base: Node, over: Node): Node {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const old = entries.get(key);
    entries.set(key, old ? { ...entry, value: mergeNodes(old.value, entry.value) } : entry);
  }
  return { ...over, entries };
}

/**
 * Calls back for each scalar that is concerned and gives a tree with the answers; shared nodes are visited once, and
 * what does not change is not copied: of 40,000 values few hold a variable.
 */
export function mapScalars(
  root: Node,
  concerns: (node: ScalarNode) => boolean,
  change: (node: ScalarNode) => ScalarNode,
): Node {
  const seen = new Map<Node, Node>();
  const visit = (node: Node): Node => {
    if (node.kind === 'scalar' && !concerns(node)) return node;
    const known = seen.get(node);
    if (known) return known;
    const made =
      node.kind === 'scalar' ? change(node) : node.kind === 'list' ? mapItems(node, visit) : mapEntries(node, visit);
    seen.set(node, made);
    return made;
  };
  return visit(root);
}

/** The list itself where no item changes. */
export function mapItems(node: ListNode, change: (item: Node, index: number) => Node): ListNode {
  const items = node.items.map(change);
  return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
}

/** The map itself where no value changes. */
export function mapEntries(node: MapNode, change: (value: Node, key: string) => Node): MapNode {
  let entries: Map<string, Entry> | undefined;
  for (const [key, entry] of node.entries) {
    const value = change(entry.value, key);
    if (value === entry.value) continue;
    entries ??= new Map(node.entries);
    entries.set(key, { ...entry, value });
  }
  return entries ? { ...node, entries } : node;
}
