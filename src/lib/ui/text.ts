import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

/** Columns that a text takes on a terminal; escape sequences take none, wide characters two. */
export const widthOf = (text: string): number => stringWidth(text);

export const padEnd = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - widthOf(text)));

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

export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`;

/** With a capital at the start and a full stop at the end; a name in lower case followed by a digit or sign stays. */
export function asSentence(text: string): string {
  const start = /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
