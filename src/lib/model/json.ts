/** A JSON value as it travels to and from the server. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object: a stream's, consumer's or bucket's configuration in the names and units of the JetStream API. */
export type Config = { readonly [field: string]: Json };

export const isObject = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a field holds where it is of its kind, else what stands for it: nobody knows what an answer or a file carries. */
export const objectOf = (value: unknown): Config => (isObject(value) ? value : {});
export const numberOf = (value: unknown, otherwise = 0): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
export const textOf = (value: unknown, otherwise = ''): string => (typeof value === 'string' ? value : otherwise);
export const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value : []);
export const textsOf = (value: unknown): readonly string[] => listOf(value).filter((one) => typeof one === 'string');

/**
 * A value as JSON, however deep it lies: a payload may nest 200,000 levels, where JSON.stringify has no stack left.
 * `undefined` fields are left out.
 */
export function deepText(value: unknown, keysOf: (of: Config) => string[] = Object.keys): string {
  const parts: string[] = [];
  // What is still to write, the next of it last.
  const rest: ({ readonly text: string } | { readonly value: unknown })[] = [{ value }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if ('text' in next) {
      parts.push(next.text);
      continue;
    }
    const of = next.value;
    const fields = isObject(of) ? keysOf(of).filter((key) => of[key] !== undefined) : [];
    const items = Array.isArray(of)
      ? of.map((item: unknown) => ({ label: '', item }))
      : fields.map((key) => ({ label: `${JSON.stringify(key)}:`, item: (of as Config)[key] }));
    if (!Array.isArray(of) && !isObject(of)) {
      parts.push(JSON.stringify(of) ?? 'null');
      continue;
    }
    const [begin, end] = Array.isArray(of) ? '[]' : '{}';
    rest.push({ text: end! });
    for (let index = items.length - 1; index >= 0; index -= 1) {
      const { label, item } = items[index]!;
      rest.push({ value: item }, { text: (index > 0 ? ',' : '') + label });
    }
    parts.push(begin!);
  }
  return parts.join('');
}

/** Text that is equal for equal values: keys are sorted at every depth, `undefined` fields are left out. */
export const stableText = (value: unknown): string => deepText(value, (of) => Object.keys(of).sort());

export const equalJson = (a: unknown, b: unknown): boolean => a === b || stableText(a) === stableText(b);

/** A string, or a number that is no key: what is no JSON stays none when such a number becomes a string. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\s*:)/gs;

/**
 * JSON in which a whole number that JavaScript would round, and one too large for it, stands as its text: two ids of 64
 * bits stay two, and 1e400 is no null. However deep it lies: a reviver would run out of stack.
 * @throws SyntaxError where the text is no JSON
 */
export function parseExact(text: string): unknown {
  if (!/\d{16}|\d[eE]\+?\d{3}/.test(text)) return JSON.parse(text);
  return JSON.parse(text.replace(STRING_OR_NUMBER, (token) => (isRounded(token) ? `"${token}"` : token)));
}

function isRounded(token: string): boolean {
  if (token.startsWith('"')) return false;
  const value = Number(token);
  return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
}

/** What TypeScript's library does not know yet. */
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};

/** What a text, or its bytes, says as JSON; `undefined` where it is none. */
export function jsonIn(written: string | Uint8Array, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(typeof written === 'string' ? written : new TextDecoder().decode(written));
  } catch {
    return undefined;
  }
}

/** For `JSON.parse`: a number that JavaScript would round is printed as it was written. */
export function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value;
}

/** Whether it is such a number, which looks like an object. */
export const isKeptNumber = (value: unknown): boolean => isRawJSON(value);

/**
 * JSON as every reader takes it: half of a surrogate pair, which a payload may name as an escape, stands as U+FFFD, for
 * jq and others refuse the whole of it. `indent` in blanks; on one line where left out.
 */
export function printJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  // JSON.stringify writes whole pairs as they are, and halves as escapes.
  return text.includes('\\ud')
    ? text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (one) => (one.length === 6 ? '\ufffd' : one))
    : text;
}
