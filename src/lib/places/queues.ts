import { type Captors, findCaptors, isCaptorOf } from '../dlq/captors.ts';
import { serviceQueues } from '../dlq/service-queues.ts';
import { type SeenQueue, toStanding } from '../dlq/standing.ts';
import { OpsError } from '../errors/ops-error.ts';
import { capturesOf, type DlqCapture } from '../facts/captures.ts';
import { bucketStream, isServersOwn, KV_PREFIX, RESPONSES_BUCKET } from '../facts/names.ts';
import { takenSubjects } from '../facts/subjects.ts';
import { readAllApplied } from '../ledger/store.ts';
import type { QueueRef } from '../model/entry.ts';
import type { Spec } from '../model/spec.ts';
import { type Answer, answerOf, orElse, orThrow, orUndefined } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { consumerNames, listConsumers } from '../nats/consumers.ts';
import { type ConsumerInfo, exactStream, type StreamInfo } from '../nats/info.ts';
import { pipelined } from '../nats/pipeline.ts';
import { listStreams, readStream, readSubjects } from '../nats/streams.ts';
import { whereOf } from './choose.ts';

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

/** A queue by its stream alone: what its consumers are is asked for once, when it is needed. */
export interface FoundQueue extends Omit<QueueRef, 'consumers'> {
  /** Absent where it is not there. */
  readonly stream?: StreamInfo;
  /** Messages in its DLQ streams, of other queues too where it shares one. */
  readonly recorded: number;
  look(): Promise<SeenQueue>;
}

/**
 * The queues of the server and where their dead letters lie: work queues, and whatever a DLQ stream serves. A spec (the
 * one given, else those last applied) adds the bucket of the responses and the system's name, and stands in where this
 * user may not list streams. Their consumers are asked for as soon as they can be, and not waited for.
 * @throws OpsError NOT_FOUND for a named queue that is not there, CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function findQueues(nats: Nats, options: LocateOptions = {}): Promise<FoundQueue[]> {
  // Before the answers: what happens while they are under way is not in them for certain.
  const readAt = performance.now();
  const asked = new Map<string, Promise<Answer<readonly ConsumerInfo[]>>>();
  const consumersOf = (name: string) => {
    const listing = asked.get(name) ?? listConsumers(nats, name);
    asked.set(name, listing);
    listing.catch(() => {});
    return listing;
  };
  const askEarly = (names: readonly string[]) => names.slice(0, AT_ONCE).forEach(consumersOf);
  askEarly(options.queues ?? []);
  const [specs, streams] = await Promise.all([
    // Where there is no ledger, or this user may not read it, nothing was applied.
    options.spec ? [options.spec] : orElse(answerOf(appliedSpecs(nats)), { missing: [], denied: [] }),
    listStreams(nats),
  ]);
  const known = specs.flatMap((spec) => Object.entries(spec.queues).map(([name, queue]) => ({ name, queue, spec })));
  const { infos, unread } =
    streams.is === 'denied' && known.length > 0
      ? await readNamed(nats, known)
      : { infos: await orThrow(streams), unread: new Map<string, readonly string[]>() };
  const listed = new Map<string, Listed>();
  for (const info of infos) {
    if (!info.name.startsWith(KV_PREFIX)) listed.set(info.name, { ...info, captures: capturesOf(info.config) });
  }
  const usual = infos.some(({ name }) => name === bucketStream(RESPONSES_BUCKET)) ? RESPONSES_BUCKET : undefined;
  const names = new Set(known.map(({ name }) => name));
  if (!options.spec) {
    for (const { name, config, captures } of listed.values()) {
      if (config.retention === 'workqueue' && captures.length === 0) names.add(name);
    }
  }
  // Somebody may ask for a stream that is nobody's queue so far.
  for (const name of options.queues ?? []) if (listed.has(name)) names.add(name);
  const isMeant = (name: string) => !options.queues?.length || options.queues.includes(name);
  askEarly([...names].filter((name) => isMeant(name) && listed.has(name)));

  const dlqs = [...listed.values()].filter(({ captures }) => captures.length > 0);
  const served = new Map(await pipelined(dlqs, AT_ONCE, async (dlq) => [dlq.name, await queuesOf(nats, dlq)] as const));
  if (!options.spec) for (const queues of served.values()) for (const name of queues) names.add(name);

  const missing = options.queues?.find((name) => !names.has(name));
  if (missing !== undefined) throw noSuchQueue(nats, missing, [...names].sort());
  return [...names]
    .filter(isMeant)
    .sort()
    .map((queue): FoundQueue => {
      const spoken = known.find(({ name }) => name === queue);
      const stream = listed.get(queue);
      if (stream) exactStream(stream);
      const own = spoken?.queue.dlq?.stream;
      const found = dlqs.filter(({ name, config, captures: all }) => {
        const captures = spoken ? capturesOf(config, true) : all;
        return captures.length > 0 && isCaptorOf({ captures, stored: served.get(name)! }, queue);
      });
      // The spec's own comes first: that is where what is rebuilt goes.
      const all = [
        ...new Set([...(own !== undefined && listed.has(own) ? [own] : []), ...found.map(({ name }) => name)]),
      ];
      for (const name of all) exactStream(listed.get(name)!);
      // Where no spec says it, as for whoever asks for a response: the one that is called as in the original system.
      const responses = spoken?.queue.responses?.bucket ?? usual;
      const ref = {
        queue,
        subjects: stream ? takenSubjects(queue, stream.config) : [],
        dlq: all[0],
        dlqs: all,
        ...(unread.has(queue) && { unread: unread.get(queue)! }),
        ...(responses !== undefined && { responses }),
        ...(spoken && { system: spoken.spec.name }),
      };
      const look = async (): Promise<SeenQueue> => {
        if (!stream) return { ...ref, consumers: [], isGone: true };
        const { names, infos } = await workersOf(
          nats,
          queue,
          Object.keys(spoken?.queue.consumers ?? {}),
          consumersOf(queue),
        );
        const seen = infos && {
          standing: toStanding(queue, stream, infos, readAt),
          dlqs: all.map((name) => listed.get(name)!),
        };
        return { ...ref, consumers: names, ...(seen && { seen }) };
      };
      const recorded = all.reduce((sum, name) => sum + listed.get(name)!.figures.messages, 0);
      return { ...ref, ...(stream && { stream }), recorded, look };
    });
}

/** The same with the consumers that workers pull from. @throws as `findQueues` */
export const locateQueues = async (nats: Nats, options: LocateOptions = {}): Promise<SeenQueue[]> =>
  lookAtQueues(await findQueues(nats, options));

