import { bucketStream, dlqSubjects } from '../../facts/names.ts';
import { takenSubjects } from '../../facts/subjects.ts';
import { type Config, isObject, listOf, textOf, textsOf } from '../../model/json.ts';
import type { QueueSpec, Spec } from '../../model/spec.ts';
import { type Node, nodeAt, type Path } from '../tree.ts';

/** A spec as the rules look at it: every resource in one list of its kind, with its place in the spec. */
export interface View {
  readonly spec: Spec;
  readonly streams: readonly StreamView[];
  readonly consumers: readonly ConsumerView[];
  readonly buckets: readonly BucketView[];
  /** What was written at a path, if anything was. */
  readonly node: (path: Path) => Node | undefined;
}

export interface StreamView {
  readonly role: 'queue' | 'dlq' | 'other';
  readonly name: string;
  /** With what a queue or a DLQ means unwritten. */
  readonly config: Config;
  readonly path: Path;
  /** Of a queue or a DLQ: the queue. */
  readonly queue?: { readonly name: string; readonly spec: QueueSpec };
  /** What it stores; undefined where a mirror or source decides. */
  readonly subjects?: readonly string[];
  readonly consumers: readonly ConsumerView[];
}

export interface ConsumerView {
  readonly name: string;
  readonly config: Config;
  readonly path: Path;
  readonly stream: StreamView;
}

/** `REQUESTS/request-worker`. */
export const called = ({ name, stream }: ConsumerView): string => `${stream.name}/${name}`;

export interface BucketView {
  readonly role: 'responses' | 'other';
  readonly name: string;
  readonly config: Config;
  readonly path: Path;
  readonly queue?: { readonly name: string; readonly spec: QueueSpec };
}

export function viewOf(spec: Spec, root: Node): View {
  const streams: StreamView[] = [];
  const buckets: BucketView[] = [];
  for (const [name, queue] of Object.entries(spec.queues)) {
    const path = ['queues', name];
    const of = { name, spec: queue };
    streams.push(streamView('queue', name, queue.config, path, queue.consumers, of));
    if (queue.dlq) {
      const subjects = dlqSubjects(name, queue.dlq.capture);
      const config = { subjects, retention: 'limits', ...queue.dlq.config };
      streams.push(streamView('dlq', queue.dlq.stream, config, [...path, 'dlq'], {}, of));
    }
    if (queue.responses) {
      const { bucket, config } = queue.responses;
      buckets.push({ role: 'responses', name: bucket, config, path: [...path, 'responses'], queue: of });
    }
  }
  for (const [name, stream] of Object.entries(spec.streams)) {
    streams.push(streamView('other', name, stream.config, ['streams', name], stream.consumers));
  }
  for (const [name, config] of Object.entries(spec.buckets)) {
    buckets.push({ role: 'other', name, config, path: ['buckets', name] });
  }
  const consumers = streams.flatMap((stream) => stream.consumers);
  return { spec, streams, consumers, buckets, node: (path) => nodeAt(root, path) };
}

function streamView(
  role: StreamView['role'],
  name: string,
  config: Config,
  path: Path,
  consumers: Readonly<Record<string, Config>>,
  queue?: StreamView['queue'],
): StreamView {
  const workers: ConsumerView[] = [];
  const subjects = publishedSubjects(name, config);
  const view: StreamView = {
    role,
    name,
    config,
    path,
    queue,
    subjects,
    consumers: workers,
  };
  for (const [worker, each] of Object.entries(consumers)) {
    workers.push({ name: worker, config: each, path: [...path, 'consumers', worker], stream: view });
  }
  return view;
}

/** What clients may publish to; undefined where a mirror or sources bring subjects of their own. */
function publishedSubjects(name: string, config: Config): readonly string[] | undefined {
  const copies = config.mirror !== undefined || listOf(config.sources).length > 0;
  return copies ? undefined : takenSubjects(name, config);
}

/** A number of a configuration, or what stands for it where it is unwritten. */
export const settingOf = (config: Config, field: string, unwritten: number): number =>
  config[field] === undefined ? unwritten : Number(config[field]);

export const isLimited = (config: Config, field: string): boolean => settingOf(config, field, -1) > 0;

export const isWorkqueue = (stream: StreamView): boolean => stream.config.retention === 'workqueue';

/** True where messages are stored under other subjects than they came on; an empty transform is none. */
export const isTransformed = ({ subject_transform: transform }: Config): boolean =>
  isObject(transform) && Object.keys(transform).length > 0;

export const isPush = ({ config }: ConsumerView): boolean =>
  typeof config.deliver_subject === 'string' && config.deliver_subject !== '';

/** The filters of a consumer; none means everything. */
export function writtenFilters({ config }: ConsumerView): readonly string[] {
  return [textOf(config.filter_subject), ...textsOf(config.filter_subjects)].filter((subject) => subject !== '');
}

/** The longest time from a request's first try to its death in nanoseconds; undefined where it never dies. */
export function scheduleOf({ config }: ConsumerView): number | undefined {
  const tries = settingOf(config, 'max_deliver', -1);
  if (tries < 1) return undefined;
  const waits = listOf(config.backoff).map(Number);
  const repeated = waits.at(-1) ?? settingOf(config, 'ack_wait', 30e9);
  const listed = waits.slice(0, tries).reduce((sum, wait) => sum + wait, 0);
  return listed + Math.max(0, tries - waits.length) * repeated;
}

export const streamOfBucket = (bucket: BucketView): string => bucketStream(bucket.name);
