import type { Dimension, Facts } from './dimension.ts';
import { termFor } from './where.ts';

/** So many characters of a value keep groups apart. */
const LONGEST_VALUE = 1000;

type Values = readonly (string | null)[];

/** What keeps a group apart, and what it shows of each dimension: the value itself while all have the same, else what they have in common. */
export interface Group {
  readonly key: string;
  readonly common: Values;
  shown: Values;
}

/** The group that an entry is of, as if it were alone in it. */
export function groupOf(dimensions: readonly Dimension[], facts: Facts): Group {
  const pairs = dimensions.map((dimension) => {
    const value = dimension.valueOf(facts);
    if (value === null) return [null, null] as const;
    const common = (dimension.commonOf?.(value) ?? value).slice(0, LONGEST_VALUE);
    return [common, value.length < LONGEST_VALUE ? value : common] as const;
  });
  const common = pairs.map(([one]) => one);
  return { key: JSON.stringify(common), common, shown: pairs.map(([, one]) => one) };
}

/** What a group shows once another of its own is in it. */
export const shownWith = (group: Group, other: Group): Values =>
  group.shown.map((value, index) => (value === other.shown[index] ? value : group.common[index]!));

/** The values that a group shows, by dimension. */
export const valuesOf = (dimensions: readonly Dimension[], { shown }: Group): Record<string, string | null> =>
  Object.fromEntries(dimensions.map(({ name }, index) => [name, shown[index]!]));

/** The conditions that choose a group and no other. */
export const termsOf = (dimensions: readonly Dimension[], { shown }: Group): string[] =>
  dimensions.map(({ name }, index) => termFor(name, shown[index]!, shown[index]?.length === LONGEST_VALUE));