export const lookAtQueues = (found: readonly FoundQueue[]): Promise<SeenQueue[]> =>
  pipelined(found, AT_ONCE, (queue) => queue.look());

const appliedSpecs = async (nats: Nats): Promise<Spec[]> => (await readAllApplied(nats)).map(({ spec }) => spec);

/** The streams that the specs name, and what takes their dead letters: all there is for who may not list. */
async function readNamed(
  nats: Nats,
  queues: readonly { readonly name: string; readonly queue: Pick<Spec['queues'][string], 'dlq'> }[],
): Promise<{ readonly infos: readonly StreamInfo[]; readonly unread: Captors['unread'] }> {
  const names = new Set(queues.flatMap(({ name, queue }) => [name, ...(queue.dlq ? [queue.dlq.stream] : [])]));
  const [named, { found, unread }] = await Promise.all([
    pipelined([...names], AT_ONCE, (name) => orUndefined(readStream(nats, name))),
    findCaptors(
      nats,
      queues.map(({ name }) => name),
      names,
    ),
  ]);
  const infos = [...named, ...found.map(({ info }) => info)].filter((info) => info !== undefined);
  return { infos, unread };
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

interface Workers {
  readonly names: readonly string[];
  /** All the consumers, where they may be listed. */
  readonly infos?: readonly ConsumerInfo[];
}

/** The consumers that workers pull from, as far as names tell; where they may not be listed, those of the spec. */
async function workersOf(
  nats: Nats,
  stream: string,
  spoken: readonly string[],
  listing: Promise<Answer<readonly ConsumerInfo[]>>,
): Promise<Workers> {
  const infos = await orElse(listing, { missing: [], denied: undefined });
  const names =
    infos?.map(({ name }) => name) ?? (await orElse(consumerNames(nats, stream), { missing: [], denied: spoken }));
  return { names: names.filter((name) => !isServersOwn(name)).sort(), ...(infos && { infos }) };
}

/** What is said where a named queue is not there. */
export function noSuchQueue(
  nats: Nats,
  queue: string,
  names: readonly string[],
  why = 'It is neither a stream of this account nor named by a DLQ stream.',
): OpsError {
  return new OpsError('NOT_FOUND', `there is no queue ${queue}`, {
    where: whereOf(nats),
    why,
    hints: [
      ...(queue.includes(',')
        ? [
            `repeat the flag: ${queue
              .split(',')
              .map((one) => `--queue ${one}`)
              .join(' ')}`,
          ]
        : []),
      ...(names.length > 0
        ? [`the queues here are ${names.slice(0, 10).join(', ')}`]
        : ['apply its spec, or check that this is the right server and account']),
    ],
  });
}
