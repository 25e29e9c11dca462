import { OpsError } from '../errors/ops-error.ts';

/** Words that are written for a shell: without one they would be arguments of the command. */
const FOR_A_SHELL = /^(?:\|\|?|&&?|;|\d?>{1,2}(?:&\d|[^>]*)|<{1,3}[^<]*|.*[^\\];|\$[\w({].*|`.*)$/;

/**
 * A command line as words, as a shell would part it: quotes and backslashes hold words together. Nothing else that a
 * shell does is done. @throws OpsError USAGE
 */
export function splitCommand(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  let isPlain = true;
  const end = (): void => {
    if (word === undefined) return;
    if (isPlain && FOR_A_SHELL.test(word)) {
      throw new OpsError('USAGE', `--exec: ${word} is for a shell, and none runs the command`, {
        where: line,
        hints: [`add --shell, or put it in quotes where the command itself is to read it`],
      });
    }
    words.push(word);
    word = undefined;
    isPlain = true;
  };
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (/["'\\]/.test(char)) isPlain = false;
    if (quote === "'") {
      if (char === "'") quote = '';
      else word += char;
    } else if (char === '\\' && (quote === '' || /["\\$`]/.test(line[at + 1] ?? ''))) {
      word = (word ?? '') + (line[++at] ?? '');
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      end();
    } else word = (word ?? '') + char;
  }
  if (quote !== '') {
    throw new OpsError('USAGE', `--exec: a quote ${quote} is not closed`, {
      where: line,
      hints: [`close it; to use a shell's own syntax, add --shell`],
    });
  }
  end();
  if (words.length === 0)
    throw new OpsError('USAGE', '--exec needs a command', { hints: ['give one, as --exec ./answer'] });
  return words;
}
