import { distance } from 'fastest-levenshtein';

/** The names that may be meant by a word that is none of them, the nearest first. A letter or two are near to everything. */
export function nearest(word: string, names: Iterable<string>, most = 1): string[] {
  if (word.length < 3) return [];
  const typed = word.toLowerCase();
  const furthest = Math.max(2, Math.floor(word.length / 3));
  return [...new Set(names)]
    .map((name) => ({ name, off: distance(typed, name.toLowerCase()) }))
    .filter(({ off }) => off <= furthest)
    .sort((a, b) => a.off - b.off)
    .slice(0, most)
    .map(({ name }) => name);
}
