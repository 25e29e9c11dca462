import { isObject } from '../model/json.ts';

/** Steps into a JSON value: names and indexes. */
export type JsonPath = readonly (string | number)[];

/** Reads `.type`, `.error.code`, `.items[0].id`, `.["a b"]`; `undefined` for anything else. `.` is the whole value. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text === '.') return [];
  const step = /\.?\["((?:[^"\\]|\\.)*)"\]|\.?\[(\d{1,9})\]|\.([\p{L}\p{N}_$-]+)/uy;
  const path: (string | number)[] = [];
  for (let at = 0; at < text.length; at = step.lastIndex) {
    step.lastIndex = at;
    const match = step.exec(text);
    if (!match) return undefined;
    const [, quoted, index, name] = match;
    path.push(index !== undefined ? Number(index) : (name ?? unquote(quoted!)));
  }
  return path.length > 0 ? path : undefined;
}

const unquote = (text: string): string => text.replace(/\\(.)/gu, '$1');

/** What lies at a path; `undefined` where nothing does. */
export function valueAt(value: unknown, path: JsonPath): unknown {
  let at: unknown = value;
  for (const step of path) {
    if (typeof step === 'number') at = Array.isArray(at) ? at[step] : undefined;
    else at = isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
    if (at === undefined) return undefined;
  }
  return at;
}
