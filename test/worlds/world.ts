// What a world is made of, and how it is made.
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type Person, Refused } from './person.ts';

const MS = 1e6;
/** A death takes no longer than this, in milliseconds, where there is one delivery. */
export const ACK_WAIT_MS = 150;

export interface Worker {
  readonly name: string;
  readonly filters: readonly string[];
  readonly maxDeliver: number;
  readonly push?: boolean;
}

export interface World {
  /** By a spec of ours, or with the nats CLI. */
  readonly made: 'applied' | 'by hand';
  readonly retention: 'workqueue' | 'limits' | 'interest';
  readonly discard: 'new' | 'old';
  readonly storage: 'memory' | 'file';
  readonly workers: readonly Worker[];
  readonly dlq: 'both' | 'max_deliveries' | 'all' | 'none';
  readonly responses: boolean;
  readonly limits: 'none' | 'few' | 'one of a subject' | 'few in the DLQ';
  readonly copy: 'none' | 'mirror' | 'full mirror' | 'source';
  readonly transform: boolean;
  /** The stream takes messages that are for later: on servers that have them. */
  readonly schedules: boolean;
  /** A queue beside it: with a DLQ of its own, in the same DLQ, or as another system. */
  readonly beside: 'none' | 'own' | 'shared' | 'system';
  readonly replicas: 1 | 3;
  /** The system is on a second server too, with a life of its own there. */
  readonly servers: 1 | 2;
  /** The name of the spec's file. */
  readonly file: string;
}

/** What a law was checked on: a run that never came to one of these says so. */
export const KINDS = [
  'made: applied',
  'made: by hand',
  'retention: workqueue',
  'retention: limits',
  'retention: interest',
  'discard: new',
  'discard: old',
  'storage: memory',
  'storage: file',
  'dlq: both',
  'dlq: max_deliveries',
  'dlq: all',
  'dlq: none',
  'limits: none',
  'limits: few',
  'limits: one of a subject',
  'limits: few in the DLQ',
  'copy: none',
  'copy: mirror',
  'copy: full mirror',
  'copy: source',
  'beside: none',
  'beside: own',
  'beside: shared',
  'beside: system',
  'replicas: 1',
  'replicas: 3',
  'servers: 1',
  'servers: 2',
  'consumers: none',
  'consumers: one',
  'consumers: several',
  'consumers: push',
  'transform',
  'schedules',
  'no responses',
] as const;

export function kindsOf(world: World): readonly (typeof KINDS)[number][] {
  const { made, retention, discard, storage, dlq, limits, copy, beside, replicas, servers, workers } = world;
  const consumers = workers.length === 0 ? 'none' : workers.length === 1 ? 'one' : 'several';
  return [
    `made: ${made}`,
    `retention: ${retention}`,
    `discard: ${discard}`,
    `storage: ${storage}`,
    `dlq: ${dlq}`,
    `limits: ${limits}`,
    `copy: ${copy}`,
    `beside: ${beside}`,
    `replicas: ${replicas}`,
    `servers: ${servers}`,
    `consumers: ${consumers}`,
    ...(workers.some(({ push }) => push) ? (['consumers: push'] as const) : []),
    ...(world.transform ? (['transform'] as const) : []),
    ...(world.schedules ? (['schedules'] as const) : []),
    ...(world.responses ? [] : (['no responses'] as const)),
  ];
}

/** The same system on another server. */
export const twinOf = (world: World): World => ({ ...world, beside: 'none', file: 'twin.yaml' });

/** A queue as the laws see it. */
export interface Queue {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly workers: readonly Worker[];
  readonly dlqs: readonly string[];
  readonly bucket: string;
  readonly retention: World['retention'];
  /** The spec that made it. */
  readonly spec?: string;
}

const worker = (name: string, filters: readonly string[], maxDeliver = 1, push = false): Worker => ({
  name,
  filters,
  maxDeliver,
  ...(push && { push }),
});

/** Consumers that a work queue allows: no two take the same. */
const APART: readonly (readonly Worker[])[] = [
  [worker('a', [])],
  [worker('a', ['q.*'])],
  [worker('a', ['q.a'])],
  [worker('a', [], 2)],
  [worker('a', ['q.a']), worker('b', ['q.b'], 2)],
  [worker('a', ['q.a', 'q.c']), worker('b', ['q.b'])],
  [worker('a', ['q.a']), worker('b', ['q.b']), worker('c', ['q.c'], 2), worker('d', ['q.d'])],
  [worker('a', ['q.a']), worker('p', ['q.b'], 1, true)],
  [worker('p', [], 1, true)],
  [],
];
const OVERLAPPING: readonly (readonly Worker[])[] = [
  [worker('a', []), worker('b', [])],
  [worker('a', []), worker('b', ['q.a'], 2)],
  [worker('a', ['q.a', 'q.b']), worker('b', ['q.b', 'q.c']), worker('c', [])],
];

