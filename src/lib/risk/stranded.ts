import { filtersOf } from '../canonical/consumer.ts';
import { subjectCovers } from '../facts/subjects.ts';
import type { Finding } from '../model/plan.ts';
import { splitConsumerName } from '../model/resource.ts';
import { type Analyzer, counted, labelOf } from './subject.ts';

/**
 * A consumer goes on from where it is, whatever its filter becomes: what lies behind that on a subject it gains is never
 * delivered by it, and a workqueue has nobody else for it. Measured on 2.10.26, 2.12.8 and 2.15.1.
 */
export const stranded: Analyzer = (subject, { losses, observed, desired }) => {
  const { change, before, after, key } = subject;
  const live = subject.observed;
  if (live?.kind !== 'consumer' || !before || !after) return [];
  const name = splitConsumerName(change.name).stream;
  const stream = observed.resources.get(`stream ${name}`);
  const isWorkqueue = desired.get(`stream ${name}`)?.config.retention === 'workqueue';
  if (!isWorkqueue || stream?.kind !== 'stream') return [];
  const held = filtersOf(before);
  const gained = filtersOf(after).filter((each) => !held.some((filter) => subjectCovers(filter, each)));
  const figures = losses.get(key);
  const findings: Finding[] = [];
  const told = (count: number, message: string, hint: string): void => {
    const base = { code: 'RISK_STRANDED', severity: 'refuse', resource: key, field: 'filter_subject' } as const;
    findings.push({ ...base, message: `${labelOf(subject)}: ${message}`, hint, needs: 'allow-data-loss', count });
  };
  // Made anew it begins at the first message again.
  if (change.action === 'update' && gained.length > 0 && live.figures.delivered_stream_seq > 0) {
    const count = figures?.find(({ field }) => field === 'gained')?.count ?? stream.figures.messages;
    const hint =
      'let their present worker finish them first, or bring them back afterwards with `osapi-ops dlq replay --state orphan`';
    if (count > 0) {
      told(
        count,
        `up to ${counted(count, 'message')} on ${gained.join(', ')} lie behind what it has delivered, so no worker gets them`,
        hint,
      );
    }
  }
  const dropped = figures?.find(({ field }) => field === 'dropped')?.count ?? 0;
  if (dropped > 0) {
    const message = `no consumer takes ${counted(dropped, 'stored message')} any more that this one took until now`;
    told(dropped, message, 'let it finish them first, or give another consumer their subjects');
  }
  return findings;
};
