import { filtersOf } from '../canonical/consumer.ts';
import { movingSubject } from '../facts/names.ts';
import { subjectCovers, subjectsOverlap } from '../facts/subjects.ts';
import { type Config, textsOf } from '../model/json.ts';
import { splitConsumerName } from '../model/resource.ts';
import type { Subject } from '../risk/subject.ts';

/** What only one can hold at a time, and how it stands before and after: a stream's subjects, a worker's filters. */
interface Claim {
  readonly subject: Subject;
  /** Claims of different groups never clash. */
  readonly group: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function claimOf(subject: Subject, isWorkqueue: (stream: string) => boolean): Claim | undefined {
  const { change, before, after } = subject;
  if (change.kind === 'stream') {
    return { subject, group: 'streams', before: textsOf(before?.subjects), after: textsOf(after?.subjects) };
  }
  if (change.kind !== 'consumer') return undefined;
  const { stream } = splitConsumerName(change.name);
  if (!isWorkqueue(stream)) return undefined;
  const filters = (config: Config | undefined) => (config ? filtersOf(config) : []);
  return { subject, group: `consumers of ${stream}`, before: filters(before), after: filters(after) };
}

/** A write that gains what an update of the plan lets go: it must come after that one. */
export interface Handover {
  /** It also holds what another gains, so it must let go before it takes: what it keeps meanwhile. */
  readonly keeps?: readonly string[];
}

/**
 * The server refuses a subject that two streams hold (10065), and a filter that two consumers of a workqueue hold
 * (10100), for even a moment. Who only lets go is updated first, who takes over after it; who does both lets go first
 * and takes in a second update, so that chains and circles come apart alike:
 *
 *   A: a → b      A: a → (nothing)   A: (nothing) → b
 *   B: b → a      B: b → (nothing)   B: (nothing) → a
 */
export function findHandovers(
  subjects: readonly Subject[],
  isWorkqueue: (stream: string) => boolean,
): ReadonlyMap<Subject, Handover> {
  const groups = new Map<string, Claim[]>();
  for (const subject of subjects) {
    const claim = claimOf(subject, isWorkqueue);
    if (!claim) continue;
    const group = groups.get(claim.group);
    if (group) group.push(claim);
    else groups.set(claim.group, [claim]);
  }
  const found = new Map<Subject, Handover>();
  for (const claims of groups.values()) {
    for (const [claim, handover] of contested(claims)) found.set(claim.subject, handover);
  }
  return found;
}

function contested(claims: readonly Claim[]): [Claim, Handover][] {
  const updated = claims.filter(({ subject }) => subject.change.action === 'update');
  const gains = new Map(claims.map((claim) => [claim, claim.after.filter((each) => !claim.before.includes(each))]));
  const clash = (taker: Claim, holder: Claim): boolean =>
    taker !== holder && gains.get(taker)!.some((one) => holder.before.some((each) => subjectsOverlap(one, each)));
  const takers = claims.filter((taker) => gains.get(taker)!.length > 0);
  const found: [Claim, Handover][] = [];
  for (const taker of takers) {
    if (!updated.some((holder) => clash(taker, holder))) continue;
    const isHolder = taker.subject.change.action === 'update' && takers.some((other) => clash(other, taker));
    found.push([taker, isHolder ? { keeps: keptBy(taker) } : {}]);
  }
  return found;
}

/** What it held and goes on holding; whatever of it is wanted by another cannot be among it. */
function keptBy({ subject, before, after }: Claim): readonly string[] {
  const inBoth = [
    ...after.filter((each) => before.some((held) => subjectCovers(held, each))),
    ...before.filter((each) => after.some((wanted) => subjectCovers(wanted, each))),
  ];
  return inBoth.length > 0 ? [...new Set(inBoth)] : [movingSubject(subject.change.name)];
}
