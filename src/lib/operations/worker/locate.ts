import { locateQueues } from '../../dlq/locate.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { bucketStream, KV_PREFIX, LEDGER_BUCKET, rejectedSubject } from '../../facts/names.ts';
import { type Config, isObject } from '../../model/json.ts';
import type { Spec } from '../../model/spec.ts';
import { isMissing } from '../../nats/api-error.ts';
import type { Nats } from '../../nats/connect.ts';

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
 * Finds queue, consumer and bucket: by name, by the spec, by what was last applied, else by what the server has.
 * @throws OpsError USAGE where there are several and none is named, NOT_FOUND, CONN_*, DENIED_SUBJECT
 */
export async function locateWorker(nats: Nats, names: WorkerNames, spec?: Spec): Promise<WorkerPlace> {
  const { queue, consumer, bucket } = await fillIn(nats, names, spec);
  const config = await findConsumer(nats, queue, consumer);
  await requireBucket(nats, bucket);
  return { queue, consumer, bucket, config, keepsRejects: await capturesRejects(nats, queue, consumer) };
}

async function fillIn(nats: Nats, names: WorkerNames, spec?: Spec): Promise<Required<WorkerNames>> {
  const { queue, consumer, bucket } = names;
  if (queue !== undefined && consumer !== undefined && bucket !== undefined) return { queue, consumer, bucket };
  const found = await locateQueues(nats, { ...(queue !== undefined && { queues: [queue] }), ...(spec && { spec }) });
  const chosen = one(
    nats,
    'queue',
    found.map((each) => each.queue),
  );
  const ref = found.find((each) => each.queue === chosen)!;
  const own = Object.keys(spec?.queues[chosen]?.consumers ?? {});
  return {
    queue: chosen,
    consumer: consumer ?? one(nats, 'consumer', own.length > 0 ? own : ref.consumers, chosen),
    bucket: bucket ?? ref.responses ?? one(nats, 'bucket', await buckets(nats)),
  };
}

const WORDS = {
  queue: { what: 'a work queue', hint: '`osapi-ops apply SPEC` makes one' },
  consumer: { what: 'a consumer', hint: '`osapi-ops apply SPEC` makes one' },
  bucket: {
    what: 'a bucket for the responses',
    hint: '`osapi-ops apply SPEC` makes one, as does `nats kv add responses`',
  },
} as const;

/** The only one there is. Nothing here guesses between several. */
function one(nats: Nats, kind: keyof typeof WORDS, names: readonly string[], of?: string): string {
  const where = `${of === undefined ? '' : `queue ${of}, `}${nats.target.url}, account ${nats.target.account}`;
  const { what, hint } = WORDS[kind];
  if (names.length === 1) return names[0]!;
  if (names.length === 0) {
    throw new OpsError('NOT_FOUND', `there is no ${what.replace(/^an? /, '')}`, {
      where,
      why: `A worker needs ${what}.`,
      hints: [hint, `or name one with --${kind}`],
    });
  }
  throw new OpsError('USAGE', `there are several: ${names.slice(0, 20).join(', ')}`, {
    where,
    why: `A worker needs ${what}, and nothing here guesses between several.`,
    hints: [`name one with --${kind}`],
  });
}

/** Buckets of the account, but for our own. */
async function buckets(nats: Nats): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const page = await nats.api('STREAM.NAMES', { subject: '$KV.>', offset: names.length });
    const found = Array.isArray(page.streams) ? page.streams.map(String) : [];
    names.push(...found);
    if (found.length === 0 || names.length >= Number(page.total ?? 0)) break;
  }
  return names
    .filter((name) => name.startsWith(KV_PREFIX) && name !== bucketStream(LEDGER_BUCKET))
    .map((name) => name.slice(KV_PREFIX.length))
    .sort();
}

async function findConsumer(nats: Nats, queue: string, consumer: string): Promise<Config> {
  let config: Config;
  try {
    const info = await nats.api(`CONSUMER.INFO.${queue}.${consumer}`);
    config = isObject(info.config) ? info.config : {};
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new OpsError('NOT_FOUND', `there is no consumer ${queue}/${consumer}`, {
      where: `${nats.target.url}, account ${nats.target.account}`,
      why: 'A worker takes its requests through it.',
      hints: ['`osapi-ops apply SPEC` makes it', 'or name another with --queue and --consumer'],
      cause: error,
    });
  }
  const refuse = (message: string, why: string) =>
    new OpsError('USAGE', `consumer ${queue}/${consumer} ${message}`, {
      where: `${nats.target.url}, account ${nats.target.account}`,
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
  try {
    await nats.api(`STREAM.INFO.${bucketStream(bucket)}`);
  } catch (error) {
    // Whoever may only write there has to be believed.
    if (error instanceof OpsError && error.code === 'DENIED_SUBJECT') return;
    if (!isMissing(error)) throw error;
    throw new OpsError('NOT_FOUND', `there is no bucket ${bucket}`, {
      where: `${nats.target.url}, account ${nats.target.account}`,
      why: 'No response could be stored, and each try would use up a delivery of its request.',
      hints: [WORDS.bucket.hint, 'or name another with --bucket'],
      cause: error,
    });
  }
}

async function capturesRejects(nats: Nats, queue: string, consumer: string): Promise<boolean> {
  try {
    const { streams } = await nats.api('STREAM.NAMES', { subject: rejectedSubject(queue, consumer) });
    return Array.isArray(streams) && streams.length > 0;
  } catch (error) {
    // Found out by the first reject, which is not lost either way.
    if (error instanceof OpsError && error.code === 'DENIED_SUBJECT') return true;
    throw error;
  }
}
