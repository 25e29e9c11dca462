import type { FieldTable } from '../facts/fields.ts';
import { type Config, equalJson, type Json, listOf } from '../model/json.ts';
import type { Migration, Unfinished } from '../model/migration.ts';
import type { Step, WriteStep } from '../model/plan.ts';
import { keyOf, type ResourceKey, type ResourceKind, type Role, splitConsumerName } from '../model/resource.ts';
import type { Subject } from '../risk/subject.ts';
import { findHandovers, type Handover } from './handover.ts';
import { type Moves, streamKeyOf } from './moves.ts';
import { bucketWire, consumerWire, freshWire, streamWire } from './wire.ts';

// Deletes come first, for what is left may need their names, subjects and filters; otherwise they are creation in
// reverse. A stream that takes a subject over waits until its present holder has let go; likewise a consumer of a
// workqueue that takes a filter over, and a new one waits for all of them (see handover).
//
// What is moved comes when all else that it needs is there; a DLQ lets go of the old name's advisories after it.
//
//   0 delete consumers     3 dlq, buckets, others, new queues  6 what is moved, one after the other
//   1 delete queues        4 queues that were there            7 update consumers
//   2 delete the others    5 streams that take subjects over   8 consumers that take filters over
//                                                              9 create consumers
const STAGE = {
  deleteConsumer: 0,
  deleteQueue: 1,
  deleteOther: 2,
  other: 3,
  queue: 4,
  takesOver: 5,
  migrate: 6,
  update: 7,
  updateTakesOver: 8,
  create: 9,
};

const deleteStage = (kind: ResourceKind, role: Role): number =>
  kind === 'consumer' ? STAGE.deleteConsumer : role === 'queue' ? STAGE.deleteQueue : STAGE.deleteOther;

/** What the steps need to know besides the changes. */
export interface StepContext {
  readonly table: FieldTable;
  readonly clustered: boolean;
  readonly liveStream: (stream: string) => Config | undefined;
  readonly wantedStream: (stream: string) => Config | undefined;
  /** Streams that are replaced: their consumers vanish with them. */
  readonly gone: ReadonlySet<ResourceKey>;
  readonly moves: Moves;
  readonly unfinished: readonly Unfinished[];
}

/** "can not move and scale a stream in a single update": on a cluster the move goes first, with the replicas as they are. */
function staged(live: Config, config: Config, clustered: boolean): Config[] {
  const moves = !equalJson(live.placement ?? {}, config.placement ?? {});
  const replicas = Number(live.num_replicas ?? 1);
  if (!clustered || !moves || replicas === Number(config.num_replicas ?? 1)) return [config];
  return [{ ...config, num_replicas: replicas as Json }, config];
}

function configsToSend(subject: Subject, context: StepContext, fresh: boolean): Config[] {
  const { desired, observed, change } = subject;
  if (!desired) return [];
  const live = fresh ? undefined : observed?.config;
  const { table } = context;
  if (!live) return [freshWire(desired, table)];
  switch (change.kind) {
    case 'consumer': {
      const { stream } = splitConsumerName(change.name);
      const streams = { live: context.liveStream(stream), wanted: context.wantedStream(stream) };
      return [consumerWire(change.name, desired.config, table, streams, live)];
    }
    case 'bucket':
    case 'stream': {
      const wire = change.kind === 'bucket' ? bucketWire : streamWire;
      const config = wire(change.name, desired.config, table, live);
      return staged(live, config, context.clustered);
    }
  }
}

/** A queue that is only made has no consumer yet: nothing dies in it before its DLQ is there. What it copies from must be. */
const copiesNothing = ({ desired }: Subject): boolean =>
  desired !== undefined && !desired.config.mirror && listOf(desired.config.sources).length === 0;

