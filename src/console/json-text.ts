// JSON as it was written: numbers as their text, keys in their order, also those that are there twice. Bounded, for it
// comes from anybody.

export type JsonNode =
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, JsonNode])[]; readonly cut: boolean }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly cut: boolean }
  | { readonly kind: 'string'; readonly text: string }
  /** A number, or one of the three words. */
  | { readonly kind: 'plain'; readonly text: string }
  /** Deeper than is looked. */
  | { readonly kind: 'deep' };

export const MOST_NODES = 5000;
export const DEEPEST = 60;

const BLANK = /[ \t\r\n]*/y;
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;

/** A tree of it; undefined where it is no JSON. What is past the bounds is read, and left out. */
export function parseJsonText(text: string): JsonNode | undefined {
  let at = 0;
  let nodes = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const skip = (character: string): boolean => {
    take(BLANK);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const list = (end: string, item: () => boolean): boolean => {
    if (skip(end)) return true;
    do if (!item()) return false;
    while (skip(','));
    return skip(end);
  };
  const value = (depth: number): JsonNode | undefined => {
    nodes += 1;
    take(BLANK);
    if (depth > 2000) return undefined;
    if (text[at] === '{') {
      at += 1;
      const entries: [string, JsonNode][] = [];
      let cut = false;
      const whole = list('}', () => {
        take(BLANK);
        const key = take(STRING);
        if (key === undefined || !skip(':')) return false;
        const isRoom = nodes < MOST_NODES;
        const found = value(depth + 1);
        if (found === undefined) return false;
        if (isRoom) entries.push([JSON.parse(key) as string, found]);
        else cut = true;
        return true;
      });
      if (!whole) return undefined;
      return depth >= DEEPEST ? { kind: 'deep' } : { kind: 'object', entries, cut };
    }
    if (text[at] === '[') {
      at += 1;
      const items: JsonNode[] = [];
      let cut = false;
      const whole = list(']', () => {
        const isRoom = nodes < MOST_NODES;
        const found = value(depth + 1);
        if (found === undefined) return false;
        if (isRoom) items.push(found);
        else cut = true;
        return true;
      });
      if (!whole) return undefined;
      return depth >= DEEPEST ? { kind: 'deep' } : { kind: 'array', items, cut };
    }
    const string = take(STRING);
    if (string !== undefined) return { kind: 'string', text: JSON.parse(string) as string };
    const plain = take(PLAIN);
    return plain === undefined || plain === '' ? undefined : { kind: 'plain', text: plain };
  };
  const root = value(0);
  take(BLANK);
  return root !== undefined && at === text.length ? root : undefined;
}

/** How many lines of text hold a word, up to a bound; for the search in a payload. */
export function occurrences(text: string, word: string, most = 999): number {
  if (word === '') return 0;
  const low = text.toLowerCase();
  const sought = word.toLowerCase();
  let found = 0;
  for (let at = low.indexOf(sought); at >= 0 && found < most; at = low.indexOf(sought, at + sought.length)) found += 1;
  return found;
}

/** The path of `--where` and `--by` that leads to a value: `json:.a.b[0]`. */
export const pathStep = (path: string, key: string | number): string =>
  typeof key === 'number'
    ? `${path}[${key}]`
    : /^[\p{L}\p{N}_$-]+$/u.test(key)
      ? `${path}.${key}`
      : `${path}[${JSON.stringify(key)}]`;
