import { canonicalBacking, canonicalDesired, type StreamLookup } from '../canonical/resource.ts';
import { unknownValues } from '../canonical/unknown.ts';
import { FIELDS, type FieldTable } from '../facts/fields.ts';
import { MONITOR_PREFIX, OWN_PREFIX, OWNER_KEY } from '../facts/names.ts';
import { type Config, isObject } from '../model/json.ts';
import type { Change, FieldChange, Filled, LastApplied, Origin } from '../model/plan.ts';
import { type DesiredResource, keyOf, type ObservedResource, splitConsumerName } from '../model/resource.ts';
import type { Subject } from '../risk/subject.ts';
import { type Difference, diffConfigs } from './diff.ts';
import { withFilled } from './filled.ts';
import { commonOrigin, fieldAt, originOf } from './origin.ts';
import { retrySchedule } from './schedule.ts';
import { showValue } from './show.ts';

export interface CompareContext {
  readonly table: FieldTable;
  readonly clustered: boolean;
  readonly lastApplied?: LastApplied;
  /** What the server is known to fill in where the spec is silent. */
  readonly filled?: Filled;
  /** The canonical form of what is observed. */
  readonly canonicalOf: (resource: ObservedResource) => Config;
  readonly wantedStream: StreamLookup;
}

function fieldChange(difference: Difference, after: Config, before: Config, last: Config | undefined): FieldChange {
  const { path, type, from, to, verdict } = difference;
  const note = labelNote(path) ?? verdict.note;
  const origin = last
    ? originOf(fieldAt(last, path), fieldAt(after, path) ?? to, fieldAt(before, path) ?? from)
    : ('unknown' satisfies Origin);
  return {
    path,
    from: showValue(type, from),
    to: showValue(type, to),
    impact: verdict.impact,
    origin,
    ...(note ? { note } : {}),
  };
}

function labelNote(path: string): string | undefined {
  if (path === `metadata.${OWNER_KEY}`) return 'the mark by which the system knows its own';
  return path.startsWith(`metadata.${MONITOR_PREFIX}`) ? 'what `nats server check` goes by' : undefined;
}

/** The fields that decide when a request is tried again and when it dies. */
const TIMING = new Set(['ack_policy', 'ack_wait', 'max_deliver', 'backoff']);

/** The change with the time line of a failing request, where that is new or changes. */
function withRetries(change: Change, after: Config): Change {
  const isTold = change.action !== 'update' || change.fields.some(({ path }) => TIMING.has(path));
  const schedule = change.kind === 'consumer' && isTold ? retrySchedule(after) : undefined;
  return schedule ? { ...change, retries: schedule.text } : change;
}

function wayBack(fields: readonly FieldChange[]): string {
  const shown = fields.map(({ path, from }) => `${path} ${from === null ? 'left out' : JSON.stringify(from)}`);
  return `apply with ${shown.join(', ')}`;
}

/** What the spec says of a new resource, in the table's order; defaults and labels that follow from it go without saying. */
function createdFields({ kind, config }: DesiredResource, origin: Origin): FieldChange[] {
  return FIELDS[kind].flatMap((field): FieldChange[] => {
    const written = config[field.name];
    const value = field.name === 'metadata' && isObject(written) ? withoutOwnLabels(written) : written;
    const to = showValue(field.type, value);
    return to === null ? [] : [{ path: field.name, from: null, to, impact: 'in-place', origin }];
  });
}

const withoutOwnLabels = (labels: Config): Config =>
  Object.fromEntries(
    Object.entries(labels).filter(([key]) => !key.startsWith(OWN_PREFIX) && !key.startsWith(MONITOR_PREFIX)),
  );

/** A resource that is not there yet. Somebody deleted it where it had been applied before. */
function creation(desired: DesiredResource, context: CompareContext): Subject {
  const { kind, name, role } = desired;
  const after = canonicalDesired(desired, context.table, context.wantedStream);
  const known = context.lastApplied?.configs[keyOf(desired)] !== undefined;
  const origin: Origin = !context.lastApplied ? 'unknown' : known ? 'server' : 'spec';
  const change: Change = {
    action: 'create',
    kind,
    name,
    role,
    fields: createdFields(desired, origin),
    origin,
    ...(known ? { reason: 'it was applied before and is no longer on the server' } : {}),
    reverse: `delete ${kind} ${name}`,
  };
  return { key: keyOf(desired), change: withRetries(change, after), desired, after };
}

/** How a resource of the spec differs from the server's; `undefined` where it does not. */
export function compareResource(
  desired: DesiredResource,
  observed: ObservedResource | undefined,
  context: CompareContext,
): Subject | undefined {
  if (!observed) return creation(desired, context);
  const { kind, name, role } = desired;
  const { table, clustered } = context;
  const before = context.canonicalOf(observed);
  const config = { ...unknownValues(kind, observed.config), ...withFilled(desired, context.filled) };
  const after = canonicalDesired({ ...desired, config }, table, context.wantedStream);
  const backing = kind === 'bucket' ? canonicalBacking(name, desired.config, table) : undefined;
  const differences = diffConfigs(kind, before, after, { table, clustered, backing });
  if (differences.length === 0) return undefined;
  const applied = context.lastApplied?.configs[keyOf(desired)];
  const last =
    applied &&
    canonicalDesired(
      { ...desired, config: { ...context.filled?.[keyOf(desired)], ...applied } },
      table,
      context.wantedStream,
    );
  const fields = differences.map((difference) => fieldChange(difference, after, before, last));
  const immutable = fields.filter((field) => field.impact === 'replace');
  const reasons = [...new Set(immutable.map((field) => field.note))].filter((note) => note !== undefined);
  const change: Change = {
    action: immutable.length > 0 ? 'replace' : 'update',
    kind,
    name,
    role,
    fields,
    origin: commonOrigin(fields.map((field) => field.origin)),
    ...(immutable.length > 0 ? { reason: reasons.join('; ') } : { reverse: wayBack(fields) }),
  };
  return { key: keyOf(desired), change: withRetries(change, after), desired, observed, before, after };
}

/** A consumer that is as it should be, but vanishes with its stream and is made again. */
export function madeAgain(desired: DesiredResource, observed: ObservedResource, context: CompareContext): Subject {
  const { kind, name, role } = desired;
  const { stream } = splitConsumerName(name);
  const change: Change = {
    action: 'replace',
    kind,
    name,
    role,
    fields: [],
    origin: 'spec',
    reason: `stream ${stream} is replaced, and its consumers go with it`,
  };
  const before = context.canonicalOf(observed);
  const after = canonicalDesired(desired, context.table, context.wantedStream);
  return { key: keyOf(desired), change: withRetries(change, after), desired, observed, before, after };
}
