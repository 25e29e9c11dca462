/** Sequences as spans, both ends included, in their order and apart: what is stored of a million is few of them. */
export type Ranges = readonly (readonly [number, number])[];

/** What is stored from `first` to `last` but for those in between that were deleted. */
export function storedRanges(first: number, last: number, deleted: readonly number[]): Ranges {
  return last < first || last === 0 ? [] : without([[first, last]], deleted);
}

/** Those of them that are none of these sequences. */
export function without(ranges: Ranges, seqs: readonly number[]): Ranges {
  const gone = [...new Set(seqs)].sort((a, b) => a - b);
  const left: [number, number][] = [];
  let at = 0;
  for (const [from, to] of ranges) {
    let start = from;
    while (at < gone.length && gone[at]! < from) at++;
    for (; at < gone.length && gone[at]! <= to; at++) {
      if (gone[at]! > start) left.push([start, gone[at]! - 1]);
      start = gone[at]! + 1;
    }
    if (start <= to) left.push([start, to]);
  }
  return left;
}

/** Those of `ranges` that are in none of `others`. */
export function minus(ranges: Ranges, others: Ranges): Ranges {
  const left: [number, number][] = [];
  let at = 0;
  for (const [from, to] of ranges) {
    let start = from;
    while (at < others.length && others[at]![1] < start) at++;
    for (let next = at; next < others.length && others[next]![0] <= to && start <= to; next++) {
      const [begin, end] = others[next]!;
      if (begin > start) left.push([start, begin - 1]);
      start = Math.max(start, end + 1);
    }
    if (start <= to) left.push([start, to]);
  }
  return left;
}

/** Those up to a sequence. */
export const upTo = (ranges: Ranges, last: number): Ranges =>
  ranges.flatMap(([from, to]) => (from > last ? [] : [[from, Math.min(to, last)] as const]));

export const count = (ranges: Ranges): number => ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);

/** Each of them. */
export function* each(ranges: Ranges): Generator<number> {
  for (const [from, to] of ranges) for (let seq = from; seq <= to; seq++) yield seq;
}
