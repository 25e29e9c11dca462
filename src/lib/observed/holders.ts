import { bucketStream, bucketSubjects } from '../facts/names.ts';
import { isMirror } from '../facts/stream-fields.ts';
import { subjectsOverlap, takenSubjects } from '../facts/subjects.ts';
import { listOf, textsOf } from '../model/json.ts';
import {
  type Desired,
  type DesiredResource,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
} from '../model/resource.ts';
import { orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';
import { listStreams, streamNames } from '../nats/streams.ts';
import { asResource, IN_FLIGHT, readObserved } from './read.ts';

/** From so many subjects on a listing of all streams, 256 at a time, is less work than a request for each. */
const MANY = 64;

/** What a stream or bucket is to take and does not take yet. */
function gained({ kind, name, config }: DesiredResource, live: ObservedResource | undefined): readonly string[] {
  if (kind === 'consumer' || isMirror(config)) return [];
  if (kind === 'bucket') return live ? [] : [bucketSubjects(name)];
  const wanted = listOf(config.sources).length > 0 ? textsOf(config.subjects) : takenSubjects(name, config);
  const held = textsOf(live?.config.subjects);
  return wanted.filter((subject) => !held.includes(subject));
}

/**
 * Streams beyond those that were read which hold a subject that the spec is to gain: the server would refuse it (10065).
 * What this user may not ask for is left out. @throws OpsError CONN_*
 */
export async function readHolders(
  nats: Nats,
  { desired, observed }: { readonly desired: Desired; readonly observed: Observed },
): Promise<ReadonlyMap<ResourceKey, ObservedResource>> {
  const subjects = new Set(
    desired.resources.flatMap((resource) => gained(resource, observed.resources.get(keyOf(resource)))),
  );
  const known = new Set(
    [...desired.resources, ...observed.resources.values()].map(({ kind, name }) =>
      kind === 'bucket' ? bucketStream(name) : name,
    ),
  );
  const keyOfStream = (name: string): ResourceKey => `stream ${name}`;
  if (subjects.size > MANY) {
    const all = await orElse(listStreams(nats), { denied: [] });
    const holds = (held: readonly string[]) =>
      held.some((one) => [...subjects].some((subject) => subjectsOverlap(one, subject)));
    const holders = all.filter(({ name, config }) => !known.has(name) && holds(textsOf(config.subjects)));
    return new Map(holders.map((info) => [keyOfStream(info.name), asResource(keyOfStream(info.name), info)]));
  }
  const names = await pipelined([...subjects], IN_FLIGHT, (subject) =>
    orElse(streamNames(nats, { subject }), { denied: [] }),
  );
  const strangers = [...new Set(names.flat())].filter((name) => !known.has(name));
  return (await readObserved(nats, strangers.map(keyOfStream))).resources;
}