function writeStage(subject: Subject, update: boolean, takesOver: boolean, moving: boolean): number {
  const { kind, role } = subject.change;
  if (role === 'dlq' && update && moving) return STAGE.update;
  if (kind === 'consumer') return update ? (takesOver ? STAGE.updateTakesOver : STAGE.update) : STAGE.create;
  if (takesOver) return STAGE.takesOver;
  return role === 'queue' && (update || !copiesNothing(subject)) ? STAGE.queue : STAGE.other;
}

/** The live configuration with nothing of what others are about to take. */
function narrowed(subject: Subject, keeps: readonly string[], context: StepContext): Config {
  const { change, observed } = subject;
  const live = observed!.config;
  if (change.kind === 'stream') return streamWire(change.name, { ...live, subjects: keeps }, context.table, live);
  const { filter_subject: _, filter_subjects: __, ...rest } = live;
  const stream = context.liveStream(splitConsumerName(change.name).stream);
  const config = { ...rest, ...(keeps.length === 1 ? { filter_subject: keeps[0]! } : { filter_subjects: keeps }) };
  return consumerWire(change.name, config, context.table, { live: stream, wanted: stream }, live);
}

/** As it was written down where it was begun, else as it is planned now; none for a consumer that goes along. */
function migrationOf({ key }: Subject, { moves, unfinished }: StepContext): Migration | undefined {
  const begun = unfinished.find(({ migration }) => keyOf(migration) === key);
  const planned = moves.get(key);
  return begun?.migration ?? (planned?.is === 'movable' ? planned.migration : undefined);
}

/** The positions of the consumers that go along with a stream. */
const alongWith = ({ key }: Subject, subjects: readonly Subject[]): number[] =>
  subjects.flatMap(({ change }, index) =>
    change.action === 'migrate' && change.kind === 'consumer' && streamKeyOf(change.name) === key ? [index] : [],
  );

/** The writes that carry the changes out, in the order they must be done. */
export function planSteps(subjects: readonly Subject[], context: StepContext): Step[] {
  const retention = (stream: string) => (context.wantedStream(stream) ?? context.liveStream(stream))?.retention;
  const moving = subjects.some(({ change }) => change.action === 'migrate');
  const handovers = findHandovers(subjects, (stream) => retention(stream) === 'workqueue');
  const stepsOf = (subject: Subject, change: number): Step[] => {
    const { key, change: told } = subject;
    const base = { resource: key, change };
    const withStream = told.kind === 'consumer' && context.gone.has(`stream ${splitConsumerName(told.name).stream}`);
    const remove: WriteStep = {
      ...base,
      verb: 'delete',
      configs: [],
      why: told.reason ?? 'no longer in the spec',
      stage: deleteStage(told.kind, told.role),
    };
    const write = (verb: 'create' | 'update', why: string): WriteStep => ({
      ...base,
      verb,
      configs: configsToSend(subject, context, verb === 'create'),
      why,
      stage: writeStage(subject, verb === 'update', handovers.has(subject), moving),
    });
    const letGo = (keeps: Handover['keeps']): Step[] =>
      keeps
        ? [
            {
              ...base,
              verb: 'update',
              configs: [narrowed(subject, keeps, context)],
              why: 'lets go of what another takes over',
              stage: writeStage(subject, true, false, moving),
            },
          ]
        : [];
    switch (told.action) {
      case 'create':
        return [write('create', 'not on the server yet')];
      case 'update':
        return [
          ...letGo(handovers.get(subject)?.keeps),
          write('update', told.fields.map((field) => field.path).join(', ')),
        ];
      case 'replace':
        return withStream ? [write('create', 'made again')] : [remove, write('create', 'made again')];
      case 'delete':
        return [remove];
      case 'migrate': {
        const migration = migrationOf(subject, context);
        if (!migration) return [];
        return [
          {
            ...base,
            verb: 'migrate',
            configs: [],
            why: told.reason ?? 'cannot be changed in place',
            stage: STAGE.migrate,
            migration,
            along: alongWith(subject, subjects),
          },
        ];
      }
    }
  };
  const steps = subjects.flatMap(stepsOf);
  return steps.sort((a, b) => a.stage - b.stage || a.change - b.change);
}
