import { OpsError } from '../errors/ops-error.ts';
import { bucketStream, rejectedSubject } from '../facts/names.ts';
import type { Config } from '../model/json.ts';
import type { Spec } from '../model/spec.ts';
import { orElse, orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { readConsumer } from '../nats/consumers.ts';
import { readStream, streamNames } from '../nats/streams.ts';
import { requireName } from './choose.ts';
import { Places } from './places.ts';

/** What the user named; the rest is found. */
export interface WorkerNames {
  readonly queue?: string;
  readonly consumer?: string;
  readonly bucket?: string;
}

/** Where a worker takes its requests and puts its responses. */
export interface WorkerPlace {
  readonly queue: string;
  readonly consumer: string;
  readonly bucket: string;
  /** The consumer's configuration as the server has it. */
  readonly config: Config;
  /** Whether a stream captures what is rejected. */
  readonly keepsRejects: boolean;
}

/**
 * Finds queue, consumer and bucket, and looks whether a worker can be at work there.
 * @throws OpsError USAGE where there are several and none is named, NOT_FOUND, CONN_*, DENIED_SUBJECT
 */
export async function locateWorker(nats: Nats, { queue, ...names }: WorkerNames, spec?: Spec): Promise<WorkerPlace> {
  const isNamed = queue !== undefined && names.consumer !== undefined && names.bucket !== undefined;
  const queues = queue === undefined ? undefined : [requireName('queue', queue)];
  const places = new Places(nats, { ...names, queues, spec });
  const [of, consumer, bucket] = await Promise.all([
    // Whoever names all three need not be allowed to look.
    isNamed ? queue : places.queue().then((ref) => ref.queue),
    places.consumer(),
    places.bucket(),
  ]);
  const [config, , keepsRejects] = await Promise.all([
    findConsumer(nats, of, consumer),
    requireBucket(nats, bucket),
    // Who may not ask finds out by the first reject, which is not lost either way.
    orElse(streamNames(nats, { subject: rejectedSubject(of, consumer) }), { denied: ['unknown'] }),
  ]);
  return { queue: of, consumer, bucket, config, keepsRejects: keepsRejects.length > 0 };
}

const whereOf = ({ target }: Nats): string => `${target.url}, account ${target.account}`;

async function findConsumer(nats: Nats, queue: string, consumer: string): Promise<Config> {
  const answer = await readConsumer(nats, queue, consumer);
  if (answer.is === 'missing') {
    throw new OpsError('NOT_FOUND', `there is no consumer ${queue}/${consumer}`, {
      where: whereOf(nats),
      why: 'A worker takes its requests through it.',
      hints: ['`osapi-ops apply SPEC` makes it', 'or name another with --queue and --consumer'],
      cause: answer.error,
    });
  }
  const { config } = await orThrow(answer);
  const refuse = (message: string, why: string) =>
    new OpsError('USAGE', `consumer ${queue}/${consumer} ${message}`, {
      where: whereOf(nats),
      why,
      hints: ['use a durable pull consumer with ack_policy explicit'],
    });
  if (config.deliver_subject) throw refuse('pushes', 'A worker pulls as much as it can work on.');
  if (config.ack_policy !== 'explicit') {
    throw refuse(
      `has ack_policy ${config.ack_policy}`,
      'Each request is acknowledged by itself, when its response is stored.',
    );
  }
  if (Array.isArray(config.priority_groups) && config.priority_groups.length > 0) {
    throw refuse('has priority groups', 'This worker belongs to none.');
  }
  return config;
}

async function requireBucket(nats: Nats, bucket: string): Promise<void> {
  const answer = await readStream(nats, bucketStream(bucket));
  if (answer.is === 'missing') {
    throw new OpsError('NOT_FOUND', `there is no bucket ${bucket}`, {
      where: whereOf(nats),
      why: 'No response could be stored, and each try would use up a delivery of its request.',
      hints: ['`osapi-ops apply SPEC` makes one, as does `nats kv add responses`', 'or name another with --bucket'],
      cause: answer.error,
    });
  }
  // Whoever may only write there has to be believed.
  if (answer.is !== 'denied') await orThrow(answer);
}
