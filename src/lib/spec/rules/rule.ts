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

/** One thing a spec can get wrong though every field has the right form. scripts/generate/rule-examples.ts has what docs/rules.md shows of it. */
export interface Rule {
  /** Stable: people write it into scripts. */
  readonly id: `SPEC_${string}`;
  readonly severity: 'error' | 'warning';
  readonly why: string;
  /** Keys without which it would find more: where one of them could not be read it keeps quiet, lest it judges what nobody wrote. */
  readonly reads?: readonly string[];
  /** It compares resources with one another. */
  readonly compares?: true;
  readonly check: (view: View) => Iterable<Found>;
}
