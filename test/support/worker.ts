import type { Config } from '../../src/lib/model/json.ts';
import type { WorkerEvent, WorkerReport } from '../../src/lib/model/worker.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { writeStream } from '../../src/lib/nats/streams.ts';
import { type WorkerRunOptions, workerRunOperation } from '../../src/lib/operations/worker/run.ts';
import { contextFor } from './context.ts';
import type { TestServer } from './server.ts';

/** The waits of the original in milliseconds, so that a test can wait for them. */
export const BACKOFF_MS = [300, 600];
/** A consumer that tries again so soon. Other tests have one that waits half a minute: then nothing is delivered twice. */
export const HASTY: SystemOptions = { consumer: { backoff: BACKOFF_MS.map((ms) => ms * 1e6) } };

export interface SystemOptions {
  readonly consumer?: Config;
  readonly bucket?: Config;
  readonly replicas?: number;
  /** As it was made by hand: a DLQ of advisories only. */
  readonly handMade?: boolean;
}

/** Makes the system anew: queue, worker's consumer, DLQ, bucket. */
export async function makeSystem(
  nats: Nats,
  { consumer, bucket, replicas = 1, handMade }: SystemOptions = {},
): Promise<void> {
  const { streams } = await nats.api('STREAM.NAMES');
  for (const name of Array.isArray(streams) ? streams : []) await nats.api(`STREAM.DELETE.${name}`);
  const stream = (name: string, config: Config) =>
    writeStream(nats, 'create', name, { name, num_replicas: replicas, allow_direct: true, ...config });
  await stream('requests_dlq', {
    subjects: [
      '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.*',
      ...(handMade ? [] : ['$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.REQUESTS.*', 'osapi-ops.rejected.REQUESTS.*']),
    ],
  });
  await stream('KV_responses', {
    subjects: ['$KV.responses.>'],
    max_msgs_per_subject: 1,
    discard: 'new',
    allow_rollup_hdrs: true,
    deny_delete: true,
    ...bucket,
  });
  await stream('REQUESTS', { subjects: ['requests.*'], retention: 'workqueue', discard: 'new' });
  await nats.api('CONSUMER.CREATE.REQUESTS.request-worker', {
    stream_name: 'REQUESTS',
    action: '',
    config: {
      durable_name: 'request-worker',
      ack_policy: 'explicit',
      deliver_policy: 'all',
      max_deliver: 4,
      ack_wait: 30e9,
      ...consumer,
    },
  });
}

/** Publishes requests with these ids, all at once. */
export async function sendRequests(nats: Nats, ids: readonly string[]): Promise<void> {
  for (const id of ids) nats.nc.publish('requests.dns', JSON.stringify({ id, query: `of ${id}` }));
  await nats.nc.flush();
}

export interface Worked {
  readonly report: WorkerReport;
  readonly events: readonly WorkerEvent[];
}

/** A worker of this process. It ends when nothing came for 1.5 s, unless told otherwise. */
export function startWorker(
  server: Pick<TestServer, 'url'>,
  options: Partial<WorkerRunOptions> = {},
): { readonly done: Promise<Worked>; readonly events: WorkerEvent[]; stop(): void } {
  const events: WorkerEvent[] = [];
  const controller = new AbortController();
  const context = contextFor(server);
  const done = workerRunOperation(
    { ...context, cwd: process.cwd(), env: process.env, io: { ...context.io, signal: controller.signal } },
    {
      work: { type: 'builtin', name: 'echo' },
      queue: 'REQUESTS',
      consumer: 'request-worker',
      bucket: 'responses',
      concurrency: 8,
      handlerTimeoutMs: 10_000,
      handlerMemory: 128 * 1024 * 1024,
      graceMs: 5000,
      idleExitMs: 1500,
      metricsHost: '127.0.0.1',
      log: (event) => events.push(event),
      ...options,
    },
  ).then((report) => ({ report, events }));
  return { done, events, stop: () => controller.abort(new Error('stop')) };
}

export const work = (server: Pick<TestServer, 'url'>, options: Partial<WorkerRunOptions> = {}): Promise<Worked> =>
  startWorker(server, options).done;

export async function stateOf(nats: Nats, stream: string): Promise<{ messages: number; last_seq: number }> {
  return (await nats.api(`STREAM.INFO.${stream}`)).state as unknown as { messages: number; last_seq: number };
}
