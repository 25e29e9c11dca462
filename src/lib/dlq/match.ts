import { asBuffer } from '../model/bytes.ts';
import { jsonIn, parseExact, stableText } from '../model/json.ts';

/** Payloads beyond this many bytes are compared to the letter only. */
const LARGEST_PARSED = 4 * 1024 * 1024;

/** JSON's own signs, outside of its strings, become these: no text within a string can look like one of them. */
const SIGNS = '{}[]:,"';
const signOf = (sign: string): string => String.fromCharCode(1 + SIGNS.indexOf(sign));

/** The text of a string in the one spelling that JSON.stringify has for it: `\u00e9` and `é` are one letter. */
const spell = (text: string): string => JSON.stringify(text).slice(1, -1);

function respell(inside: string): string {
  const text = jsonIn(`"${inside}"`);
  return typeof text === 'string' ? spell(text) : inside;
}

const TOKENS = /"((?:[^"\\]|\\.)*)("|$)|[{}[\]:,]|\s+|[^"{}[\]:,\s]+|"/gs;

/** JSON, or a piece cut out of it, without the blanks that mean nothing: those beside its signs, and at its ends. */
function compact(json: string): string {
  const parts: string[] = [];
  let blanks = '';
  let isBesideSign = true;
  for (const [token, inside, end = ''] of json.matchAll(TOKENS)) {
    if (token.trim() === '') {
      blanks = token;
      continue;
    }
    const isSign = inside === undefined && token !== '"' && SIGNS.includes(token);
    if (!isSign && !isBesideSign) parts.push(blanks);
    if (inside !== undefined) parts.push(signOf('"'), respell(inside), end && signOf(end));
    else parts.push(isSign ? signOf(token) : token);
    isBesideSign = isSign;
    blanks = '';
  }
  return parts.join('');
}

/** All that a text can mean in JSON: a piece of it, one that begins within a string, letters of a string, a value. */
function meanings(text: string): string[] {
  const whole = jsonIn(text, parseExact);
  return [
    compact(text),
    compact(`"${text}`).slice(1),
    spell(text),
    ...(typeof whole === 'object' && whole !== null ? [compact(stableText(whole))] : []),
  ].filter(Boolean);
}

/**
 * Whether a payload has a text: to the letter, or, where it is JSON, as JSON. Then blanks between its parts, the spelling
 * of letters in strings, and the order of an object's keys where the text is a whole object, do not count.
 */
export function payloadHas(payload: Uint8Array, text: string): boolean {
  const bytes = asBuffer(payload);
  if (bytes.includes(text, 0, 'utf8')) return true;
  if (bytes.byteLength > LARGEST_PARSED) return false;
  const json = bytes.toString('utf8');
  const value = jsonIn(json, parseExact);
  if (value === undefined) return false;
  const stored = `${compact(json)}\n${compact(stableText(value))}`;
  return meanings(text).some((meaning) => stored.includes(meaning));
}
