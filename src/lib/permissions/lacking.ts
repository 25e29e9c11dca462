import { subjectCovers, subjectsOverlap } from '../facts/subjects.ts';
import type { Permissions } from '../model/permissions.ts';

/** Allowed and denied subjects; no `allow` means everything. */
interface Lists {
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
}

/** Whether every message on `subject` (which may hold wildcards) may pass. */
const passes = (subject: string, { allow, deny }: Lists): boolean =>
  (allow === undefined || allow.some((outer) => subjectCovers(outer, subject))) &&
  !deny.some((denied) => subjectsOverlap(denied, subject));

/** What a role needs and a user with these lists may not: `publish …` and `subscribe …`. */
export const lackingOf = (role: Permissions, has: { readonly publish: Lists; readonly subscribe: Lists }): string[] => [
  ...role.publish.filter((subject) => !passes(subject, has.publish)).map((subject) => `publish ${subject}`),
  ...role.subscribe.filter((subject) => !passes(subject, has.subscribe)).map((subject) => `subscribe ${subject}`),
];
