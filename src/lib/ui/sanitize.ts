import { escapeOf, inOneLine, TRICKY } from '../model/visible.ts';

/**
 * What the log of a GitHub job would obey: a workflow command at the start of a line (text is wrapped at spaces, so any
 * word may come to stand there), and its older form anywhere.
 */
const WORKFLOW_COMMAND =
  /(^|\s):(?=:(?:add-m|add-path|debug|echo|endgroup|error|group|notice|remove-m|save-s|set-|stop-|warning))|#(?=#\[)/gi;

/**
 * Makes untrusted text safe to print: what a terminal would obey becomes a visible escape such as `\x1b`.
 * Line feeds stay where `newlines` is set; tabs become a space.
 */
export function clean(text: string, { newlines = false }: { newlines?: boolean } = {}): string {
  const shown = text.replace(TRICKY, (character) => {
    if (character === '\n' && newlines) return character;
    return character === '\t' ? ' ' : escapeOf(character);
  });
  return shown.replace(WORKFLOW_COMMAND, (match, before = '') => `${before}${match === '#' ? '\\x23' : '\\x3a'}`);
}

/** The words of somebody else in one line, safe to print. */
export const cleanLine = (text: string): string => clean(inOneLine(text));
