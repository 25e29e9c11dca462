import { capturesOf, type DlqCapture, serves } from '../dlq/captures.ts';
import { serviceQueues } from '../dlq/service-queues.ts';
import { OpsError } from '../errors/ops-error.ts';
import { isServersOwn, KV_PREFIX } from '../facts/names.ts';
import { takenSubjects } from '../facts/subjects.ts';
import { readAllApplied } from '../ledger/store.ts';
import type { QueueRef } from '../model/entry.ts';
import type { Spec } from '../model/spec.ts';
import { answerOf, orElse, orThrow, orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { consumerNames } from '../nats/consumers.ts';
import type { StreamInfo } from '../nats/info.ts';
import { pipelined } from '../nats/pipeline.ts';
import { listStreams, readStream, readSubjects } from '../nats/streams.ts';

export interface LocateOptions {
  /** Only these streams. */
  readonly queues?: readonly string[];
  /** The spec at hand; the ledger's are looked up where none is given. */
  readonly spec?: Spec;
}

/** A stream of the account, as far as it matters here. */
interface Listed extends StreamInfo {
  readonly captures: readonly DlqCapture[];
}

const AT_ONCE = 64;

/**
 * The queues of the server and where their dead letters lie: work queues, and whatever a DLQ stream serves. A spec (the
 * one given, else those last applied) adds the bucket of the responses and the system's name, and stands in where this
 * user may not list streams.
 * @throws OpsError NOT_FOUND for a named queue that is not there, CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function locateQueues(nats: Nats, options: LocateOptions = {}): Promise<QueueRef[]> {
  const [specs, streams] = await Promise.all([
    // Where there is no ledger, or this user may not read it, nothing was applied.
    options.spec ? [options.spec] : orElse(answerOf(appliedSpecs(nats)), { missing: [], denied: [] }),
    listStreams(nats),
  ]);
  const known = specs.flatMap((spec) => Object.entries(spec.queues).map(([name, queue]) => ({ name, queue, spec })));
  const named = known.flatMap(({ name, queue }) => [name, ...(queue.dlq ? [queue.dlq.stream] : [])]);
  const infos = streams.is === 'denied' && named.length > 0 ? await readNamed(nats, named) : await orThrow(streams);
  const listed = new Map<string, Listed>();
  for (const info of infos) {
    if (!info.name.startsWith(KV_PREFIX)) listed.set(info.name, { ...info, captures: capturesOf(info.config) });
  }
  const dlqs = [...listed.values()].filter(({ captures }) => captures.length > 0);
  const served = new Map(await pipelined(dlqs, AT_ONCE, async (dlq) => [dlq.name, await queuesOf(nats, dlq)] as const));

  const names = new Set(known.map(({ name }) => name));
  if (!options.spec) {
    for (const { name, config, captures } of listed.values()) {
      if (config.retention === 'workqueue' && captures.length === 0) names.add(name);
    }
    for (const queues of served.values()) for (const name of queues) names.add(name);
  }
  // Somebody may ask for a stream that is nobody's queue so far.
  for (const name of options.queues ?? []) if (listed.has(name)) names.add(name);

  const wanted = [...names].filter((name) => !options.queues?.length || options.queues.includes(name)).sort();
  const missing = options.queues?.find((name) => !names.has(name));
  if (missing !== undefined) throw noSuchQueue(nats, missing, [...names].sort());
  return pipelined(wanted, AT_ONCE, async (queue): Promise<QueueRef> => {
    const spoken = known.find(({ name }) => name === queue);
    const stream = listed.get(queue);
    const consumers = Object.keys(spoken?.queue.consumers ?? {});
    const own = spoken?.queue.dlq?.stream;
    const found = dlqs.filter(({ name, captures }) => served.get(name)?.has(queue) || serves(captures, queue));
    // The spec's own comes first: that is where what is rebuilt goes.
    const all = [
      ...new Set([...(own !== undefined && listed.has(own) ? [own] : []), ...found.map(({ name }) => name)]),
    ];
    return {
      queue,
      subjects: stream ? takenSubjects(queue, stream.config) : [],
      dlq: all[0],
      dlqs: all,
      consumers: stream ? await workersOf(nats, queue, consumers) : [],
      ...(spoken?.queue.responses && { responses: spoken.queue.responses.bucket }),
      ...(spoken && { system: spoken.spec.name }),
    };
  });
}

const appliedSpecs = async (nats: Nats): Promise<Spec[]> => (await readAllApplied(nats)).map(({ spec }) => spec);

/** The streams that the specs name: all there is for who may not list. */
async function readNamed(nats: Nats, names: readonly string[]): Promise<StreamInfo[]> {
  const found = await pipelined([...new Set(names)], AT_ONCE, (name) => orUndefined(readStream(nats, name)));
  return found.filter((info) => info !== undefined);
}

/**
 * The queues a DLQ stream speaks of. Where its subjects name them, those; where they hold wildcards, or belong to
 * another service's convention, those that its stored messages name.
 */
async function queuesOf(nats: Nats, { name, captures }: Listed): Promise<ReadonlySet<string>> {
  const isService = captures.some(({ kind }) => kind === 'service');
  const [stored, ...told] = await Promise.all([
    isService ? serviceQueues(nats, name) : [],
    ...captures.map(async ({ kind, queue, subject, queueOf }) => {
      if (queue !== undefined || kind === 'service') return [queue];
      const stream = await orUndefined(readSubjects(nats, name, subject));
      return [...(stream?.subjects.keys() ?? [])].map(queueOf);
    }),
  ]);
  return new Set([...stored, ...told.flat()].filter((queue) => queue !== undefined));
}

/** The consumers that workers pull from, as far as names tell; where they may not be listed, those of the spec. */
async function workersOf(nats: Nats, stream: string, spoken: readonly string[]): Promise<string[]> {
  const names = await orElse(consumerNames(nats, stream), { missing: [], denied: spoken });
  return names.filter((name) => !isServersOwn(name)).sort();
}

function noSuchQueue(nats: Nats, queue: string, names: readonly string[]): OpsError {
  return new OpsError('NOT_FOUND', `there is no queue ${queue}`, {
    where: `${nats.target.url}, account ${nats.target.account}`,
    why: 'It is neither a stream of this account nor named by a DLQ stream.',
    hints: [names.length > 0 ? `the queues here are ${names.slice(0, 10).join(', ')}` : 'there are no queues here'],
  });
}
