import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { CAPTURES } from '../facts/names.ts';
import { type Config, equalJson, type Json } from '../model/json.ts';
import type { ConnectionSpec, HealthSpec, QueueSpec, Spec, StreamSpec, Threshold } from '../model/spec.ts';
import { printDuration, printSize } from '../model/units.ts';
import { CONSUMER_DEFAULTS, HEALTH_DEFAULTS, QUEUE_DEFAULTS } from './assemble.ts';
import {
  bucketShape,
  connectionShape,
  consumerShape,
  healthShape,
  type ObjectShape,
  type Shape,
  streamShape,
} from './shape.ts';
import type { Leaf } from './value.ts';

export { withoutDefaults } from './defaults.ts';

/** What `osapi-ops schema > spec.schema.json` writes beside a spec. */
export const DEFAULT_SCHEMA = './spec.schema.json';

/**
 * A spec → YAML 1.2 text with durations and sizes in units; reading it gives the same spec back. What a spec means
 * unwritten (retention workqueue of a queue, ack_policy explicit, …) is left out. Secrets become variables.
 * @param header comment lines above the spec, without `#`
 */
export function printSpec(spec: Spec, header = ''): string {
  const document = new Document(
    tidy({
      version: 1,
      name: text(spec.name),
      description: spec.description === undefined ? undefined : text(spec.description),
      min_server_version: spec.min_server_version === undefined ? undefined : quoted(spec.min_server_version),
      connection: connection(spec.connection),
      queues: each(spec.queues, queue),
      streams: each(spec.streams, (stream) => streamMap(stream, {})),
      buckets: each(spec.buckets, (bucket) => fields(bucket, bucketShape)),
    }),
  );
  const comments = header.split('\n').filter((line, index, all) => line !== '' || index < all.length - 1);
  const top = [`# yaml-language-server: $schema=${DEFAULT_SCHEMA}`, ...comments.map((line) => `# ${line}`.trimEnd())];
  return `${top.join('\n')}\n${document.toString({ lineWidth: 0, flowCollectionPadding: false })}`;
}

const mapValues = <T, R>(map: Readonly<Record<string, T>>, make: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(map).map(([name, value]) => [name, make(value)]));

type Yaml = YAMLMap | YAMLSeq | Scalar | string | number | boolean | undefined;

const each = <T>(map: Readonly<Record<string, T>>, make: (value: T) => Yaml): Yaml => {
  const entries = Object.entries(map);
  return entries.length === 0
    ? undefined
    : tidy(Object.fromEntries(entries.map(([name, value]) => [name, make(value)])));
};

/** A map of what is there. Keys that another reader would take for a number or a boolean get quotes. */
function tidy(parts: Readonly<Record<string, Yaml>>): YAMLMap {
  const map = new YAMLMap();
  for (const [name, value] of Object.entries(parts))
    if (value !== undefined) map.items.push(new Pair(new Scalar(name), value));
  return map;
}

function queue({ dlq, responses, health, ...stream }: QueueSpec): YAMLMap {
  const map = streamMap(stream, QUEUE_DEFAULTS);
  const add = (name: string, value: Yaml) => value !== undefined && map.items.push(new Pair(new Scalar(name), value));
  if (dlq) {
    const capture = equalJson(dlq.capture, CAPTURES) ? undefined : flow(dlq.capture.map((kind) => new Scalar(kind)));
    add('dlq', joined(tidy({ stream: text(dlq.stream), capture }), fields(dlq.config, streamShape)));
  }
  if (responses) {
    add('responses', joined(tidy({ bucket: text(responses.bucket) }), fields(responses.config, bucketShape)));
  }
  add('health', healthMap(health));
  return map;
}

function joined(first: YAMLMap, second: YAMLMap): YAMLMap {
  first.items.push(...second.items);
  return first;
}

function streamMap({ config, consumers }: StreamSpec, defaults: Config): YAMLMap {
  const map = fields(config, streamShape, defaults);
  const workers = each(consumers, (consumer) => fields(consumer, consumerShape, CONSUMER_DEFAULTS));
  if (workers) map.items.push(new Pair(new Scalar('consumers'), workers));
  return map;
}

