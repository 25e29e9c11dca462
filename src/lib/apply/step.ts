import { bucketStream } from '../facts/names.ts';
import type { Config } from '../model/json.ts';
import type { Step, WriteStep } from '../model/plan.ts';
import { splitConsumerName, splitKey } from '../model/resource.ts';
import { orUndefined } from '../nats/answer.ts';
import { deleteConsumer, writeConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import type { Nats, RequestOptions } from '../nats/port.ts';
import { deleteStream, writeStream } from '../nats/streams.ts';

/** The stream a step writes: its own, or a bucket's; `undefined` for a consumer. */
export function streamOfStep({ resource }: Pick<Step, 'resource'>): string | undefined {
  const { kind, name } = splitKey(resource);
  return kind === 'consumer' ? undefined : kind === 'bucket' ? bucketStream(name) : name;
}

/**
 * Carries a step out, with one of its configurations; gives what that made as the server has it now. What is to be deleted and is
 * gone already is as good. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function sendStep(
  nats: Nats,
  { resource, verb }: Pick<WriteStep, 'resource' | 'verb'>,
  config: Config,
  options: RequestOptions,
): Promise<StreamInfo | ConsumerInfo | undefined> {
  const stream = streamOfStep({ resource });
  const consumer = splitConsumerName(splitKey(resource).name);
  if (verb === 'delete') {
    const gone = stream === undefined ? deleteConsumer(nats, consumer, options) : deleteStream(nats, stream, options);
    await orUndefined(gone);
    return undefined;
  }
  return stream === undefined
    ? writeConsumer(nats, verb, consumer, config, options)
    : writeStream(nats, verb, stream, config, options);
}
