import { BACKING } from '../canonical/bucket.ts';
import { filtersOf } from '../canonical/consumer.ts';
import { subjectsOverlap } from '../facts/subjects.ts';
import { atLeast } from '../facts/versions.ts';
import { type Config, isObject } from '../model/json.ts';
import type { Finding } from '../model/plan.ts';
import { keyOf, splitConsumerName } from '../model/resource.ts';
import { printDuration } from '../model/units.ts';
import { type Analyzer, labelOf, type Subject, type World } from './subject.ts';

const refusal = (subject: Subject, field: string, message: string, hint: string): Finding => ({
  code: 'RISK_SERVER_REFUSES',
  severity: 'refuse',
  resource: subject.key,
  field,
  message: `${labelOf(subject)}: ${message}`,
  hint,
});

const written = ({ change }: Subject): boolean => change.action !== 'delete';
const textsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? (value as string[]) : []);

/** Replicas that a single server cannot hold. */
export const replicas: Analyzer = (subject, { clustered, version }) => {
  const wanted = Number(subject.after?.num_replicas ?? 0);
  if (!written(subject) || clustered || wanted <= 1) return [];
  const touched = subject.change.action !== 'update' || subject.change.fields.some((f) => f.path === 'num_replicas');
  if (!touched) return [];
  // Before 2.14 a single server takes the number in an update of a stream and does nothing with it.
  const accepted = subject.change.action === 'update' && subject.change.kind !== 'consumer';
  if (accepted && !atLeast(version, '2.14.0')) {
    const message = `${labelOf(subject)}: num_replicas ${wanted} has no effect on a single server: there is still one copy`;
    return [{ code: 'RISK_REPLICAS', severity: 'warning', resource: subject.key, field: 'num_replicas', message }];
  }
  const hint = 'set num_replicas to 1, or apply to a cluster';
  return [refusal(subject, 'num_replicas', `a single server refuses num_replicas ${wanted} (10074)`, hint)];
};

/** The combinations of a stream's fields that every server refuses. */
export const streamRules: Analyzer = (subject, world) => {
  const { after, change } = subject;
  if (!written(subject) || change.kind !== 'stream' || !after) return [];
  const findings: Finding[] = [];
  const [age, window] = [Number(after.max_age), Number(after.duplicate_window)];
  if (age > 0 && window > age) {
    const message = `duplicate_window ${printDuration(window)} is longer than max_age ${printDuration(age)} (10052)`;
    findings.push(
      refusal(subject, 'duplicate_window', message, `set duplicate_window to ${printDuration(age)} or less`),
    );
  }
  if (after.discard_new_per_subject && (after.discard !== 'new' || !(Number(after.max_msgs_per_subject) > 0))) {
    const message = 'discard_new_per_subject needs discard new and max_msgs_per_subject above 0 (10052)';
    findings.push(refusal(subject, 'discard_new_per_subject', message, 'set both, or leave it out'));
  }
  if (after.deny_purge && after.allow_rollup_hdrs) {
    const message = 'allow_rollup_hdrs needs the permission to purge, which deny_purge takes away (10052)';
    findings.push(refusal(subject, 'allow_rollup_hdrs', message, 'leave one of the two out'));
  }
  if (after.sealed && change.action !== 'update') {
    const hint = 'create it without sealed, fill it, and seal it then';
    findings.push(refusal(subject, 'sealed', 'a new stream cannot be sealed (10052)', hint));
  }
  for (const field of ['allow_msg_schedules', 'allow_msg_counter']) {
    if (!after[field] || after.discard !== 'new') continue;
    // Early releases of 2.12 take schedules with discard new; later ones refuse them.
    if (field === 'allow_msg_schedules' && !atLeast(world.version, '2.14.0')) continue;
    findings.push(refusal(subject, field, `${field} cannot be used with discard new (10052)`, 'set discard to old'));
  }
  return findings;
};

/** Subjects that another stream of the server keeps and will go on keeping (10065). */
export const overlap: Analyzer = (subject, world) => {
  const { after, change, key } = subject;
  if (!written(subject) || change.kind !== 'stream' || !after) return [];
  const held = new Set(change.action === 'update' ? textsOf(subject.before?.subjects) : []);
  const own = textsOf(after.subjects).filter((each) => !held.has(each));
  if (own.length === 0) return [];
  const findings: Finding[] = [];
  for (const other of world.index.streams) {
    if (keyOf(other) === key || world.deleted.has(keyOf(other))) continue;
    const wanted = world.desired.get(keyOf(other));
    // What this very plan takes from the other stream is free by then.
    const kept = wanted?.kind === 'stream' ? textsOf(wanted.config.subjects) : textsOf(other.config.subjects);
    const clash = own.flatMap((one) => kept.filter((each) => subjectsOverlap(one, each)).map((each) => [one, each]))[0];
    if (!clash) continue;
    const message = `subject ${clash[0]} overlaps ${clash[1]} of ${keyOf(other)} (10065)`;
    findings.push(refusal(subject, 'subjects', message, 'no subject may be in two streams: take it out of one'));
  }
  return findings;
};

