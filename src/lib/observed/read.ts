import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import type { Config } from '../model/json.ts';
import type { Observed, ObservedResource, ResourceKey } from '../model/resource.ts';
import { isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';
import { infoSubject, parseConsumer, parseStream } from './parse.ts';

/** Requests under way at once. More gains nothing on loopback, and a server drops API requests beyond some thousands. */
export const IN_FLIGHT = 128;

/** One resource as the server has it; `undefined` where it does not. */
export async function readResource(nats: Nats, key: ResourceKey): Promise<ObservedResource | undefined> {
  let info: Config;
  try {
    info = await nats.api(infoSubject(key));
  } catch (error) {
    if (isMissing(error)) return undefined;
    if (error instanceof OpsError && error.code === 'CONN_NO_LEADER') {
      throw new OpsError('CONN_NO_LEADER', `${key} has no leader`, {
        where: infoSubject(key),
        why: 'Too few of the servers that hold it are up, or they are electing one.',
        hints: ['look at `nats server report jetstream`; run this again when the cluster has a quorum'],
        cause: error,
      });
    }
    throw error;
  }
  const space = key.indexOf(' ');
  const kind = key.slice(0, space) as ObservedResource['kind'];
  const name = key.slice(space + 1);
  return kind === 'consumer' ? parseConsumer(info, name) : parseStream(info, { kind, name });
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
