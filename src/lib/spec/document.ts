import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseAllDocuments,
  Scalar,
  type YAMLError,
} from 'yaml';
import { Fault } from '../errors/fault.ts';
import { isError, type SpecProblem } from './problem.ts';
import { type Entry, type Node, type Place, positionOfPlace, type SourceFile } from './tree.ts';

/** Values a spec may hold after its aliases are written out. 500 queues need about 40,000. */
const MOST_VALUES = 1_000_000;
const MOST_LEVELS = 50;
/** Syntax errors told one by one; the rest follow from the first ones as a rule. */
const MOST_SYNTAX_ERRORS = 10;

export interface ParsedFile {
  readonly file: SourceFile;
  /** Absent where the text is no YAML or holds nothing. */
  readonly root?: Node;
  readonly problems: readonly SpecProblem[];
}

/** Text → nodes with places. Never throws: whatever the text is, the problems say what is wrong with it. */
export function parseText(name: string, text: string): ParsedFile {
  const lines = new LineCounter();
  const anchored: [number, number][] = [];
  const file: SourceFile = { name, text, lines, anchored };
  const at = (start: number, end = start): Place => ({ file, start, end });
  try {
    // Unique keys are checked in `convert`: the library compares each key with each.
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: 'silent',
    });
    const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
    const faults = syntaxProblems(documents, at);
    if (faults.some(isError)) return { file, problems: faults };
    const second = documents.slice(1).find((document) => document.contents !== null);
    if (second) return { file, problems: [...faults, manyDocuments(at(second.range[0]))] };
    const contents = documents[0]?.contents;
    if (!contents || (isScalar(contents) && contents.value === null))
      return { file, problems: [...faults, empty(at(0))] };
    if (!isMap(contents)) return { file, problems: [...faults, noMap(at(contents.range[0]))] };
    const converter = new Converter(documents[0]!, at, anchored);
    const root = converter.convert(contents);
    const problems = [...faults, ...converter.problems];
    return problems.some(isError) ? { file, problems } : { file, root, problems };
  } catch (error) {
    // Thousands of nested brackets exhaust the stack of any recursive reader.
    if (!(error instanceof Fault) && (error as Error).name !== 'RangeError') throw error;
    return { file, problems: [tooDeep(at(0))] };
  }
}

const problem = (code: string, place: Place, message: string, why: string, hint: string): SpecProblem => ({
  code,
  severity: 'error',
  ...positionOfPlace(place),
  message,
  why,
  hint,
});

const empty = (place: Place): SpecProblem =>
  problem(
    'SPEC_EMPTY',
    place,
    `${place.file.name} holds nothing`,
    'A spec needs at least `version`, `name` and one queue, stream or bucket.',
    '`osapi-ops init` writes one to begin with.',
  );

const noMap = (place: Place): SpecProblem =>
  problem(
    'SPEC_TYPE',
    place,
    `${place.file.name} is no spec`,
    'A spec is a map: `key: value` lines that begin with `version: 1`.',
    'check the path; `osapi-ops init` writes a spec to begin with.',
  );

const manyDocuments = (place: Place): SpecProblem =>
  problem(
    'SPEC_MULTIPLE_DOCUMENTS',
    place,
    'a second YAML document begins here',
    'One file is one system; what stands after `---` would be ignored by one reader and used by another.',
    'put it into a file of its own, or share through `extends`.',
  );

const tooDeep = (place: Place): SpecProblem =>
  problem(
    'SPEC_TOO_DEEP',
    place,
    'the YAML is nested too deeply to read',
    'A spec is at most a dozen levels deep.',
    'look for brackets that are opened and never closed.',
  );

/** Tags of programs that people use: such a word is no password. */
const TAGS =
  /!(?:And|Base64|binary|env|ENV|Equals|FindInMap|GetAtt|If|ImportValue|include|Join|Not|Or|Ref|reference|secret|Select|Split|Sub|vault)\b/;

