import { TRICKY } from './visible.ts';

/** What must not stand as it is in a line that is printed: see `clean`, which leaves the line as it is then. */
const UNSAFE = new RegExp(`${TRICKY.source}|#(?=#\\[)|(?<=^|\\s):(?=:)`, 'u');
const ESCAPED = new RegExp(`${UNSAFE.source}|['\\\\]`, 'gu');

/** Octal, as its end is certain: POSIX leaves open how many digits follow `\x`. */
const octal = (character: string): string =>
  [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

/** A word as a shell reads it back, whatever is in it; what a terminal would obey or hide as in `$'\033'`. */
export function shellWord(word: string): string {
  if (/^[\w@%+,./-][\w@%+=:,./-]*$/.test(word)) return word;
  if (UNSAFE.test(word)) return `$'${word.replace(ESCAPED, octal)}'`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Whether what is said of the next step is a line to type; else it is advice. */
export const isLine = (text: string): boolean => /^(?:osapi-ops|nats) /.test(text);

/** Words as a line that can be pasted. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');

/** A call with its arguments, which come last where one of them begins with a dash. */
export const withArguments = (call: readonly string[], args: readonly string[], flags: readonly string[]): string[] =>
  args.some((word) => word.startsWith('-')) ? [...call, ...flags, '--', ...args] : [...call, ...args, ...flags];

/**
 * A line to type with names in it, each of which a shell hands on as it is: toType`osapi-ops dlq ls --queue ${name}`.
 * A name that begins with a dash is no flag: `--queue=-x`, and `-- -x` where no flag is before it, so such names come last.
 */
export const toType = (texts: TemplateStringsArray, ...names: readonly (string | number)[]): string =>
  names.reduce<string>((before, name, at) => {
    const word = String(name);
    const asValue = before.replace(/( --\w[\w-]*) $/, '$1=');
    const asArgument = asValue === before ? `${before}-- ` : asValue;
    const line = !word.startsWith('-') || before.includes(' -- ') ? before : asArgument;
    return `${line}${shellWord(word)}${texts[at + 1]}`;
  }, texts[0]!);