/** A field that a spec fills in otherwise than the server, and that is absent here, must be written to stay absent. */
const SERVER: Config = { retention: 'limits', allow_direct: false };

function fields(config: Config, shape: ObjectShape, defaults: Config = {}): YAMLMap {
  const parts: Record<string, Yaml> = {};
  for (const { name, shape: at } of shape.slots.values()) {
    const value = config[name] ?? (name in defaults ? SERVER[name] : undefined);
    if (value === undefined || (name in defaults && equalJson(value, defaults[name]))) continue;
    parts[name] = yamlOf(value, at);
  }
  return tidy(parts);
}

function yamlOf(value: Json, shape: Shape): Yaml {
  if (shape.kind === 'leaf') return leafOf(value, shape.type);
  if (shape.kind === 'list') {
    const list = new YAMLSeq();
    list.items = (value as Json[]).map((item) => yamlOf(item, shape.of));
    return list;
  }
  return shape.kind === 'object' ? fields(value as Config, shape) : undefined;
}

function leafOf(value: Json, type: Leaf): Yaml {
  switch (type.type) {
    case 'duration':
      return durationOf(Number(value));
    case 'durations':
      return flow((value as number[]).map(durationOf));
    case 'size':
      return Number(value) < 0 ? Number(value) : new Scalar(printSize(Number(value)));
    case 'texts':
    case 'urls':
      return flow((value as string[]).map(quoted));
    case 'map':
      return tidy(mapValues(value as Record<string, string>, text));
    case 'flag':
    case 'count':
      return value as number | boolean;
    default:
      return text(String(value));
  }
}

const durationOf = (nanos: number): Scalar => new Scalar(nanos === 0 ? 0 : printDuration(nanos));

function flow(items: readonly Scalar[]): YAMLSeq {
  const list = new YAMLSeq();
  list.items = [...items];
  list.flow = true;
  return list;
}

/** Dollars are doubled where a reader would see a variable or an escape; `$JS.EVENT.>` stays as it is. */
const escaped = (value: string): string => value.replace(/\$+(?=\{)|\$\$+/g, (run) => run.replaceAll('$', '$$$$'));

const text = (value: string): Scalar => new Scalar(escaped(value));

function quoted(value: string): Scalar {
  const scalar = text(value);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

function healthMap(health: HealthSpec): Yaml {
  const parts: Record<string, Yaml> = {};
  for (const [name, slot] of healthShape.slots) {
    const threshold = health[name as keyof HealthSpec];
    const usual = HEALTH_DEFAULTS[name as keyof HealthSpec];
    if (equalJson(threshold, usual) || slot.shape.kind !== 'object') continue;
    const limits = tidy({
      warn: limit(name, 'warn', threshold, usual),
      critical: limit(name, 'critical', threshold, usual),
    });
    limits.flow = true;
    parts[name] = limits;
  }
  return Object.keys(parts).length === 0 ? undefined : tidy(parts);
}

function limit(name: string, level: keyof Threshold, given: Threshold, usual: Threshold): Yaml {
  const value = given[level];
  if (value === usual[level]) return undefined;
  if (value === null) return 'off';
  return name === 'oldest' ? durationOf(value) : name === 'usage' ? `${value}%` : value;
}

const SECRETS: Readonly<Record<string, string>> = { password: `\${NATS_PASSWORD}`, token: `\${NATS_TOKEN}` };

function connection(spec: ConnectionSpec): Yaml {
  const parts: Record<string, Yaml> = {};
  for (const [name, { shape }] of connectionShape.slots) {
    const value = (spec as Config)[name];
    if (value === undefined || shape.kind !== 'leaf') continue;
    parts[name] = SECRETS[name] === undefined ? leafOf(value, shape.type) : new Scalar(SECRETS[name]);
  }
  return Object.keys(parts).length === 0 ? undefined : tidy(parts);
}