/** `!env`, `!Sub`, `!vault`: without the program that fills them in, what stands behind one would be applied as it is. */
const unknownTag = (place: Place, message: string): SpecProblem =>
  problem(
    'SPEC_TAG',
    place,
    `${TAGS.test(message) ? `the tag ${/!\S*/.exec(message)![0]}` : 'what begins with ! is a tag, and this one'} means nothing here`,
    'Tags are filled in by other programs; without them the text behind one would be applied as it is.',
    `let that program fill it in first, or write \${VAR}, which is filled from the environment; put text that begins with ! into quotes.`,
  );

/** What the library's codes mean for somebody who edits a spec. */
const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces: YAML takes no tabs there.',
  BAD_INDENT: 'line it up with its neighbours: keys of one map begin in the same column.',
  MISSING_CHAR: 'close what was opened: a quote, a bracket, or the colon after a key.',
  BLOCK_AS_IMPLICIT_KEY: 'a value with `: ` in it needs quotes.',
  UNEXPECTED_TOKEN: `put text with special characters into quotes; in \`[…]\` lists also anything with \`\${…}\`.`,
  BAD_SCALAR_START: 'put the value into quotes.',
  BAD_ALIAS: 'an alias `*name` needs an anchor `&name` before it; a wildcard such as `*.new` needs quotes.',
  MULTILINE_IMPLICIT_KEY: 'a key stands on one line and ends with `: `; is a colon missing?',
};

/** Where the library quotes the text: it may be a password that begins with a sign of YAML's. */
const QUOTED = /(?::|(?<=escape sequence))\s.*$/s;

/** The library's own faults, the first at each place. */
function syntaxProblems(documents: readonly Document.Parsed[], at: (start: number) => Place): SpecProblem[] {
  const faults: YAMLError[] = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  const overflow = faults.find(({ message }) => /stack/i.test(message));
  if (overflow) return [tooDeep(at(overflow.pos[0]))];
  const byPlace = new Map<number, YAMLError>();
  for (const fault of faults) if (!byPlace.has(fault.pos[0])) byPlace.set(fault.pos[0], fault);
  const rest = byPlace.size - MOST_SYNTAX_ERRORS;
  return [...byPlace.values()].slice(0, MOST_SYNTAX_ERRORS).map((fault, index): SpecProblem => {
    if (fault.code === 'TAG_RESOLVE_FAILED') return unknownTag(at(fault.pos[0]), fault.message);
    const words = `${fault.message.charAt(0).toLowerCase()}${fault.message.slice(1)}`.replace(QUOTED, '');
    const more = rest > 0 && index === MOST_SYNTAX_ERRORS - 1 ? ` (and ${rest} more)` : '';
    return {
      code: fault.code === 'TAB_AS_INDENT' ? 'SPEC_TAB' : 'SPEC_YAML',
      severity: fault.name === 'YAMLWarning' ? 'warning' : 'error',
      ...positionOfPlace(at(fault.pos[0])),
      message: `this is no valid YAML: ${words}${more}`,
      why: 'Nothing after this place can be trusted, so the spec was not read further.',
      hint:
        SYNTAX_HINTS[fault.code] ?? 'compare the line with one that works; an editor with a YAML mode shows it too.',
    };
  });
}

class Converter {
  readonly problems: SpecProblem[] = [];
  readonly #document: Document.Parsed;
  readonly #at: (start: number, end: number) => Place;
  readonly #anchored: [number, number][];
  readonly #done = new Map<unknown, { node: Node; size: number }>();
  readonly #open = new Set<unknown>();
  #size = 0;

  constructor(document: Document.Parsed, at: (start: number, end: number) => Place, anchored: [number, number][]) {
    this.#document = document;
    this.#at = at;
    this.#anchored = anchored;
  }

