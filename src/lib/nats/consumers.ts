import type { Config } from '../model/json.ts';
import { type Answer, answerOf, orUndefined } from './answer.ts';
import { askRemoval } from './exchange.ts';
import { type ConsumerInfo, nameOf, parseConsumerInfo } from './info.ts';
import { readList } from './pages.ts';
import type { Nats, RequestOptions } from './port.ts';

// All that is asked of consumers and done to them, but for what they deliver.

const info = async (nats: Nats, name: string, body?: object, options?: RequestOptions): Promise<ConsumerInfo> =>
  parseConsumerInfo(`${nats.settings.apiPrefix}.${name}`, await nats.api(name, body, options));

/** One consumer. */
export const readConsumer = (
  nats: Nats,
  stream: string,
  consumer: string,
  options?: RequestOptions,
): Promise<Answer<ConsumerInfo>> => answerOf(info(nats, `CONSUMER.INFO.${stream}.${consumer}`, undefined, options));

/** All consumers of a stream. */
export const listConsumers = (nats: Nats, stream: string): Promise<Answer<ConsumerInfo[]>> =>
  readList(nats, `CONSUMER.LIST.${stream}`, { field: 'consumers', parse: parseConsumerInfo });

/** Streams whose consumers this user may not list, for as long as the connection lasts. */
const unlisted = new WeakMap<Nats['nc'], Set<string>>();

/** The same, else what is told of each of these: a viewer may be allowed the one or the other. */
export async function readConsumers(
  nats: Nats,
  stream: string,
  names: readonly string[],
): Promise<Answer<readonly ConsumerInfo[]>> {
  const denied = unlisted.get(nats.nc) ?? new Set();
  if (names.length === 0 || !denied.has(stream)) {
    const listed = await listConsumers(nats, stream);
    if (listed.is !== 'denied' || names.length === 0) return listed;
    unlisted.set(nats.nc, denied.add(stream));
  }
  const each = names.map((name) => orUndefined(readConsumer(nats, stream, name)));
  return answerOf(Promise.all(each).then((found) => found.filter((info) => info !== undefined)));
}

/** The names of all consumers of a stream. */
export const consumerNames = (nats: Nats, stream: string): Promise<Answer<string[]>> =>
  readList(nats, `CONSUMER.NAMES.${stream}`, { field: 'consumers', parse: nameOf });

/**
 * Makes a consumer, or gives it another configuration as a whole. A create changes none that somebody made meanwhile,
 * and an update makes none. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export const writeConsumer = (
  nats: Nats,
  verb: 'create' | 'update',
  { stream, consumer }: { readonly stream: string; readonly consumer: string },
  config: Config,
  options?: RequestOptions,
): Promise<ConsumerInfo> =>
  info(nats, `CONSUMER.CREATE.${stream}.${consumer}`, { stream_name: stream, config, action: verb }, options);

/** Deletes a consumer, and with it what it knows of deliveries, if it is the one that was seen; one that was made since stays. */
export const deleteConsumer = (
  nats: Nats,
  { stream, consumer, created }: { readonly stream: string; readonly consumer: string; readonly created: string },
  options: RequestOptions = {},
): Promise<Answer<unknown>> => {
  const look = () => orUndefined(readConsumer(nats, stream, consumer, { finish: true }));
  const isStill = async () => (await look())?.created === created;
  return answerOf(askRemoval(nats, `CONSUMER.DELETE.${stream}.${consumer}`, undefined, isStill, options));
};

/** Stops delivery until then (RFC 3339), or starts it again. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export const pauseUntil = (nats: Nats, stream: string, consumer: string, until?: string): Promise<Config> =>
  nats.api(`CONSUMER.PAUSE.${stream}.${consumer}`, until === undefined ? {} : { pause_until: until }, { finish: true });

/**
 * Has a consumer go on at a sequence, as if it had settled all before that. On a work queue in a cluster what it had not
 * is deleted then. Sent once. From 2.14 on; older servers do not answer. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export const resetConsumer = (nats: Nats, stream: string, consumer: string, seq: number): Promise<Config> =>
  nats.api(`CONSUMER.RESET.${stream}.${consumer}`, { seq }, { finish: true });
