import type { Finding, Override, Plan } from '../model/plan.ts';
import { dataLoss } from './data-loss.ts';
import { migrate } from './migrate.ts';
import { ownership } from './ownership.ts';
import {
  discardChange,
  droppedSubjects,
  duplicateWindow,
  interestRetention,
  oneWay,
  publishersRefused,
} from './publishing.ts';
import { leader } from './quorum.ts';
import { deletion, recreated, replace } from './replace.ts';
import { backing, combinations, consumerLimits, filters, overlap, replicas } from './server-refuses.ts';
import { stranded } from './stranded.ts';
import type { Analyzer, Subject, World } from './subject.ts';

/** Every danger that is looked for, in the order it is told. */
const ANALYZERS: readonly Analyzer[] = [
  leader,
  ownership,
  migrate,
  replace,
  recreated,
  deletion,
  dataLoss,
  stranded,
  interestRetention,
  oneWay,
  replicas,
  combinations,
  overlap,
  filters,
  consumerLimits,
  backing,
  publishersRefused,
  discardChange,
  duplicateWindow,
  droppedSubjects,
];

/** What every analyzer has to say about every change. Pure. */
export const findRisks = (subjects: readonly Subject[], world: World): Finding[] =>
  subjects.flatMap((subject) => ANALYZERS.flatMap((analyzer) => analyzer(subject, world)));

/** What still stands in the way of a plan when these overrides were given. */
export const refusals = (plan: Pick<Plan, 'findings'>, given: ReadonlySet<Override>): Finding[] =>
  plan.findings.filter(
    ({ severity, needs, unless }) =>
      severity === 'refuse' && !(needs && given.has(needs)) && !(unless && given.has(unless)),
  );
