import { dlqSubjects, OWNER_KEY } from '../facts/names.ts';
import type { Config } from '../model/json.ts';
import { isObject } from '../model/json.ts';
import {
  type Desired,
  type DesiredResource,
  type ResourceKind,
  type Role,
  splitConsumerName,
} from '../model/resource.ts';
import { type DlqSpec, type LoadedSpec, MOVED_FROM, type QueueSpec } from '../model/spec.ts';
import { consumerMonitor, streamMonitor } from './monitor.ts';

/**
 * What the spec wants, as exact configurations in the order of creation:
 *
 *   1  DLQ streams          they must listen before a message can die
 *   2  response buckets     a worker may answer as soon as it has work
 *   3  other streams and buckets; mirrors and sources after what they copy is the server's own matter
 *   4  queue streams
 *   5  consumers            of other streams and of queues
 *
 * Only what the spec or the design decides is written; every other field stays absent and means the server's default.
 */
export function deriveDesired(loaded: LoadedSpec): Desired {
  const { spec, positionOf } = loaded;
  const make = (
    kind: ResourceKind,
    name: string,
    role: Role,
    written: Config,
    path: readonly string[],
    { queue, monitor, stream }: { readonly queue?: string; readonly monitor?: Config; readonly stream?: Config } = {},
  ): DesiredResource => ({
    kind,
    name,
    role,
    queue,
    ...splitWritten(name, written, spec.name, monitor, stream),
    positionOf: (field) => positionOf(field === undefined ? path : [...path, ...field.split('.')]),
  });

  const dlqs: DesiredResource[] = [];
  const responses: DesiredResource[] = [];
  const others: DesiredResource[] = [];
  const queues: DesiredResource[] = [];
  const consumers: DesiredResource[] = [];

  for (const [name, queue] of Object.entries(spec.queues)) {
    const path = ['queues', name];
    queues.push(make('stream', name, 'queue', queue.config, path, { queue: name }));
    if (queue.dlq)
      dlqs.push(
        make('stream', queue.dlq.stream, 'dlq', dlqConfig(name, queue, queue.dlq), [...path, 'dlq'], { queue: name }),
      );
    if (queue.responses) {
      const config = { ...inherited(queue), ...queue.responses.config };
      responses.push(
        make('bucket', queue.responses.bucket, 'responses', config, [...path, 'responses'], { queue: name }),
      );
    }
    for (const [worker, config] of Object.entries(queue.consumers)) {
      const place = [...path, 'consumers', worker];
      const monitor = consumerMonitor(queue.health);
      consumers.push(
        make('consumer', `${name}/${worker}`, 'worker', config, place, { queue: name, monitor, stream: queue.config }),
      );
    }
  }
  for (const [name, stream] of Object.entries(spec.streams)) {
    const path = ['streams', name];
    others.push(make('stream', name, 'other', stream.config, path));
    for (const [worker, config] of Object.entries(stream.consumers)) {
      const place = [...path, 'consumers', worker];
      consumers.push(
        make('consumer', `${name}/${worker}`, 'other', config, place, { monitor: {}, stream: stream.config }),
      );
    }
  }
  for (const [name, config] of Object.entries(spec.buckets)) {
    others.push(make('bucket', name, 'other', config, ['buckets', name]));
  }
  return { system: spec.name, resources: [...joined(dlqs), ...joined(responses), ...others, ...queues, ...consumers] };
}

/** A DLQ keeps its entries until a limit, can be read by sequence, and is as safe as the queue it serves. */
function dlqConfig(name: string, queue: QueueSpec, dlq: DlqSpec): Config {
  return {
    subjects: dlqSubjects(name, dlq.capture),
    retention: 'limits',
    allow_direct: true,
    ...inherited(queue),
    ...dlq.config,
  };
}

/** What a queue's DLQ and bucket take from it where they say nothing: a lost server must not cost one of them alone. */
const inherited = ({ config }: QueueSpec): Config =>
  config.num_replicas === undefined ? {} : { num_replicas: config.num_replicas };

/** What the server is told of a resource, and the name that it had before: a consumer's begins with its stream's. */
function splitWritten(
  name: string,
  { [MOVED_FROM]: before, ...config }: Config,
  system: string,
  monitor: Config = streamMonitor(config),
  stream?: Config,
): Pick<DesiredResource, 'config' | 'movedFrom'> {
  const own = typeof before === 'string' ? before : undefined;
  const movedFrom = stream ? consumerBefore(name, own, stream) : own;
  return { config: labelled(config, monitor, system), ...(movedFrom !== undefined && { movedFrom }) };
}

function consumerBefore(name: string, own: string | undefined, { [MOVED_FROM]: moved }: Config): string | undefined {
  const { stream, consumer } = splitConsumerName(name);
  const before = `${typeof moved === 'string' ? moved : stream}/${own ?? consumer}`;
  return before === name ? undefined : before;
}

/** The spec's own labels stand over what is derived. */
function labelled(config: Config, monitor: Config, system: string): Config {
  const metadata = isObject(config.metadata) ? config.metadata : {};
  return { ...config, metadata: { ...monitor, ...metadata, [OWNER_KEY]: system } };
}

/** Queues may share one DLQ (it then captures the deaths of all) or one bucket; the rules see to it that they agree. */
function joined(resources: readonly DesiredResource[]): DesiredResource[] {
  const byName = new Map<string, DesiredResource>();
  for (const resource of resources) {
    const first = byName.get(resource.name);
    byName.set(resource.name, first ? { ...first, config: withSubjects(first.config, resource.config) } : resource);
  }
  return [...byName.values()];
}

function withSubjects(config: Config, other: Config): Config {
  if (!Array.isArray(config.subjects) || !Array.isArray(other.subjects)) return config;
  return { ...config, subjects: [...new Set([...config.subjects, ...other.subjects])] };
}
