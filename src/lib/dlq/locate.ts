import { OpsError } from '../errors/ops-error.ts';
import { KV_PREFIX } from '../facts/names.ts';
import { listSystems, readLastApplied } from '../ledger/store.ts';
import type { QueueRef } from '../model/entry.ts';
import { type Config, isObject } from '../model/json.ts';
import type { Spec } from '../model/spec.ts';
import { isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { pipelined } from '../nats/pipeline.ts';
import { capturesOf, type DlqCapture, serves, serviceQueues } from './captures.ts';

export interface LocateOptions {
  /** Only these streams. */
  readonly queues?: readonly string[];
  /** The spec at hand; the ledger's are looked up where none is given. */
  readonly spec?: Spec;
}

/** A stream of the account, as far as it matters here. */
interface Listed {
  readonly name: string;
  readonly retention: string;
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
  const specs = options.spec ? [options.spec] : await appliedSpecs(nats);
  const known = specs.flatMap((spec) => Object.entries(spec.queues).map(([name, queue]) => ({ name, queue, spec })));
  const listed = await listStreams(
    nats,
    known.flatMap(({ name, queue }) => [name, ...(queue.dlq ? [queue.dlq.stream] : [])]),
  );
  const dlqs = listed.filter(({ captures }) => captures.length > 0);
  const stored = await storedNames(nats, dlqs);

  const names = new Set<string>();
  for (const { name } of known) names.add(name);
  for (const { name, retention, captures } of options.spec ? [] : listed) {
    if (retention === 'workqueue' && captures.length === 0) names.add(name);
  }
  for (const { queues } of options.spec ? [] : stored.values()) for (const name of queues) names.add(name);
  // Somebody may ask for a stream that is nobody's queue so far.
  for (const name of options.queues ?? []) if (listed.some((stream) => stream.name === name)) names.add(name);

  const wanted = [...names].filter((name) => !options.queues?.length || options.queues.includes(name)).sort();
  const missing = options.queues?.find((name) => !names.has(name));
  if (missing !== undefined) throw noSuchQueue(nats, missing, [...names].sort());
  const exists = new Set(listed.map(({ name }) => name));
  const consumers = await pipelined(wanted, AT_ONCE, async (name) =>
    exists.has(name) ? consumerNames(nats, name, known.find((one) => one.name === name)?.queue.consumers) : [],
  );
  return wanted.map((queue, index) => {
    const spoken = known.find(({ name }) => name === queue);
    const named = spoken?.queue.dlq?.stream;
    const found = dlqs
      .filter((stream) => stored.get(stream.name)?.queues.has(queue) || serves(stream.captures, queue))
      .map(({ name }) => name);
    // The spec's own comes first: that is where what is rebuilt goes.
    const all = [...new Set([...(named !== undefined && exists.has(named) ? [named] : []), ...found])];
    return {
      queue,
      dlq: all[0],
      dlqs: all,
      consumers: consumers[index]!,
      ...(spoken?.queue.responses && { responses: spoken.queue.responses.bucket }),
      ...(spoken && { system: spoken.spec.name }),
    };
  });
}

/** The specs in the ledger; none where there is no ledger or this user may not read it. */
async function appliedSpecs(nats: Nats): Promise<Spec[]> {
  try {
    const systems = await listSystems(nats);
    const applied = await pipelined(systems, 8, (system) => readLastApplied(nats, system));
    return applied.flatMap((one) => (one ? [one.spec] : []));
  } catch (error) {
    if (error instanceof OpsError && (error.code === 'DENIED_SUBJECT' || error.code === 'NOT_FOUND')) return [];
    throw error;
  }
}

/** All streams of the account; where they may not be listed, those that the specs name. */
async function listStreams(nats: Nats, named: readonly string[]): Promise<Listed[]> {
  const infos: Config[] = [];
  try {
    for (;;) {
      const page = await nats.api('STREAM.LIST', { offset: infos.length });
      const items = Array.isArray(page.streams) ? page.streams.filter(isObject) : [];
      infos.push(...items);
      if (items.length === 0 || infos.length >= Number(page.total ?? 0)) break;
    }
  } catch (error) {
    if (!(error instanceof OpsError) || error.code !== 'DENIED_SUBJECT' || named.length === 0) throw error;
    const found = await pipelined([...new Set(named)], AT_ONCE, (name) => streamInfo(nats, name));
    infos.splice(0, infos.length, ...found.filter((info) => info !== undefined));
  }
  return infos.flatMap((info) => {
    const config = isObject(info.config) ? info.config : {};
    const name = String(config.name ?? '');
    if (name.startsWith(KV_PREFIX)) return [];
    return [{ name, retention: String(config.retention ?? ''), captures: capturesOf(config) }];
  });
}

async function streamInfo(nats: Nats, name: string): Promise<Config | undefined> {
  try {
    return await nats.api(`STREAM.INFO.${name}`);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * The queues each DLQ stream speaks of. Where its subjects name them, those; where they hold wildcards, or belong to
 * another service's convention, those that its stored messages name.
 */
async function storedNames(nats: Nats, dlqs: readonly Listed[]): Promise<Map<string, { queues: Set<string> }>> {
  const found = await pipelined(dlqs, AT_ONCE, async ({ name, captures }) => {
    const queues = new Set(captures.flatMap((capture) => (capture.queue !== undefined ? [capture.queue] : [])));
    for (const capture of captures) {
      if (capture.queue !== undefined) continue;
      for (const subject of await storedSubjects(nats, name, capture.subject)) {
        const queue = capture.queueOf(subject);
        if (queue !== undefined) queues.add(queue);
      }
    }
    if (captures.some(({ kind }) => kind === 'service'))
      for (const queue of await serviceQueues(nats, name)) queues.add(queue);
    return [name, { queues }] as const;
  });
  return new Map(found);
}

async function storedSubjects(nats: Nats, stream: string, filter: string): Promise<string[]> {
  const info = await nats.api(`STREAM.INFO.${stream}`, { subjects_filter: filter });
  const state = isObject(info.state) ? info.state : {};
  return isObject(state.subjects) ? Object.keys(state.subjects) : [];
}

/** The stream's consumers; where they may not be listed, those of the spec. */
async function consumerNames(nats: Nats, stream: string, spoken: object = {}): Promise<string[]> {
  const names: string[] = [];
  try {
    for (;;) {
      const page = await nats.api(`CONSUMER.NAMES.${stream}`, { offset: names.length });
      const items = Array.isArray(page.consumers) ? page.consumers.map(String) : [];
      names.push(...items);
      if (items.length === 0 || names.length >= Number(page.total ?? 0)) return names.sort();
    }
  } catch (error) {
    if (isMissing(error)) return [];
    if (error instanceof OpsError && error.code === 'DENIED_SUBJECT') return Object.keys(spoken).sort();
    throw error;
  }
}

function noSuchQueue(nats: Nats, queue: string, names: readonly string[]): OpsError {
  return new OpsError('NOT_FOUND', `there is no queue ${queue}`, {
    where: `${nats.target.url}, account ${nats.target.account}`,
    why: 'It is neither a stream of this account nor named by a DLQ stream.',
    hints: [names.length > 0 ? `the queues here are ${names.slice(0, 10).join(', ')}` : 'there are no queues here'],
  });
}
