import { BACKING } from '../canonical/bucket.ts';
import { filtersOf } from '../canonical/consumer.ts';
import { bucketSubjects } from '../facts/names.ts';
import { CONSUMER_REFUSALS, type Refused, STREAM_REFUSALS } from '../facts/refusals.ts';
import { isMirror } from '../facts/stream-fields.ts';
import { subjectsOverlap } from '../facts/subjects.ts';
import { atLeast } from '../facts/versions.ts';
import { isObject, textsOf } from '../model/json.ts';
import type { Finding } from '../model/plan.ts';
import { type DesiredResource, keyOf, splitConsumerName } from '../model/resource.ts';
import { type Analyzer, labelOf, type Subject, type World } from './subject.ts';

const refusal = (subject: Subject, field: string, message: string, hint: string): Finding => ({
  code: 'RISK_SERVER_REFUSES',
  severity: 'refuse',
  resource: subject.key,
  field,
  message: `${labelOf(subject)}: ${message}`,
  hint,
});

/** Replicas that a single server cannot hold. */
export const replicas: Analyzer = (subject, { clustered, version }) => {
  const wanted = Number(subject.after?.num_replicas ?? 0);
  if (clustered || wanted <= 1) return [];
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

/**
 * The combinations of fields that every server refuses. The spec's rules have told of them before, where the spec was
 * read from a file; a plan also comes from a spec that the ledger kept, or another version of this tool.
 */
export const combinations: Analyzer = (subject, world) => {
  const { change, desired } = subject;
  if (!desired) return [];
  const found = refusedOf(desired, world).map(({ field, message, hint, code }) =>
    refusal(subject, field, `${message} (${code})`, hint),
  );
  if (!desired.config.sealed || change.action === 'update') return found;
  const hint = 'create it without sealed, fill it, and seal it then';
  return [...found, refusal(subject, 'sealed', 'a new stream cannot be sealed (10052)', hint)];
};

function refusedOf({ kind, name, config }: DesiredResource, world: World): readonly Refused[] {
  if (kind === 'stream') return Object.values(STREAM_REFUSALS).flatMap((refused) => refused(config));
  const stream =
    kind === 'consumer' ? world.desired.get(`stream ${splitConsumerName(name).stream}`)?.config : undefined;
  return stream ? Object.values(CONSUMER_REFUSALS).flatMap((refused) => refused(config, stream)) : [];
}

/** The first of ours and of theirs that some message could be on both of. */
function clashOf(ours: readonly string[], theirs: readonly string[]): { ours: string; theirs: string } | undefined {
  for (const one of ours) for (const each of theirs) if (subjectsOverlap(one, each)) return { ours: one, theirs: each };
  return undefined;
}

/** Subjects that another stream of the server keeps (10065); those of the spec's own streams have a rule there. */
export const overlap: Analyzer = (subject, world) => {
  const { after, change } = subject;
  if (!after) return [];
  const held = change.action === 'update' || change.action === 'migrate' ? textsOf(subject.before?.subjects) : [];
  const keys =
    change.kind === 'bucket' && change.action === 'create' && !isMirror(after) ? [bucketSubjects(change.name)] : [];
  const own = [...textsOf(after.subjects).filter((each) => !held.includes(each)), ...keys];
  return world.index.streams.flatMap((other) => {
    const id = keyOf(other);
    // What this very plan takes from another stream is free by then.
    if (world.deleted.has(id) || world.desired.get(id)?.kind === 'stream') return [];
    const clash = clashOf(own, textsOf(other.config.subjects));
    if (!clash) return [];
    const message = `subject ${clash.ours} overlaps ${clash.theirs} of ${id} (10065)`;
    return [refusal(subject, 'subjects', message, 'no subject may be in two streams: take it out of one')];
  });
};

/**
 * Messages that a stranger's consumer takes already: a workqueue gives each to one consumer (10099, 10100). One by which
 * the server reads for a copy takes nothing away.
 */
export const filters: Analyzer = (subject, world) => {
  const { after, change } = subject;
  if (change.kind !== 'consumer' || !after) return [];
  const { stream } = splitConsumerName(change.name);
  if (world.desired.get(`stream ${stream}`)?.config.retention !== 'workqueue') return [];
  const own = filtersOf(after);
  for (const other of world.index.consumersOf.get(stream) ?? []) {
    const id = keyOf(other);
    if (world.deleted.has(id) || world.desired.has(id) || other.config.sourcing === true) continue;
    if (!clashOf(own, filtersOf(other.config))) continue;
    const message = `${id} already takes messages of ${own.join(', ')}; a workqueue gives each message to one consumer (10099, 10100)`;
    return [refusal(subject, 'filter_subject', message, `narrow one of the filters, or remove ${id}`)];
  }
  return [];
};

/** Tighter consumer_limits than a live consumer of the stream keeps to (10069). */
export const consumerLimits: Analyzer = (subject, world) => {
  const { after, change } = subject;
  if (change.action !== 'update' || !isObject(after?.consumer_limits)) return [];
  if (!change.fields.some((field) => field.path.startsWith('consumer_limits'))) return [];
  // One that is never removed breaks a limit of inactive_threshold: refused up to 2.12.8, taken from 2.14.6 on.
  const isBound = Number(after.consumer_limits.inactive_threshold ?? 0) > 0 && !atLeast(world.version, '2.14.0');
  for (const other of world.index.consumersOf.get(change.name) ?? []) {
    const isIdle = isBound && Number(other.config.inactive_threshold ?? 0) === 0;
    if (!isIdle && CONSUMER_REFUSALS.overLimits(other.config, after).length === 0) continue;
    const message = `consumer_limits would be broken by ${keyOf(other)} as it is now (10069)`;
    return [refusal(subject, 'consumer_limits', message, `change ${keyOf(other)} first, then the limits`)];
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
