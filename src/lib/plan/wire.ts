import { toBackingStream } from '../canonical/bucket.ts';
import { canonicalConsumer } from '../canonical/consumer.ts';
import { canonicalStream, SEALED } from '../canonical/stream.ts';
import { unknownValues, withUnknownParts } from '../canonical/unknown.ts';
import { FIELDS, type FieldTable } from '../facts/fields.ts';
import { SERVER_PREFIX } from '../facts/names.ts';
import { type Config, equalJson, isObject, type Json } from '../model/json.ts';
import { type DesiredResource, splitConsumerName } from '../model/resource.ts';

const saysNothing = (value: Json | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** Without what says nothing (an empty mirror is an error to the server) and without the server's own metadata. */
function tidy(config: Record<string, Json>): Config {
  const kept = Object.entries(config).map(([name, value]) =>
    name === 'metadata' && isObject(value)
      ? ([name, Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith(SERVER_PREFIX)))] as const)
      : ([name, value] as const),
  );
  return Object.fromEntries(kept.filter(([, value]) => !saysNothing(value)));
}

/** Fields that a server of this version does not know are an error (2.12 and newer) or silently dropped (older). */
function onlyKnown(kind: 'stream' | 'consumer', config: Config, table: FieldTable): Record<string, Json> {
  const has = new Set(table[kind].map((field) => field.name));
  const all = new Set(FIELDS[kind].map((field) => field.name));
  return Object.fromEntries(Object.entries(config).filter(([name]) => has.has(name) || !all.has(name)));
}

/**
 * The live configuration with every field that differs set to what is wanted. An update replaces the whole, so what
 * is not sent falls to its default: fields unknown to us are sent back as they are.
 */
function overLive(
  kind: 'stream' | 'consumer',
  live: Config,
  wanted: Config,
  canonical: { readonly live: Config; readonly wanted: Config },
  table: FieldTable,
): Record<string, Json> {
  const result: Record<string, Json> = onlyKnown(kind, live, table);
  for (const { name, type, lowers } of table[kind]) {
    // Counts at creation only, and is never told again.
    if (name === 'first_seq') continue;
    const differs = !equalJson(canonical.live[name] ?? null, canonical.wanted[name] ?? null);
    if (!differs) continue;
    // Left to the server, whose own configuration may refuse the usual default.
    if (lowers && wanted[name] === undefined) delete result[name];
    else result[name] = withUnknownParts(type, wanted[name] ?? canonical.wanted[name] ?? null, live[name]);
  }
  return result;
}

/** The configuration to send for a stream: to create it, or over its live one. */
export function streamWire(name: string, config: Config, table: FieldTable, live?: Config): Config {
  const sealed = config.sealed === true ? SEALED : {};
  const kept = live ? unknownValues('stream', live) : {};
  const wanted: Record<string, Json> = { ...kept, ...onlyKnown('stream', config, table), ...sealed, name };
  if (!live) return tidy(wanted);
  const canonical = { live: canonicalStream(live, table), wanted: canonicalStream(wanted, table) };
  const merged = overLive('stream', live, wanted, canonical, table);
  // On a mirror it was the server's choice; on a stream of its own it is the spec's again.
  if (live.mirror && !wanted.mirror) merged.mirror_direct = wanted.mirror_direct ?? false;
  return tidy({ ...merged, name });
}

/** The stream configuration to send for a bucket. */
export function bucketWire(bucket: string, config: Config, table: FieldTable, live?: Config): Config {
  const stream = toBackingStream(bucket, config, live);
  return streamWire(String(stream.name), stream, table, live);
}

/** The configuration to send where there is none yet. */
export function freshWire(
  { kind, name, config }: Pick<DesiredResource, 'kind' | 'name' | 'config'>,
  table: FieldTable,
): Config {
  switch (kind) {
    case 'stream':
      return streamWire(name, config, table);
    case 'bucket':
      return bucketWire(name, config, table);
    case 'consumer':
      return consumerWire(name, config, table, {});
  }
}

/** The configuration to send for a durable consumer: to create it, or over its live one. */
export function consumerWire(
  key: string,
  config: Config,
  table: FieldTable,
  streams: { readonly live?: Config; readonly wanted?: Config },
  live?: Config,
): Config {
  const { consumer } = splitConsumerName(key);
  // Left out, the server takes none: no worker would ever be asked to acknowledge.
  const kept = live ? unknownValues('consumer', live) : {};
  const wanted: Record<string, Json> = { ack_policy: 'explicit', ...kept, ...onlyKnown('consumer', config, table) };
  const names = { durable_name: consumer, name: consumer };
  if (!live) return tidy({ ...wanted, ...names });
  const canonical = {
    live: canonicalConsumer(live, table, streams.live),
    wanted: canonicalConsumer(wanted, table, streams.wanted),
  };
  const merged = overLive('consumer', live, wanted, canonical, table);
  // Both filters at once are refused (10136); a filter moves whole from one field to the other.
  for (const filter of ['filter_subject', 'filter_subjects']) {
    if (filter in wanted) merged[filter] = wanted[filter]!;
    else delete merged[filter];
  }
  // The server derives ack_wait from backoff; sent beside it, it would only be overwritten.
  if (Array.isArray(merged.backoff) && merged.backoff.length > 0) delete merged.ack_wait;
  return tidy({ ...merged, ...names });
}
