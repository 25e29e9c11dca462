/** A word as a POSIX shell reads it back, whatever is in it. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** Words as a line that can be pasted. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');
