import type { Spec } from '../../model/spec.ts';
import type { SpecProblem } from '../problem.ts';
import type { Node, Path } from '../tree.ts';

export function judge(_spec: Spec, _root: Node, _faulty: readonly Path[]): SpecProblem[] {
  return [];
}
