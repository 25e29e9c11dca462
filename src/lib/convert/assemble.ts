import { capturesAll, capturesOf, type DlqCapture, serves } from '../facts/captures.ts';
import { CAPTURES, dlqSubjects, RESPONSES_BUCKET } from '../facts/names.ts';
import { type Config, equalJson, textsOf } from '../model/json.ts';
import type { Capture, DlqSpec, HealthSpec, QueueSpec, ResponsesSpec, Spec, StreamSpec } from '../model/spec.ts';
import type { Found, LeftOut } from './found.ts';

export interface AssembleOptions {
  /** The system's name; else the owner mark, else the first queue's or stream's name. */
  readonly name?: string;
  /** The stream of consumers whose file does not say it, and the name of a stream whose file has none. */
  readonly stream?: string;
  readonly health: HealthSpec;
  /** Streams that are queues, whatever their retention and their DLQ. */
  readonly queues?: readonly string[];
}

interface Assembled {
  readonly spec: Spec;
  /** Where its name is a guess: the owner marks in the files, none or several. */
  readonly guessedBeside?: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

type FoundStream = Extract<Found, { kind: 'stream' | 'bucket' }>;
type FoundConsumer = Extract<Found, { kind: 'consumer' }>;

/**
 * Puts what was found into one spec. A workqueue stream is a queue, and any whose advisories another stream captures by
 * its name; what captures them is its DLQ, whatever else it holds. A bucket `responses` beside a single queue holds its
 * responses.
 */
export function placeFound(found: readonly Found[], options: AssembleOptions): Assembled {
  const leftOut: LeftOut[] = [];
  const unique = withoutRepeats(found, leftOut);
  const streams = unique.filter((item): item is FoundStream => item.kind === 'stream');
  const buckets = unique.filter((item): item is FoundStream => item.kind === 'bucket');
  const consumers = unique.filter((item): item is FoundConsumer => item.kind === 'consumer');

  const captors = streams.map((stream) => ({ stream, captures: ownCaptures(stream) }));
  const named = new Set(captors.flatMap(({ captures }) => captures.flatMap(({ queue }) => queue ?? [])));
  const mayBeQueue = ({ name, config }: FoundStream) =>
    config.retention === 'workqueue' || named.has(name) || options.queues?.includes(name);
  const workersOf = (queue: string) =>
    consumers.filter(({ stream = options.stream }) => stream === queue).map(({ name }) => name);
  const dlqs = dlqsOf(streams.filter(mayBeQueue), { captors, workersOf, leftOut });
  const queues = streams.filter((stream) => mayBeQueue(stream) && !isDlq(stream, dlqs));
  const plain = streams.filter((stream) => !queues.includes(stream) && !isDlq(stream, dlqs));
  const homes = new Map([...queues, ...plain].map((stream) => [stream.name, [] as FoundConsumer[]]));
  for (const consumer of consumers) settle(consumer, { homes, dlqs, stream: options.stream, leftOut });

  const [queue] = queues;
  const answers = queues.length === 1 ? buckets.find(({ name }) => name === RESPONSES_BUCKET) : undefined;
  const build = (stream: FoundStream): StreamSpec => ({
    config: stream.config,
    consumers: record(homes.get(stream.name)!.map((consumer) => [consumer.name, consumer.config])),
  });
  const owners = [...new Set(unique.flatMap(({ owner }) => owner ?? []))];
  const owner = options.name ?? (owners.length === 1 ? owners[0] : undefined);
  const spec: Spec = {
    version: 1,
    name: owner ?? systemName(queue ?? plain[0] ?? buckets[0]),
    connection: {},
    queues: record(queues.map((stream) => [stream.name, toQueue(stream, build(stream))])),
    streams: record(plain.map((stream) => [stream.name, build(stream)])),
    buckets: record(buckets.filter((bucket) => bucket !== answers).map(({ name, config }) => [name, config])),
  };
  return { spec, leftOut, ...(owner === undefined && { guessedBeside: owners }) };

  function toQueue(stream: FoundStream, built: StreamSpec): QueueSpec {
    const found = dlqs.get(stream.name)?.spec;
    const sharing = queues.filter(({ name }) => dlqs.get(name)?.spec.stream === found?.stream);
    const dlq = found && { ...found, config: beside(sharing, found.config) };
    const responses: ResponsesSpec | undefined = answers && {
      bucket: answers.name,
      config: beside([stream], answers.config),
    };
    return { ...built, ...(dlq ? { dlq } : {}), ...(responses ? { responses } : {}), health: options.health };
  }
}

/**
 * A queue's DLQ and bucket take its replicas where they say nothing: so the number is written where it differs, only; all
 * who share one say the same.
 */
function beside(queues: readonly FoundStream[], { num_replicas = 1, ...config }: Config): Config {
  return queues.every((queue) => num_replicas === (queue.config.num_replicas ?? 1))
    ? config
    : { ...config, num_replicas };
}

const record = <T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> =>
  Object.fromEntries(entries);

const keyOf = (item: Found): string =>
  item.kind === 'consumer' ? `consumer ${item.stream ?? ''}/${item.name}` : `${item.kind} ${item.name}`;

/** The first of several of one name is taken; the others are told unless they say the same. */
function withoutRepeats(found: readonly Found[], leftOut: LeftOut[]): Found[] {
  const first = new Map<string, Found>();
  for (const item of found) {
    const earlier = first.get(keyOf(item));
    if (!earlier) first.set(keyOf(item), item);
    else if (!equalJson(earlier.config, item.config)) {
      const why = `${keyOf(item)} was already taken from ${earlier.file}, where it is different`;
      leftOut.push({ file: item.file, path: item.path, why });
    }
  }
  return [...first.values()];
}

interface FoundDlq {
  readonly stream: FoundStream;
  readonly spec: DlqSpec;
}

interface Captor {
  readonly stream: FoundStream;
  readonly captures: readonly DlqCapture[];
}

/** What a stream captures by subjects of its own: a copy of a DLQ has none, and is no place for entries. */
const ownCaptures = ({ name, config: { subjects = [] } }: FoundStream): DlqCapture[] => capturesOf({ name, subjects });

interface Captors {
  readonly captors: readonly Captor[];
  workersOf(queue: string): readonly string[];
  readonly leftOut: LeftOut[];
}

/**
 * Where the dead letters of each queue lie. A spec names one stream, which captures a kind of death whoever of the
 * consumers it befalls: the one that captures most. What else captures some is told.
 */
function dlqsOf(queues: readonly FoundStream[], { captors, workersOf, leftOut }: Captors): Map<string, FoundDlq> {
  const chosen = new Map<string, Pick<FoundDlq, 'stream'> & { readonly capture: readonly Capture[] }>();
  for (const { name: queue } of queues) {
    // A stream of advisories is nobody's queue, though wildcards of its own match its name.
    if (captors.some(({ stream, captures }) => stream.name === queue && captures.length > 0)) continue;
    const workers = workersOf(queue);
    const [first, ...others] = captors
      .filter(({ captures }) => serves(captures, queue))
      .map(({ stream }) => ({ stream, capture: capturedBy(stream, queue, workers) }))
      .sort((one, other) => other.capture.length - one.capture.length);
    const isWhole = first !== undefined && first.capture.length > 0;
    if (isWhole) chosen.set(queue, first);
    for (const { stream } of isWhole || !first ? others : [first, ...others]) {
      const why = isWhole ? `a dlq is one stream, ${first.stream.name} here` : 'a dlq captures those of all consumers';
      leftOut.push({ file: stream.file, path: stream.path, why: `${stream.name} captures deaths of ${queue}: ${why}` });
    }
  }
  const sharing = [...chosen];
  return new Map(
    sharing.map(([queue, { stream, capture }]) => {
      const usual = new Set(
        sharing.flatMap(([name, dlq]) => (dlq.stream === stream ? dlqSubjects(name, dlq.capture) : [])),
      );
      const subjects = textsOf(stream.config.subjects);
      // Made by hand, or before rejects were captured: its subjects are not those that `capture` stands for.
      const isUsual = usual.size === subjects.length && subjects.every((subject) => usual.has(subject));
      const config = { ...(isUsual ? {} : { subjects }), ...beyondUsual(stream.config) };
      return [queue, { stream, spec: { stream: stream.name, capture, config } }];
    }),
  );
}

const capturedBy = ({ config }: FoundStream, queue: string, workers: readonly string[]): Capture[] =>
  CAPTURES.filter((kind) => capturesAll(textsOf(config.subjects), kind, queue, workers));

/** What a DLQ is anyway need not be written. */
function beyondUsual({ subjects: _, retention, allow_direct, ...config }: Config): Config {
  return {
    ...(retention === undefined || retention === 'limits' ? {} : { retention }),
    ...(allow_direct === true ? {} : { allow_direct: false }),
    ...config,
  };
}

const isDlq = (stream: FoundStream, dlqs: ReadonlyMap<string, FoundDlq>): boolean =>
  [...dlqs.values()].some((dlq) => dlq.stream === stream);

interface Homes {
  readonly homes: ReadonlyMap<string, FoundConsumer[]>;
  readonly dlqs: ReadonlyMap<string, FoundDlq>;
  readonly stream: string | undefined;
  readonly leftOut: LeftOut[];
}

/** Puts a consumer to its stream, or says why it has none. */
function settle(consumer: FoundConsumer, { homes, dlqs, stream, leftOut }: Homes): void {
  const leave = (why: string) =>
    leftOut.push({ file: consumer.file, path: consumer.path, why: `consumer ${consumer.name}: ${why}` });
  const only = homes.size === 1 ? [...homes.keys()][0] : undefined;
  const wanted = consumer.stream ?? stream ?? only;
  if (wanted === undefined) {
    leave(
      homes.size === 0
        ? 'its stream is not among the files; give that file too'
        : `its file does not say which stream it works on; pass --stream, one of ${[...homes.keys()].join(', ')}`,
    );
    return;
  }
  const home = homes.get(wanted);
  if (home?.some(({ name }) => name === consumer.name)) leave(`stream ${wanted} has one of that name already`);
  else if (home) home.push(consumer);
  else if ([...dlqs.values()].some((dlq) => dlq.stream.name === wanted))
    leave(`a dlq (${wanted}) has no consumers in a spec`);
  else leave(`its stream ${wanted} is not among the files; give that file too`);
}

/** The first resource's name in small letters. */
function systemName(first: FoundStream | undefined): string {
  const name = (first?.name ?? 'system').toLowerCase().replace(/[^a-z0-9_-]+/g, '-');
  return name.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '').slice(0, 64) || 'system';
}

/** True where an assembled spec holds anything. */
export const isEmptySpec = (spec: Pick<Spec, 'queues' | 'streams' | 'buckets'>): boolean =>
  [spec.queues, spec.streams, spec.buckets].every(
    (part: Readonly<Record<string, Config | StreamSpec>>) => Object.keys(part).length === 0,
  );
