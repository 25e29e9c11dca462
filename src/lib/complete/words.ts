/** The word under the cursor, as far as it is typed. */
export interface Current {
  /** Without quotes and backslashes. */
  readonly value: string;
  /** The quote that is open at the cursor. */
  readonly quote: '' | "'" | '"';
  /** How many characters of `value` stand before the part that bash's readline replaces. */
  readonly kept: number;
}

export interface Line {
  /** The words before the one under the cursor, the command's own name first. */
  readonly words: readonly string[];
  readonly current: Current;
}

/**
 * Splits a command line, up to the cursor, as a POSIX shell does. Nothing is expanded: `$x` stays as it is.
 * @param breaks COMP_WORDBREAKS: readline replaces what comes after the last of these
 */
export function splitLine(text: string, breaks: string): Line {
  const words: string[] = [];
  let value: string | undefined;
  let quote: Current['quote'] = '';
  let kept = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quote === "'" ? char !== "'" : quote === '"' ? char !== '"' && char !== '\\' : !/[\s'"\\]/.test(char)) {
      value = (value ?? '') + char;
      if (quote === '' && breaks.includes(char)) kept = value.length;
    } else if (char === '\\') {
      const next = text[++at] ?? '';
      // Inside double quotes a backslash is one, but before these.
      value = (value ?? '') + (quote === '"' && !/["\\$`]/.test(next) ? char : '') + next;
    } else if (/\s/.test(char)) {
      if (value !== undefined) words.push(value);
      value = undefined;
      kept = 0;
    } else {
      quote = quote === '' ? (char as "'" | '"') : '';
      value ??= '';
      kept = value.length;
    }
  }
  return { words, current: { value: value ?? '', quote, kept } };
}
