import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { bucketStream } from '../facts/names.ts';
import {
  type Observed,
  type ObservedResource,
  type ResourceKey,
  splitConsumerName,
  splitKey,
} from '../model/resource.ts';
import { type Answer, ifFound, orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { readConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import { pipelined } from '../nats/pipeline.ts';
import { readStream } from '../nats/streams.ts';

/** Requests under way at once. More gains nothing on loopback, and a server drops API requests beyond some thousands. */
export const IN_FLIGHT = 128;

/** What the server tells of a stream or a consumer, as the resource that it is to us. */
export const asResource = (key: ResourceKey, info: StreamInfo | ConsumerInfo): ObservedResource =>
  ({ ...info, ...splitKey(key) }) as ObservedResource;

/** Asks for one resource. */
export async function askResource(nats: Nats, key: ResourceKey): Promise<Answer<ObservedResource>> {
  const { kind, name } = splitKey(key);
  const { stream, consumer } = splitConsumerName(name);
  const answer =
    kind === 'consumer'
      ? await readConsumer(nats, stream, consumer)
      : await readStream(nats, kind === 'bucket' ? bucketStream(name) : name);
  return ifFound<StreamInfo | ConsumerInfo, ObservedResource>(answer, (info) => asResource(key, info));
}

/** One resource as the server has it; `undefined` where it does not. */
async function readResource(nats: Nats, key: ResourceKey): Promise<ObservedResource | undefined> {
  const answer = await askResource(nats, key);
  if (answer.is !== 'silent' || answer.error.code !== 'CONN_NO_LEADER') return orUndefined(answer);
  throw new OpsError('CONN_NO_LEADER', `${key} has no leader`, {
    where: answer.error.where,
    why: 'Too few of the servers that hold it are up, or they are electing one.',
    hints: ['look at `nats server report jetstream`; run this again when the cluster has a quorum'],
    cause: answer.error,
  });
}

/**
 * Asks the server for every resource named, many at a time; what does not exist is absent from the result.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function readObserved(nats: Nats, keys: Iterable<ResourceKey>): Promise<Observed> {
  const asked = [...new Set(keys)];
  const found = await pipelined(asked, IN_FLIGHT, (key) => readResource(nats, key));
  const resources = new Map<ResourceKey, ObservedResource>();
  for (const [index, resource] of found.entries()) if (resource) resources.set(asked[index]!, resource);
  return { target: nats.target, resources };
}

const POLL_MS = 250;

/**
 * The same, and where a cluster is electing a leader for some of it, again until all have one or the time is over:
 * what is left without a leader then has lost its servers.
 */
export async function readSettled(nats: Nats, keys: Iterable<ResourceKey>, withinMs: number): Promise<Observed> {
  const deadline = performance.now() + withinMs;
  const resources = new Map((await readObserved(nats, keys)).resources);
  for (;;) {
    const leaderless = [...resources].filter(([, { cluster }]) => cluster && cluster.leader === undefined);
    if (leaderless.length === 0 || performance.now() >= deadline) return { target: nats.target, resources };
    await sleep(POLL_MS);
    nats.signal.throwIfAborted();
    const again = await readObserved(
      nats,
      leaderless.map(([key]) => key),
    );
    for (const [key] of leaderless) resources.delete(key);
    for (const [key, resource] of again.resources) resources.set(key, resource);
  }
}
