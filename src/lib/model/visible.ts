/**
 * What can move the cursor, recolour, reorder or hide text: control characters (ANSI sequences begin with one), format
 * characters such as bidi overrides, line separators of other kinds, invisible fillers, lone surrogates.
 */
export const TRICKY = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** What was typed as it is shown, with the characters that its escapes stand for. */
export const readEscapes = (text: string): string =>
  text.replace(/\\x([\da-fA-F]{2})|\\u([\da-fA-F]{4})|\\u\{([\da-fA-F]{1,6})\}/g, (typed, byte, unit, point) => {
    const code = Number.parseInt(byte ?? unit ?? point, 16);
    const character = code > 0x10ffff ? '' : String.fromCodePoint(code);
    // Only what is shown so: anything else was meant to the letter.
    return character.search(TRICKY) === 0 ? character : typed;
  });

/** A character as an escape that shows: `\x1b`, `\u202e`, `\u{e0001}`. */
export function escapeOf(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}

/** A text of several lines in one: what a table, a reason and a condition have of a worker's words. */
export const inOneLine = (text: string): string =>
  text.includes('\n')
    ? text
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
        .join(' ')
    : text;
