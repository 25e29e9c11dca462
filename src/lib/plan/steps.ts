import { subjectsOverlap } from '../facts/subjects.ts';
import { type Config, equalJson, type Json } from '../model/json.ts';
import type { Step } from '../model/plan.ts';
import { type ResourceKey, type ResourceKind, type Role, splitConsumerName } from '../model/resource.ts';
import type { Subject } from '../risk/subject.ts';
import { bucketWire, consumerWire, streamWire } from './wire.ts';

// Deletes come first, for what is left may need their names, subjects and filters; otherwise they are creation in
// reverse. A stream that takes a subject over waits until its present holder has let go; likewise a new consumer of a
// workqueue waits for the updates that narrow the others.
//
//   0 delete consumers     3 dlq, buckets, other streams     6 update consumers
//   1 delete queues        4 queue streams                   7 create consumers
//   2 delete the others    5 streams that take subjects over
const STAGE = {
  deleteConsumer: 0,
  deleteQueue: 1,
  deleteOther: 2,
  other: 3,
  queue: 4,
  takesOver: 5,
  update: 6,
  create: 7,
};

const deleteStage = (kind: ResourceKind, role: Role): number =>
  kind === 'consumer' ? STAGE.deleteConsumer : role === 'queue' ? STAGE.deleteQueue : STAGE.deleteOther;

/** What the steps need to know besides the changes. */
export interface StepContext {
  readonly version: string;
  readonly clustered: boolean;
  readonly liveStream: (stream: string) => Config | undefined;
  readonly wantedStream: (stream: string) => Config | undefined;
  /** Streams that are replaced: their consumers vanish with them. */
  readonly gone: ReadonlySet<ResourceKey>;
}

const subjectsOf = (config: Config | undefined): readonly string[] =>
  Array.isArray(config?.subjects) ? (config.subjects as string[]) : [];

function takesOver(subject: Subject, subjects: readonly Subject[]): boolean {
  if (subject.change.kind !== 'stream' || !subject.after) return false;
  const held = new Set(subjectsOf(subject.before));
  const gained = subjectsOf(subject.after).filter((each) => !held.has(each));
  if (gained.length === 0) return false;
  return subjects.some(
    (other) =>
      other !== subject &&
      other.change.action === 'update' &&
      subjectsOf(other.before).some((each) => gained.some((one) => subjectsOverlap(one, each))),
  );
}

/** "can not move and scale a stream in a single update": on a cluster the move goes first, with the replicas as they are. */
function staged(live: Config, config: Config, clustered: boolean): Config[] {
  const moves = !equalJson(live.placement ?? {}, config.placement ?? {});
  const replicas = Number(live.num_replicas ?? 1);
  if (!clustered || !moves || replicas === Number(config.num_replicas ?? 1)) return [config];
  return [{ ...config, num_replicas: replicas as Json }, config];
}

function wireOf(subject: Subject, context: StepContext, fresh: boolean): Config[] {
  const { desired, observed, change } = subject;
  if (!desired) return [];
  const live = fresh ? undefined : observed?.config;
  const { version } = context;
  switch (change.kind) {
    case 'consumer': {
      const { stream } = splitConsumerName(change.name);
      const streams = { live: context.liveStream(stream), wanted: context.wantedStream(stream) };
      return [consumerWire(change.name, desired.config, version, streams, live)];
    }
    case 'bucket':
    case 'stream': {
      const wire = change.kind === 'bucket' ? bucketWire : streamWire;
      const config = wire(change.name, desired.config, version, live);
      return live ? staged(live, config, context.clustered) : [config];
    }
  }
}

function writeStage(subject: Subject, subjects: readonly Subject[], update: boolean): number {
  const { kind, role } = subject.change;
  if (kind === 'consumer') return update ? STAGE.update : STAGE.create;
  if (takesOver(subject, subjects)) return STAGE.takesOver;
  return role === 'queue' ? STAGE.queue : STAGE.other;
}

/** The writes that carry the changes out, in the order they must be done. */
export function planSteps(subjects: readonly Subject[], context: StepContext): Step[] {
  const stepsOf = (subject: Subject, change: number): Step[] => {
    const { key, change: told } = subject;
    const base = { resource: key, change };
    const withStream = told.kind === 'consumer' && context.gone.has(`stream ${splitConsumerName(told.name).stream}`);
    const remove: Step = {
      ...base,
      verb: 'delete',
      configs: [],
      why: told.reason ?? 'no longer in the spec',
      stage: deleteStage(told.kind, told.role),
    };
    const write = (verb: 'create' | 'update', why: string): Step => ({
      ...base,
      verb,
      configs: wireOf(subject, context, verb === 'create'),
      why,
      stage: writeStage(subject, subjects, verb === 'update'),
    });
    switch (told.action) {
      case 'create':
        return [write('create', 'not on the server yet')];
      case 'update':
        return [write('update', told.fields.map((field) => field.path).join(', '))];
      case 'replace':
        return withStream ? [write('create', 'made again')] : [remove, write('create', 'made again')];
      case 'delete':
        return [remove];
    }
  };
  const steps = subjects.flatMap(stepsOf);
  return steps.sort((a, b) => a.stage - b.stage || a.change - b.change);
}
