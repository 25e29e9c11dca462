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

const gainedSubjects = (desired: Desired, observed?: Observed): string[] => [
  ...new Set(desired.resources.flatMap((resource) => gained(resource, observed?.resources.get(keyOf(resource))))),
];

/**
 * Which streams hold a subject of the spec: asked beside all else, before it is known which of them it has already.
 * `undefined` where there are too many to ask for each. @throws OpsError CONN_*
 */
export async function askHolders(nats: Nats, desired: Desired): Promise<readonly string[] | undefined> {
  const subjects = gainedSubjects(desired);
  if (subjects.length > MANY) return undefined;
  const names = await pipelined(subjects, IN_FLIGHT, (subject) =>
    orElse(streamNames(nats, { subject }), { denied: [] }),
  );
  return [...new Set(names.flat())];
}

const keyOfStream = (name: string): ResourceKey => `stream ${name}`;

/**
 * Of those, what was not read yet, where the spec is to gain a subject: the server would refuse it (10065). What this
 * user may not ask for is left out. @throws OpsError CONN_*
 */
export async function readHolders(
  nats: Nats,
  { desired, observed }: { readonly desired: Desired; readonly observed: Observed },
  names: readonly string[] | undefined,
): Promise<ReadonlyMap<ResourceKey, ObservedResource>> {
  const subjects = gainedSubjects(desired, observed);
  if (subjects.length === 0) return new Map();
  const known = new Set(
    [...desired.resources, ...observed.resources.values()].map(({ kind, name }) =>
      kind === 'bucket' ? bucketStream(name) : name,
    ),
  );
  if (names) return (await readObserved(nats, names.filter((name) => !known.has(name)).map(keyOfStream))).resources;
  const all = await orElse(listStreams(nats), { denied: [] });
  const holds = (held: readonly string[]) => held.some((one) => subjects.some((each) => subjectsOverlap(one, each)));
  const holders = all.filter(({ name, config }) => !known.has(name) && holds(textsOf(config.subjects)));
  return new Map(holders.map((info) => [keyOfStream(info.name), asResource(keyOfStream(info.name), info)]));
}