const mostly = <T>(usual: T, ...rare: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(...rare) });

export const worlds: fc.Arbitrary<World> = fc
  .record({
    replicas: fc.constantFrom<World['replicas'][]>(1, 1, 1, 1, 1, 3),
    servers: fc.constantFrom<World['servers'][]>(1, 1, 1, 2),
    made: fc.constantFrom<World['made'][]>('by hand', 'applied'),
    retention: mostly<World['retention']>('workqueue', 'limits', 'interest'),
    discard: mostly<World['discard']>('new', 'old'),
    storage: mostly<World['storage']>('memory', 'file'),
    apart: fc.constantFrom(...APART),
    overlapping: fc.constantFrom(...APART, ...OVERLAPPING),
    dlq: mostly<World['dlq']>('both', 'max_deliveries', 'all', 'none'),
    responses: mostly(true, false),
    limits: fc.constantFrom<World['limits'][]>('none', 'few', 'few', 'none', 'one of a subject', 'few in the DLQ'),
    copy: mostly<World['copy']>('none', 'mirror', 'full mirror', 'source'),
    transform: mostly(false, true),
    isForLater: fc.boolean(),
    isBeside: fc.boolean(),
    isShared: fc.boolean(),
  })
  .map(({ apart, overlapping, isBeside, isShared, isForLater, ...world }): World => {
    const isApplied = world.made === 'applied';
    const workers = world.retention === 'workqueue' ? apart : overlapping;
    // A DLQ that takes the advisories of all takes those of what is beside it.
    const beside = isApplied ? 'system' : isShared || world.dlq === 'all' ? 'shared' : 'own';
    return {
      ...world,
      file: 'one.yaml',
      servers: isApplied && world.replicas === 1 ? world.servers : 1,
      beside: isBeside ? beside : 'none',
      // The server allows it where the oldest are dropped.
      schedules: isForLater && !isApplied && world.discard === 'old',
      workers: isApplied ? workers.filter(({ push }) => !push) : workers,
      // What a spec says nothing of.
      ...(isApplied && { copy: 'none', transform: false, dlq: world.dlq === 'all' ? 'both' : world.dlq }),
    };
  });

const ADVISORY = '$JS.EVENT.ADVISORY.CONSUMER';
const dlqSubjects = (queue: string, dlq: World['dlq']): string[] => [
  `${ADVISORY}.MAX_DELIVERIES.${queue}.*`,
  ...(dlq === 'max_deliveries' ? [] : [`${ADVISORY}.MSG_TERMINATED.${queue}.*`, `osapi-ops.rejected.${queue}.*`]),
];

const FEW = 6;
const limitsOf = ({ limits, discard }: World): object =>
  limits === 'few'
    ? { max_msgs: FEW }
    : limits === 'one of a subject'
      ? { max_msgs_per_subject: 1, ...(discard === 'new' && { discard_new_per_subject: true }) }
      : {};

export const consumerConfig = ({ name, filters, maxDeliver, push }: Worker): Record<string, unknown> => ({
  durable_name: name,
  ack_policy: 'explicit',
  ack_wait: ACK_WAIT_MS * MS,
  max_deliver: maxDeliver,
  ...(filters.length === 1 && { filter_subject: filters[0] }),
  ...(filters.length > 1 && { filter_subjects: filters }),
  ...(push && { deliver_subject: `push.${name}` }),
});

export const addConsumer = (person: Person, queue: string, one: Worker): Promise<unknown> =>
  person.api(`CONSUMER.CREATE.${queue}.${one.name}`, { stream_name: queue, config: consumerConfig(one), action: '' });

/** Makes a world. @throws Refused for one that there cannot be */
export async function make(person: Person, world: World): Promise<readonly Queue[]> {
  return world.made === 'applied' ? apply(person, world) : byHand(person, world);
}

