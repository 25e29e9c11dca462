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

/** Text that is equal for equal values: keys are sorted at every depth, `undefined` fields are left out. */
export function stableText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableText).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const parts = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${stableText(value[key])}`);
  return `{${parts.join(',')}}`;
}

export const equalJson = (a: unknown, b: unknown): boolean => a === b || stableText(a) === stableText(b);

/**
 * JSON in which a whole number that JavaScript would round, and one too large for it, stands as its text: two ids of 64
 * bits stay two, and 1e400 is no null.
 * @throws SyntaxError where the text is no JSON
 */
export function parseExact(text: string): unknown {
  return /\d{16}|\d[eE]\+?\d{3}/.test(text) ? JSON.parse(text, keepLongNumbers) : JSON.parse(text);
}

function keepLongNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isRounded = Number.isInteger(value) && !Number.isSafeInteger(value);
  const isBeyond = typeof value === 'number' && !Number.isFinite(value);
  return (isRounded || isBeyond) && context?.source !== undefined ? context.source : value;
}

/** What TypeScript's library does not know yet. */
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};

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
