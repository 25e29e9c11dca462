import { bucketStream } from '../facts/names.ts';
import type { Config } from '../model/json.ts';
import type { Step } from '../model/plan.ts';
import { type ResourceKey, splitConsumerName, splitKey } from '../model/resource.ts';
import { orUndefined } from '../nats/answer.ts';
import { deleteConsumer, readConsumer, writeConsumer } from '../nats/consumers.ts';
import type { ConsumerInfo, StreamInfo } from '../nats/info.ts';
import type { Nats, RequestOptions } from '../nats/port.ts';
import { deleteStream, readStream, writeStream } from '../nats/streams.ts';

/** The stream a step writes: its own, or a bucket's; `undefined` for a consumer. */
export function streamOfStep({ resource }: Pick<Step, 'resource'>): string | undefined {
  const { kind, name } = splitKey(resource);
  return kind === 'consumer' ? undefined : kind === 'bucket' ? bucketStream(name) : name;
}

/**
 * Makes a resource, or gives it another configuration; gives it as the server has it now.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export function sendStep(
  nats: Nats,
  { resource, verb }: { readonly resource: ResourceKey; readonly verb: 'create' | 'update' },
  config: Config,
  options: RequestOptions,
): Promise<StreamInfo | ConsumerInfo> {
  const stream = streamOfStep({ resource });
  return stream === undefined
    ? writeConsumer(nats, verb, consumerOf(resource), config, options)
    : writeStream(nats, verb, stream, config, options);
}

/** When a resource was made, RFC 3339; `undefined` where there is none. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function readCreated(nats: Nats, resource: ResourceKey): Promise<string | undefined> {
  const stream = streamOfStep({ resource });
  const { stream: of, consumer } = consumerOf(resource);
  const found = await orUndefined<StreamInfo | ConsumerInfo>(
    stream === undefined ? readConsumer(nats, of, consumer) : readStream(nats, stream),
  );
  return found?.created;
}

/**
 * Deletes a resource, if it is the one that was made then. What is gone already is as good.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function deleteResource(
  nats: Nats,
  resource: ResourceKey,
  created: string,
  options: RequestOptions,
): Promise<void> {
  const stream = streamOfStep({ resource });
  await orUndefined(
    stream === undefined
      ? deleteConsumer(nats, { ...consumerOf(resource), created }, options)
      : deleteStream(nats, { stream, created }, options),
  );
}

const consumerOf = (resource: ResourceKey) => splitConsumerName(splitKey(resource).name);
