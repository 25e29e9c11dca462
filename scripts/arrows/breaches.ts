import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { DOORS, mayAct, NAMES_MODULES, ROOMS, roomOf, ruleOf, SPELLINGS } from './rooms.ts';
import { type Import, type Name, type Seen, see } from './seen.ts';

export interface Source {
  /** Its path from the repository's root, with slashes. */
  readonly file: string;
  readonly text: string;
}

/** A file with what it refers to: its own modules as files of the repository, Node's with `node:`, packages by name. */
interface Looked {
  readonly file: string;
  readonly seen: Seen;
  readonly ours: readonly { readonly to: string; readonly line: number }[];
  readonly nodes: readonly Import[];
  readonly packages: readonly { readonly name: string; readonly line: number }[];
}

function lookAt({ file, text }: Source): Looked {
  const seen = see(file, text);
  const looked = { file, seen, ours: [], nodes: [], packages: [] } as {
    [K in keyof Looked]: Looked[K] extends readonly (infer T)[] ? T[] : Looked[K];
  };
  for (const one of seen.imports) {
    const { from, line } = one;
    if (from === undefined) continue;
    if (from.startsWith('.')) looked.ours.push({ to: normalize(join(dirname(file), from)), line });
    else if (from.startsWith('node:')) looked.nodes.push(one);
    else if (builtinModules.includes(from)) looked.nodes.push({ ...one, from: `node:${from}` });
    // `@scope/name/part` is a part of `@scope/name`.
    else looked.packages.push({ name: from.split('/', from.startsWith('@') ? 2 : 1).join('/'), line });
  }
  return looked;
}

/** A rule gives what is wrong with a file, each with its line. */
type Rule = (looked: Looked) => Iterable<readonly [line: number, what: string]>;

const arrows: Rule = function* ({ file, ours }) {
  const room = roomOf(file);
  const { imports } = ruleOf(file);
  for (const { to, line } of ours) {
    if (!to.startsWith('src/')) yield [line, `imports ${to}, which is no part of the program`];
    else if (roomOf(to) !== room && !imports.includes(roomOf(to))) {
      yield [line, `imports ${to}: the room ${room} may not import ${roomOf(to)}`];
    }
  }
};

const knownRoom: Rule = function* ({ file }) {
  if (!ROOMS[roomOf(file)] && !DOORS[file]) yield [1, 'is in no room of scripts/arrows/rooms.ts'];
};

const namedModules: Rule = function* ({ file, seen }) {
  for (const { from, line } of seen.imports) {
    if (from === undefined && !NAMES_MODULES.includes(file)) yield [line, 'imports what only its run can name'];
  }
};

const packages: Rule = function* ({ file, packages }) {
  const { packages: known = [] } = ruleOf(file);
  for (const { name, line } of packages) {
    if (!known.includes(name)) yield [line, `imports ${name}, which is none of this room’s packages`];
  }
};

/** Modules of Node that only compute; of those with names, these names. */
const PURE_MODULES: Readonly<Record<string, 'all' | readonly string[]>> = {
  'node:buffer': 'all',
  'node:path': 'all',
  'node:string_decoder': 'all',
  'node:url': 'all',
  'node:util': 'all',
  'node:zlib': 'all',
  'node:crypto': ['createHash', 'createHmac', 'timingSafeEqual'],
};

function isPure({ from = '', type, taken }: Import): boolean {
  const names = PURE_MODULES[from];
  if (type || names === 'all') return true;
  return names !== undefined && (taken?.every((name) => names.includes(name)) ?? false);
}

/** Globals that act, and what of them only computes. */
const GLOBALS: Readonly<Record<string, (name: Name) => boolean>> = {
  ...Object.fromEntries(
    [
      'BroadcastChannel',
      'EventSource',
      'MessageChannel',
      'Temporal',
      'WebSocket',
      'Worker',
      'WebAssembly',
      'XMLHttpRequest',
      'clearImmediate',
      'clearInterval',
      'clearTimeout',
      'crypto',
      'fetch',
      'global',
      'globalThis',
      'import.meta',
      'localStorage',
      'navigator',
      'performance',
      'process',
      'scheduler',
      'sessionStorage',
      'setImmediate',
      'setInterval',
      'setTimeout',
    ].map((name) => [name, () => false]),
  ),
  AbortSignal: ({ member, use }) => use === 'instanceof' || member === 'any' || member === 'abort',
  Date: ({ member, use }) => use === 'instanceof' || use === 'dated' || member === 'parse' || member === 'UTC',
  Intl: ({ member }) => member !== undefined && member !== 'DateTimeFormat',
  Math: ({ member }) => member !== undefined && member !== 'random',
};

const shown = ({ name, member }: Name): string => (member === undefined ? name : `${name}.${member}`);

function* actsOf({ seen, nodes }: Looked): Generator<readonly [line: number, what: string]> {
  for (const one of nodes) if (!isPure(one)) yield [one.line, `acts, by ${one.from}`];
  for (const one of seen.names) {
    if (Object.hasOwn(GLOBALS, one.name) && !GLOBALS[one.name]!(one)) yield [one.line, `acts, by ${shown(one)}`];
  }
}

