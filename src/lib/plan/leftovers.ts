import { unknownFields } from '../canonical/unknown.ts';
import { bucketStream, LEDGER_BUCKET } from '../facts/names.ts';
import type { Change, LastApplied, LeftAlone } from '../model/plan.ts';
import { keyOf, type Observed, type ObservedResource, type ResourceKey, type Role } from '../model/resource.ts';
import { ownerOf, type Subject } from '../risk/subject.ts';

export interface Leftovers {
  readonly prunable: readonly ObservedResource[];
  readonly leftAlone: readonly LeftAlone[];
}

// A bucket is seen as a stream, too, where somebody listed all streams.
const LEDGER_KEYS: ReadonlySet<ResourceKey> = new Set<ResourceKey>([
  `bucket ${LEDGER_BUCKET}`,
  `stream ${bucketStream(LEDGER_BUCKET)}`,
]);

/** What carries this system's mark, or was applied by it, and is not in the spec any more. */
export function findLeftovers(
  system: string,
  wanted: ReadonlySet<ResourceKey>,
  observed: Observed,
  lastApplied: LastApplied | undefined,
): Leftovers {
  const prunable: ObservedResource[] = [];
  const leftAlone: LeftAlone[] = [];
  for (const [key, resource] of observed.resources) {
    const bucket: ResourceKey = `bucket ${resource.name.replace(/^KV_/, '')}`;
    const backs = resource.kind === 'stream' && (wanted.has(bucket) || observed.resources.has(bucket));
    if (wanted.has(key) || backs || LEDGER_KEYS.has(key)) continue;
    const owner = ownerOf(resource.config);
    if (owner === system) prunable.push(resource);
    else if (lastApplied?.configs[key]) {
      const whose = owner ? `belongs to ${owner} now` : 'lost its owner mark';
      leftAlone.push({ resource: key, what: `no longer in the spec, and it ${whose}: it stays as it is` });
    }
  }
  return { prunable, leftAlone };
}

// Without the spec, the shape tells what a stream was for.
const roleOf = ({ kind, config }: ObservedResource): Role =>
  kind === 'consumer' ? 'worker' : kind === 'stream' && config.retention === 'workqueue' ? 'queue' : 'other';

/** The deletion that `--prune` makes of a leftover. */
export function pruneOf(resource: ObservedResource, lastApplied: LastApplied | undefined): Subject {
  const { kind, name } = resource;
  const change: Change = {
    action: 'delete',
    kind,
    name,
    role: roleOf(resource),
    fields: [],
    origin: lastApplied?.configs[keyOf(resource)] ? 'spec' : 'unknown',
    reason: 'no longer in the spec',
  };
  return { key: keyOf(resource), change, observed: resource };
}

/** Fields of live resources that this build does not know, and that it therefore leaves as they are. */
export function unknownOnServer(resources: Iterable<ObservedResource>): LeftAlone[] {
  return [...resources].flatMap((resource) => {
    const fields = unknownFields(resource.kind, resource.config);
    const what = `${fields.join(', ')}: unknown to this version, left as the server has ${fields.length === 1 ? 'it' : 'them'}`;
    return fields.length > 0 ? [{ resource: keyOf(resource), what }] : [];
  });
}
