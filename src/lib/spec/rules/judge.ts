import type { Spec } from '../../model/spec.ts';
import type { Mend, SpecProblem } from '../problem.ts';
import { entryAt, type Node, type Path, placeOf, positionOfPlace } from '../tree.ts';
import { consumerRules } from './consumers.ts';
import { dlqRules } from './dlq.ts';
import { limitRules } from './limits.ts';
import { nameRules } from './names.ts';
import { retryRules } from './retries.ts';
import type { Found, Rule } from './rule.ts';
import { subjectRules } from './subjects.ts';
import { systemRules } from './system.ts';
import { viewOf } from './view.ts';
import { workqueueRules } from './workqueue.ts';

/** Every rule, in the order of docs/rules.md. */
export const RULES: readonly Rule[] = [
  ...nameRules,
  ...subjectRules,
  ...workqueueRules,
  ...limitRules,
  ...retryRules,
  ...consumerRules,
  ...dlqRules,
  ...systemRules,
];

/** Carries out rules. `faulty` are the paths that could not be read: rules that would read them keep quiet there. */
export function runRules(spec: Spec, root: Node, faulty: readonly Path[], rules = RULES): SpecProblem[] {
  const view = viewOf(spec, root);
  return rules.flatMap((rule) =>
    [...rule.check(view)]
      .filter(({ path }) => !faulty.some((fault) => blinds(fault, rule, path)))
      .map((found) => toProblem(rule, found, root)),
  );
}

/** True where the fault is in what the rule reads: of the resource it speaks of, or of any where it compares them. */
function blinds(fault: Path, rule: Rule, path: Path): boolean {
  const isNear = rule.compares === true || fault[0] !== path[0] || fault[1] === path[1];
  return isNear && fault.slice(fault.length > 2 ? 2 : 0).some((part) => rule.reads?.includes(String(part)));
}

function toProblem(rule: Rule, found: Found, root: Node): SpecProblem {
  const mend = mendOf(found, root);
  return {
    code: rule.id,
    severity: rule.severity,
    ...positionOfPlace(placeOf(root, found.path)),
    path: found.path.join('.'),
    message: found.message,
    why: found.why ?? rule.why,
    hint: found.hint,
    ...(mend ? { mend } : {}),
  };
}

/** The edit behind a mend; none where the text is not the value's own (a variable) or others share it (an anchor). */
function mendOf({ path, mend }: Found, root: Node): Mend | undefined {
  if (!mend) return undefined;
  const entry = entryAt(root, path);
  if (entry?.value.kind !== 'scalar' || entry.value.written !== undefined) return undefined;
  const { file, start, end } = entry.value.place;
  if (file.anchored.some(([from, to]) => start >= from && end <= to)) return undefined;
  if (mend !== 'remove') {
    const first = file.text.charAt(start);
    const quote = first === '"' || first === "'" ? first : '';
    return { edits: [{ start, end, text: `${quote}${mend.write}${quote}` }] };
  }
  return removal(file.text, entry.keyPlace.start, end);
}

/** Takes a `key: value` out with its line; a comment beside it stays. In a flow map `{…}` nothing is safe to cut. */
function removal(text: string, keyStart: number, valueEnd: number): Mend | undefined {
  const lineStart = text.lastIndexOf('\n', keyStart) + 1;
  const lineEnd = text.indexOf('\n', valueEnd) + 1 || text.length;
  const rest = text.slice(valueEnd, lineEnd);
  if (text.slice(lineStart, keyStart).trim() !== '' || !/^\s*(#.*)?\s*$/.test(rest)) return undefined;
  const [start, end] = rest.includes('#') ? [keyStart, valueEnd + rest.indexOf('#')] : [lineStart, lineEnd];
  return { edits: [{ start, end, text: '' }] };
}