const acting: Rule = (looked) => (mayAct(looked.file) ? [] : actsOf(looked));

/** What makes code out of text, or reaches a module or a class past the imports and the names. */
const UNSEEN = new Set(['Function', 'constructor', 'eval', 'require']);

const unseen: Rule = function* ({ seen, nodes }) {
  for (const { name, line, use } of seen.names) {
    if (UNSEEN.has(name) && use !== 'instanceof') yield [line, `uses ${name}, past which nobody sees`];
  }
  for (const { from, line } of nodes) {
    if (from === 'node:module' || from === 'node:vm') yield [line, `uses ${from}, past which nobody sees`];
  }
};

const ERRORS = new Set([
  'AggregateError',
  'DOMException',
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
]);

/** A bare error has no code, no place and nothing to do about it: only the room `errors` makes errors of ours out of them. */
const errors: Rule = function* ({ file, seen }) {
  if (roomOf(file) === 'errors') return;
  for (const { name, line, use } of seen.names) {
    if (ERRORS.has(name) && use !== 'instanceof') yield [line, `makes a bare ${name}: throw an OpsError`];
  }
  for (const line of seen.thrown) yield [line, 'throws what is no error'];
};

const printing: Rule = function* ({ seen }) {
  for (const { name, line } of seen.names) if (name === 'console') yield [line, 'prints past the doors, by console'];
};

const spells = (text: string, pattern: RegExp): boolean => pattern.test(text) && !/\s/.test(text);
const isIn = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`);

const spellings: Rule = function* ({ file, seen }) {
  for (const { what, pattern, places } of SPELLINGS) {
    if (places.some((place) => isIn(file, place))) continue;
    for (const { text, line } of seen.texts) if (spells(text, pattern)) yield [line, `spells ${what}: ${text}`];
  }
};

const RULES: readonly Rule[] = [knownRoom, arrows, namedModules, packages, acting, unseen, errors, printing, spellings];

/** Circles of files, each as the way round: nobody reads one of them without the others. Types count. */
function findCircles(all: ReadonlyMap<string, Looked>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const circles: string[] = [];
  const walk = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push(`${[...path.slice(at), file].join(' → ')}: a circle`);
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const { to } of all.get(file)?.ours ?? []) walk(to);
    path.pop();
    done.add(file);
  };
  for (const file of all.keys()) walk(file);
  return circles;
}

/** What the table of rooms allows and nobody needs. */
function findIdle(all: readonly Looked[]): string[] {
  const tables = [...Object.entries(ROOMS), ...Object.entries(DOORS)];
  const inTable = (name: string) => all.filter(({ file }) => file === name || (ROOMS[name] && roomOf(file) === name));
  const silent = SPELLINGS.flatMap(({ what, pattern, places }) =>
    places
      .filter(
        (place) =>
          !all.some(({ file, seen }) => isIn(file, place) && seen.texts.some(({ text }) => spells(text, pattern))),
      )
      .map((place) => `scripts/arrows/rooms.ts: ${place} does not spell ${what}: take it out`),
  );
  const idle = tables.flatMap(([name, { imports, packages = [], acts = [] }]) => {
    const files = inTable(name);
    const rooms = new Set(files.flatMap(({ ours }) => ours.map(({ to }) => roomOf(to))));
    const bought = new Set(files.flatMap((looked) => looked.packages.map((one) => one.name)));
    const actors = files.filter((looked) => !actsOf(looked).next().done).map(({ file }) => file);
    const unused = [
      ...imports.filter((room) => !rooms.has(room)),
      ...packages.filter((one) => !bought.has(one)),
      ...(acts === 'all' ? [] : acts.filter((one) => !actors.includes(`src/lib/${name}/${one}.ts`))),
    ];
    return unused.map((what) => `scripts/arrows/rooms.ts: ${name} does not need ${what}: take it out`);
  });
  return [...idle, ...silent];
}

/** What docs/architecture.md says of who may import whom, where the table says otherwise. */
export function findStale(page: string): string[] {
  const rows = [...page.matchAll(/^\| `(\w+)` +\|.*\| ([^|]*?) +\|$/gm)].map(([, room, told]) => `${room}: ${told}`);
  const want = Object.entries(ROOMS).map(([room, { imports }], above) => {
    const told = imports.length === 0 ? 'nothing' : imports.length === above ? 'all above' : imports.join(' ');
    return `${room}: ${told}`;
  });
  if (rows.join('\n') === want.join('\n')) return [];
  const wrong = want.filter((row) => !rows.includes(row));
  return [
    `docs/architecture.md: its rooms are not those of scripts/arrows/rooms.ts, in this order: ${wrong.join('; ')}`,
  ];
}

/** What is wrong with files by the table of rooms, a line each. Where they are the whole of src, the table may be no wider. Pure. */
export function findBreaches(sources: readonly Source[], { whole = false } = {}): string[] {
  const all = sources.map(lookAt);
  const found = all.flatMap((looked) =>
    RULES.flatMap((rule) => [...rule(looked)].map(([line, what]) => `${looked.file}:${line}: ${what}`)),
  );
  const circles = findCircles(new Map(all.map((looked) => [looked.file, looked])));
  return [...found, ...circles, ...(whole ? findIdle(all) : [])];
}