/** `idle` where a consumer that is never removed breaks a limit of inactive_threshold; -1 in flight breaks none. */
function limitsBroken(subject: Subject, consumer: Config, limits: Config, idle = false): Finding[] {
  return ['max_ack_pending', 'inactive_threshold'].flatMap((field) => {
    const [limit, value] = [Number(limits[field] ?? 0), Number(consumer[field] ?? 0)];
    const isIdle = idle && field === 'inactive_threshold' && value === 0;
    if (limit <= 0 || (value <= limit && !isIdle)) return [];
    const message = `${field} ${value} is over the stream's consumer_limits.${field} ${limit} (${field === 'max_ack_pending' ? 10121 : 10153})`;
    return [refusal(subject, field, message, `lower it to ${limit}, or raise the stream's limit`)];
  });
}

/** The combinations of a consumer with itself and its stream that every server refuses. */
export const consumerRules: Analyzer = (subject, world) => {
  const { after, change } = subject;
  if (!written(subject) || change.kind !== 'consumer' || !after) return [];
  const findings: Finding[] = [];
  const steps = Array.isArray(after.backoff) ? after.backoff.length : 0;
  const tries = Number(after.max_deliver);
  if (tries > 0 && steps > tries) {
    const message = `backoff has ${steps} steps, but max_deliver is ${tries} (10116)`;
    findings.push(refusal(subject, 'backoff', message, `raise max_deliver to ${steps}, or keep ${tries} steps`));
  }
  const key = `stream ${splitConsumerName(change.name).stream}` as const;
  const stream = world.desired.get(key)?.config ?? world.observed.resources.get(key)?.config;
  if (!stream) return findings;
  if (stream.retention === 'workqueue') {
    if (after.deliver_policy !== 'all') {
      const message = `a workqueue takes deliver_policy all only, not ${after.deliver_policy} (10101)`;
      findings.push(refusal(subject, 'deliver_policy', message, 'set deliver_policy to all'));
    }
    if (after.ack_policy !== 'explicit') {
      const message = `a workqueue takes ack_policy explicit only, not ${after.ack_policy} (10098)`;
      findings.push(refusal(subject, 'ack_policy', message, 'set ack_policy to explicit'));
    }
    findings.push(...filtersClash(subject, world, after));
  }
  if (isObject(stream.consumer_limits)) findings.push(...limitsBroken(subject, after, stream.consumer_limits));
  return findings;
};

/** Two consumers of a workqueue may not want the same message (10099, 10100). */
function filtersClash(subject: Subject, world: World, after: Config): Finding[] {
  const { stream } = splitConsumerName(subject.change.name);
  const own = filtersOf(after);
  for (const other of world.index.consumersOf.get(stream) ?? []) {
    if (keyOf(other) === subject.key || world.deleted.has(keyOf(other))) continue;
    const filters = filtersOf(world.desired.get(keyOf(other))?.config ?? other.config);
    if (!own.some((one) => filters.some((each) => subjectsOverlap(one, each)))) continue;
    const message = `${keyOf(other)} already takes messages of ${own.join(', ')}; a workqueue gives each message to one consumer (10099, 10100)`;
    return [refusal(subject, 'filter_subject', message, `narrow one of the filters, or remove ${keyOf(other)}`)];
  }
  return [];
}

/** Tighter consumer_limits than a live consumer of the stream keeps to (10069). */
export const consumerLimits: Analyzer = (subject, world) => {
  const { after, change } = subject;
  if (change.action !== 'update' || change.kind !== 'stream' || !isObject(after?.consumer_limits)) return [];
  if (!change.fields.some((field) => field.path.startsWith('consumer_limits'))) return [];
  const limits = after.consumer_limits;
  for (const other of world.index.consumersOf.get(change.name) ?? []) {
    // Measured as refused up to 2.12.8, and as taken from 2.14.6 on.
    const [broken] = limitsBroken(subject, other.config, limits, !atLeast(world.version, '2.14.0'));
    if (!broken) continue;
    const message = `${labelOf(subject)}: consumer_limits would be broken by ${keyOf(other)} as it is now (10069)`;
    return [{ ...broken, field: 'consumer_limits', message, hint: `change ${keyOf(other)} first, then the limits` }];
  }
  return [];
};

/** A bucket whose stream is of another making: what is put right, and what cannot be. */
export const backing: Analyzer = (subject) => {
  const off = subject.change.fields.filter((field) => field.path.startsWith(BACKING)).map((field) => field.path);
  if (off.length === 0) return [];
  const message = `${labelOf(subject)}: its stream is not as a bucket's must be (${off.join(', ')})`;
  return [{ code: 'RISK_BACKING', severity: 'warning', resource: subject.key, message }];
};