async function byHand(person: Person, world: World): Promise<readonly Queue[]> {
  const { retention, discard, storage, workers, dlq, responses, copy, transform, schedules, beside, replicas } = world;
  const add = (name: string, subjects: readonly string[], config: object = {}) =>
    person.api(`STREAM.CREATE.${name}`, {
      name,
      storage,
      num_replicas: replicas,
      allow_direct: true,
      ...(subjects.length > 0 && { subjects }),
      ...config,
    });
  const subjects = ['q.*'];
  await add('Q', subjects, {
    retention,
    discard,
    ...limitsOf(world),
    ...(transform && { subject_transform: { src: 'q.x', dest: 'q.a' } }),
    ...(schedules && { allow_msg_schedules: true }),
  });
  const shared = beside === 'shared' ? dlqSubjects('R', dlq) : [];
  const dlqLimits = world.limits === 'few in the DLQ' ? { max_msgs: FEW, discard } : {};
  if (dlq === 'all') await add('q_dlq', [`${ADVISORY}.>`, 'osapi-ops.rejected.>', 'foreign'], dlqLimits);
  else if (dlq !== 'none') await add('q_dlq', [...dlqSubjects('Q', dlq), ...shared, 'foreign'], dlqLimits);
  if (responses) {
    const config = { max_msgs_per_subject: 1, discard: 'new', allow_rollup_hdrs: true, deny_delete: true };
    await add('KV_responses', ['$KV.responses.>'], config);
  }
  for (const one of workers) await addConsumer(person, 'Q', one);
  if (copy === 'mirror' || copy === 'full mirror') {
    await add('COPY', [], { mirror: { name: 'Q' }, ...(copy === 'full mirror' && { max_msgs: 2, discard: 'new' }) });
  }
  if (copy === 'source') await add('COPY', [], { sources: [{ name: 'Q' }] });
  const dlqs = dlq === 'none' ? [] : ['q_dlq'];
  const bucket = 'responses';
  const queues: Queue[] = [
    { name: 'Q', subjects: ['q.a', 'q.b', 'q.c', ...(transform ? ['q.x'] : [])], workers, dlqs, bucket, retention },
  ];
  if (beside !== 'none') {
    await add('R', ['r.*'], { retention: 'workqueue', discard: 'new' });
    if (beside === 'own') await add('r_dlq', dlqSubjects('R', 'both'));
    await addConsumer(person, 'R', worker('w', []));
    const own = beside === 'own' ? ['r_dlq'] : [];
    queues.push({
      name: 'R',
      subjects: ['r.a'],
      workers: [worker('w', [])],
      dlqs: [...(beside === 'shared' || dlq === 'all' ? dlqs : []), ...own],
      bucket,
      retention: 'workqueue',
    });
  }
  return queues;
}

async function apply(person: Person, world: World): Promise<readonly Queue[]> {
  const { retention, discard, storage, workers, dlq, responses, beside, replicas } = world;
  const specOf = (name: string, stream: string, letter: string, some: readonly Worker[]): object => ({
    version: 1,
    name,
    ...(world.servers === 2 && { connection: { servers: [person.server] } }),
    queues: {
      [stream]: {
        subjects: [`${letter}.*`],
        retention: stream === 'Q' ? retention : 'workqueue',
        discard: stream === 'Q' ? discard : 'new',
        storage,
        num_replicas: replicas,
        ...(stream === 'Q' && limitsOf(world)),
        consumers: Object.fromEntries(
          some.map(({ name: worker, filters, maxDeliver }) => [
            worker,
            {
              ack_policy: 'explicit',
              ack_wait: `${ACK_WAIT_MS}ms`,
              max_deliver: maxDeliver,
              ...(filters.length === 1 && { filter_subject: filters[0] }),
              ...(filters.length > 1 && { filter_subjects: filters }),
            },
          ]),
        ),
        ...(dlq !== 'none' && {
          dlq: {
            stream: `${letter}_dlq`,
            capture: dlq === 'both' ? ['max_deliveries', 'terminated'] : [dlq],
            ...(world.limits === 'few in the DLQ' && { max_msgs: FEW, discard }),
          },
        }),
        ...(responses && { responses: { bucket: `${letter}_answers` } }),
      },
    },
  });
  const queues: Queue[] = [];
  const systems = [
    { name: 'one', stream: 'Q', letter: 'q', some: workers, subjects: ['q.a', 'q.b', 'q.c'] },
    ...(beside === 'none'
      ? []
      : [{ name: 'two', stream: 'R', letter: 'r', some: [worker('w', [])], subjects: ['r.a'] }]),
  ];
  for (const { name, stream, letter, some, subjects } of systems) {
    const spec = name === 'one' ? world.file : `${name}.yaml`;
    person.write(spec, stringify(specOf(name, stream, letter, some)));
    const { code, stdout, stderr } = await person.ops(['apply', spec]);
    if (code !== 0) throw new Refused(`apply ${spec}: ${code} ${stdout} ${stderr}`);
    queues.push({
      name: stream,
      subjects,
      workers: some,
      dlqs: dlq === 'none' ? [] : [`${letter}_dlq`],
      bucket: responses ? `${letter}_answers` : 'responses',
      retention: stream === 'Q' ? retention : 'workqueue',
      spec,
    });
  }
  return queues;
}