  /** Throws a Fault beyond the depth any spec has, long before the stack is used up. */
  convert(source: unknown): Node {
    if (this.#open.size > MOST_LEVELS) throw new Fault('NESTED_TOO_DEEPLY');
    const found = this.#done.get(source);
    if (found) {
      this.#count(found.size, found.node.place);
      return found.node;
    }
    const before = this.#size;
    this.#open.add(source);
    const node = this.#make(source as ParsedNode);
    this.#open.delete(source);
    this.#count(1, node.place);
    // Only what has an anchor is ever asked for again.
    if ((source as ParsedNode & { anchor?: string }).anchor)
      this.#done.set(source, { node, size: this.#size - before });
    return node;
  }

  /** What is written out counts, not what is written: nine aliases of nine aliases make billions of ten lines. */
  #count(size: number, place: Place): void {
    if (this.#size <= MOST_VALUES && this.#size + size > MOST_VALUES) {
      this.problems.push(
        problem(
          'SPEC_ALIAS_BOMB',
          place,
          `with its aliases written out this spec has more than ${MOST_VALUES.toLocaleString('en-US')} values`,
          'Aliases of aliases multiply; no real system is that large.',
          'write the values out, or share them through `extends`.',
        ),
      );
    }
    this.#size += size;
  }

  #make(source: ParsedNode): Node {
    const [start, end] = source.range;
    const place = this.#at(start, end);
    const nothing: Node = { kind: 'scalar', value: null, plain: true, place };
    if (!isAlias(source) && source.anchor) this.#anchored.push([start, end]);
    if (isAlias(source)) return this.#alias(source, place) ?? nothing;
    if (isSeq(source)) return { kind: 'list', items: source.items.map((item) => this.convert(item)), place };
    if (isMap(source)) return { kind: 'map', entries: this.#entries(source.items, place), place };
    const plain = source.type === Scalar.PLAIN || source.type === undefined;
    const { value } = source;
    const usable = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return { kind: 'scalar', value: usable ? value : value === null ? null : String(value), plain, place };
  }

  #alias(source: ParsedNode, place: Place): Node | undefined {
    const target = isAlias(source) ? source.resolve(this.#document) : undefined;
    if (target && !this.#open.has(target)) return this.convert(target);
    this.problems.push(
      problem(
        'SPEC_ALIAS_CYCLE',
        place,
        'this alias points to a value that contains it',
        'Written out it would never end.',
        'write the value out, or point to another anchor.',
      ),
    );
    return undefined;
  }

  #entries(items: readonly unknown[], place: Place): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    const merged: Node[] = [];
    for (const pair of items) {
      if (!isPair(pair)) continue;
      const keyNode = pair.key as ParsedNode | null;
      const keyPlace = keyNode?.range ? this.#at(keyNode.range[0], keyNode.range[1]) : place;
      const name = isScalar(keyNode) && keyNode.value !== null ? (keyNode.source ?? String(keyNode.value)) : undefined;
      if (name === undefined || name === '__proto__' || name === '') {
        this.problems.push(
          problem(
            'SPEC_KEY',
            keyPlace,
            'a key must be a single word or name',
            'Keys here name fields, streams, consumers and buckets.',
            'write `name: value`.',
          ),
        );
        continue;
      }
      const value: Node = pair.value
        ? this.convert(pair.value)
        : { kind: 'scalar', value: null, plain: true, place: { ...keyPlace, start: keyPlace.end } };
      if (name === '<<' && (value.kind === 'map' || value.kind === 'list')) {
        merged.push(...(value.kind === 'list' ? value.items : [value]));
        continue;
      }
      const first = entries.get(name);
      if (first) {
        const { line } = positionOfPlace(first.keyPlace);
        this.problems.push(
          problem(
            'SPEC_DUPLICATE_KEY',
            keyPlace,
            `\`${name}\` is written twice; it stands in line ${line} already`,
            'Only one of the two could count, and readers disagree about which.',
            'keep one of them.',
          ),
        );
        continue;
      }
      entries.set(name, { keyPlace, value });
    }
    // `<<: *defaults` is older than YAML 1.2 and much used: what is written beside it wins.
    for (const node of merged) {
      if (node.kind !== 'map') continue;
      for (const [name, entry] of node.entries) if (!entries.has(name)) entries.set(name, entry);
    }
    return entries;
  }
}
