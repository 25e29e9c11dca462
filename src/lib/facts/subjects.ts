import { type Config, textOf, textsOf } from '../model/json.ts';

/** What a stream takes where it copies from nobody: without subjects, what is sent to its own name. */
export function takenSubjects(name: string, { subjects }: { readonly subjects?: unknown }): readonly string[] {
  const written = textsOf(subjects);
  return written.length > 0 ? written : [name];
}

/** The longest subject in bytes: with our reply subject and the sizes it has to fit into a line of the protocol (4,096). */
const LONGEST = 3900;

/**
 * A subject that one message can have: no wildcards, no empty parts, nothing that breaks a line of the protocol or
 * stands for bytes that are no text. `a*b` has no wildcard: that is a part by itself.
 */
export const isPlainSubject = (text: string): boolean =>
  Buffer.byteLength(text) <= LONGEST &&
  text.split('.').every((part) => part !== '' && part !== '*' && part !== '>' && !/[\s\p{Cc}\ufffd]/u.test(part));

/** True where every subject that `inner` matches is matched by `outer`. Both may hold `*` and `>`. */
export function subjectCovers(outer: string, inner: string): boolean {
  const [a, b] = [outer.split('.'), inner.split('.')];
  for (let at = 0; at < a.length; at++) {
    if (a[at] === '>') return b.length > at;
    if (b[at] === '>') return false;
    if (a[at] !== '*' && a[at] !== b[at]) return false;
  }
  return a.length === b.length;
}

/** True where some subject matches both: the server allows that for no two streams (10065). */
export function subjectsOverlap(one: string, other: string): boolean {
  const [a, b] = [one.split('.'), other.split('.')];
  for (let at = 0; ; at++) {
    if (at >= a.length || at >= b.length) return a.length === b.length;
    if (a[at] === '>' || b[at] === '>') return true;
    if (a[at] !== '*' && b[at] !== '*' && a[at] !== b[at]) return false;
  }
}

/** The filters of a consumer as a server has them: one, or a list; none means everything. */
export function consumerFilters({ filter_subject, filter_subjects }: Config): readonly string[] {
  const single = textOf(filter_subject);
  return single === '' ? textsOf(filter_subjects) : [single];
}
