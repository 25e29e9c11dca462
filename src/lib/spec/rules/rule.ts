import type { Path } from '../tree.ts';
import type { View } from './view.ts';

/** What a rule found. The place is the key at `path`, or the nearest that is written. */
export interface Found {
  readonly path: Path;
  readonly message: string;
  /** Where it differs from the rule's own. */
  readonly why?: string;
  readonly hint: string;
  /** What `--fix` writes: this text in place of the value, or nothing in place of the field. */
  readonly mend?: { readonly write: string } | 'remove';
}

/** One thing a spec can get wrong though every field has the right form. docs/rules.md has each with its examples. */
export interface Rule {
  /** Stable: people write it into scripts. */
  readonly id: `SPEC_${string}`;
  readonly severity: 'error' | 'warning';
  /** One sentence, for the list of rules. */
  readonly title: string;
  readonly why: string;
  /** Keys without which it would find more: where one of them could not be read it keeps quiet, lest it judges what nobody wrote. */
  readonly reads?: readonly string[];
  /** It compares resources with one another. */
  readonly compares?: true;
  /** A whole spec that breaks this rule and no other. */
  readonly bad: string;
  /** The same, mended; it has no problem at all. */
  readonly good: string;
  readonly check: (view: View) => Iterable<Found>;
}

/** A whole spec around the fields of one queue, for examples. */
export const example = (queue: string): string =>
  `version: 1\nname: shop\nqueues:\n  ORDERS:\n${queue
    .trim()
    .split('\n')
    .map((line) => (line ? `    ${line}` : line))
    .join('\n')}\n`;

/** The same around what stands at the top level. */
export const topExample = (text: string): string => `version: 1\nname: shop\n${text.trim()}\n`;
