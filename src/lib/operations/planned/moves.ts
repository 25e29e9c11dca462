import { unknownValues } from '../../canonical/unknown.ts';
import { tableFor } from '../../facts/fields.ts';
import { bucketStream, CAPTURES, dlqSubjects } from '../../facts/names.ts';
import { subjectsOverlap } from '../../facts/subjects.ts';
import { type AskedConsumer, type MoveAsked, planMigration } from '../../migrate/plan.ts';
import { type Config, listOf, objectOf, textOf, textsOf } from '../../model/json.ts';
import type { PlannedMigration } from '../../model/migration.ts';
import type { Change, Plan } from '../../model/plan.ts';
import {
  type Desired,
  type DesiredResource,
  keyOf,
  type Observed,
  type ObservedResource,
  type ResourceKey,
  splitConsumerName,
} from '../../model/resource.ts';
import { orElse } from '../../nats/answer.ts';
import { listConsumers } from '../../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../../nats/info.ts';
import type { Nats } from '../../nats/port.ts';
import { listStreams } from '../../nats/streams.ts';
import { type Moves, streamKeyOf } from '../../plan/moves.ts';
import { freshWire } from '../../plan/wire.ts';

interface Known {
  readonly desired: Desired;
  readonly observed: Observed;
  /** As it is without any move. */
  readonly plan: Plan;
}

/** One that cannot be changed in place, or has another name. */
interface Candidate {
  readonly change: Change;
  readonly wanted: DesiredResource;
  readonly live: ObservedResource;
}

/**
 * What of a plan can be moved instead of made again, and what has its old name still: only then the server is asked for
 * all that hangs on it, in one go. @throws OpsError CONN_*, DENIED_SUBJECT
 */
export async function findMoves(nats: Nats, known: Known): Promise<Moves> {
  const candidates = candidatesOf(known);
  if (candidates.length === 0) return new Map();
  const [streams, ...consumers] = await Promise.all([
    orElse(listStreams(nats), { denied: undefined }),
    ...candidates.map(({ live }) => orElse(listConsumers(nats, streamOf(live)), { missing: [], denied: undefined })),
  ]);
  return new Map(
    candidates.map((candidate, index): [ResourceKey, PlannedMigration] => {
      const key = keyOf(candidate.wanted);
      const listed = consumers[index];
      if (!streams || !listed) return [key, UNSEEN];
      const asked = askedOf(candidate, known, streams, listed);
      return [key, asked ? planMigration(asked) : UNSEEN];
    }),
  );
}

const UNSEEN: PlannedMigration = {
  is: 'refused',
  refusals: [
    {
      why: 'this user may not list all streams and consumers, so what hangs on it cannot be told',
      hint: 'plan as a user with the role migrator: osapi-ops permissions SPEC migrator',
    },
  ],
};

/** Each stream and bucket, and the consumers that do not go along with theirs. */
function candidatesOf({ desired, observed, plan }: Known): Candidate[] {
  const wanted = new Map(desired.resources.map((each) => [keyOf(each), each]));
  const found = plan.changes.flatMap((change): Candidate[] => {
    const isAsked = change.fields.some(({ impact }) => impact === 'replace');
    const resource = wanted.get(keyOf(change));
    const live = observed.resources.get(`${change.kind} ${change.moved_from ?? change.name}`);
    const isStuck = change.action === 'replace' || change.action === 'migrate';
    return isAsked && isStuck && resource && live ? [{ change, wanted: resource, live }] : [];
  });
  const streams = new Set(found.map(({ change }) => keyOf(change)));
  return found.filter(({ change }) => change.kind !== 'consumer' || !streams.has(streamKeyOf(change.name)));
}

/** The stream that a live resource is, is in, or is kept in. */
const streamOf = ({ kind, name }: Pick<ObservedResource, 'kind' | 'name'>): string =>
  kind === 'bucket' ? bucketStream(name) : kind === 'consumer' ? splitConsumerName(name).stream : name;

function askedOf(
  { change, wanted, live }: Candidate,
  { desired, observed, plan }: Known,
  streams: readonly StreamInfo[],
  consumers: readonly ConsumerInfo[],
): MoveAsked | undefined {
  const { server } = observed.target;
  const name = streamOf(live);
  const stream = streams.find((each) => each.name === name);
  if (!stream) return undefined;
  const fresh = (resource: DesiredResource, before: Config): Config => ({
    ...unknownValues(resource.kind === 'consumer' ? 'consumer' : 'stream', before),
    ...freshWire(resource, tableFor(server.version)),
  });
  const goes = new Set(plan.changes.filter(({ action }) => action === 'delete').map(keyOf));
  const queue = wanted.queue;
  const responses = desired.resources.find((each) => each.role === 'responses' && each.queue === queue);
  return {
    kind: change.kind,
    name: change.name,
    from: live.name,
    fields: change.fields.filter(({ impact }) => impact === 'replace').map(({ path }) => path),
    version: server.version,
    clustered: server.cluster !== undefined,
    stream,
    after: change.kind === 'consumer' ? {} : fresh(wanted, live.config),
    consumers: consumers
      .filter((each) => !goes.has(`consumer ${name}/${each.name}`))
      .map((each): AskedConsumer => {
        const next = desired.resources.find(
          (one) => one.kind === 'consumer' && (one.movedFrom ?? one.name) === `${name}/${each.name}`,
        );
        const isOther = next && plan.changes.some((one) => keyOf(one) === keyOf(next));
        const to = next && splitConsumerName(next.name).consumer;
        return { ...each, ...(isOther && { to, after: fresh(next, each.config) }) };
      }),
    dlqs: queue === undefined ? [] : dlqsOf(desired, observed, [name, streamOf(wanted)]),
    ...(responses && queue !== undefined && { responses: responses.name }),
    others: streams.filter(({ config }) => copies(config).includes(name)).map((each) => each.name),
    streams: streams.map((each) => each.name),
  };
}

/** The streams that a stream reads. */
const copies = ({ mirror, sources }: Config): string[] =>
  [mirror, ...listOf(sources)].map((one) => textOf(objectOf(one).name)).filter((name) => name !== '');

/** What gets the dead letters of a queue, with what it must take meanwhile: by its name of now, and by that to be. */
function dlqsOf({ resources }: Desired, observed: Observed, names: readonly string[]): MoveAsked['dlqs'] {
  const theirs = names.flatMap((name) => dlqSubjects(name, CAPTURES));
  return resources
    .filter(({ role }) => role === 'dlq')
    .map((dlq) => {
      const before = observed.resources.get(`stream ${dlq.name}`) ?? observed.resources.get(`stream ${dlq.movedFrom}`);
      const subjects = [...new Set([...textsOf(before?.config.subjects), ...textsOf(dlq.config.subjects)])];
      return { stream: dlq.name, subjects };
    })
    .filter(({ subjects }) => subjects.some((one) => theirs.some((each) => subjectsOverlap(one, each))));
}
