import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

/** Columns that a text takes on a terminal; escape sequences take none, wide characters two. */
export const widthOf = (text: string): number => stringWidth(text);

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - widthOf(text)));

/** A time of RFC 3339 to the second, as people read it: `2026-11-24 03:10:07Z`. */
export const secondOf = (time: string): string => `${time.slice(0, 19).replace('T', ' ')}Z`;

/** Text narrower than this is unreadable however it is cut, in columns. */
const NARROWEST = 20;

/**
 * Breaks text at spaces so that it fits `width` columns, the first line after `first`, the others after as many
 * spaces. A word longer than that stays whole, so that it can be copied.
 */
export function flow(text: string, { width, first }: { width: number; first: string }): string {
  const indent = widthOf(first);
  const body = wrapAnsi(text, Math.max(NARROWEST, width - indent), { hard: false, trim: true });
  return `${first}${body.replaceAll('\n', `\n${' '.repeat(indent)}`)}`;
}

/** Text that takes the place of all that is on the screen: line over line, so that nothing flickers, then whatever was more. */
export const overScreen = (text: string): string => `\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[K\n\u001b[J`;

/** The beginning of a line that fits so many columns, whatever escape sequences are in it. */
export const firstColumns = (line: string, columns: number): string =>
  widthOf(line) <= columns
    ? line
    : wrapAnsi(line, columns, { hard: true, trim: false, wordWrap: false }).split('\n', 1)[0]!;

export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`;

/** Parts joined to sentences: each ends with a stop, and all but the first begin with a capital. */
export function asSentences(parts: readonly string[]): string {
  return parts
    .map((part, index) => (index > 0 && /^[a-z]+ /.test(part) ? part.charAt(0).toUpperCase() + part.slice(1) : part))
    .map((part) => (/[.!?]$/.test(part) ? part : `${part}.`))
    .join(' ');
}
