import fc from 'fast-check';

const SURROGATES = { first: 0xd800, count: 0x800 };

/**
 * Any code point but half a pair, as the unit `binary` of fast-check has it. That one is a table of a million, which takes
 * a second to make wherever it stands; this one counts.
 */
const codePoint = fc.nat(0x10ffff - SURROGATES.count).map(
  (number) => String.fromCodePoint(number < SURROGATES.first ? number : number + SURROGATES.count),
  (text) => {
    const number = String(text).codePointAt(0) ?? 0;
    if (String.fromCodePoint(number) !== text) throw new TypeError('not one code point');
    return number < SURROGATES.first ? number : number - SURROGATES.count;
  },
);

/** Texts of any characters at all, and now and then one that breaks programs, as `__proto__`. */
export const anyText = (lengths: { readonly minLength?: number; readonly maxLength?: number } = {}) =>
  fc.string({ ...lengths, unit: codePoint });
