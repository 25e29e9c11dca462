import { OpsError } from '../errors/ops-error.ts';

/**
 * A command line as words, as a shell would part it: quotes and backslashes hold words together. Nothing else that a
 * shell does is done. @throws OpsError USAGE
 */
export function splitCommand(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
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
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') {
    throw new OpsError('USAGE', `--exec: a quote ${quote} is not closed`, {
      where: line,
      hints: [`close it; to use a shell's own syntax, add --shell`],
    });
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0)
    throw new OpsError('USAGE', '--exec needs a command', { hints: ['give one, as --exec ./answer'] });
  return words;
}
