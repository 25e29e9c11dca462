import type { FieldType } from '../facts/field.ts';
import { type Config, isObject, type Json } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';
import { labelsOf, numbered, type Rendered, UNSEEN } from './rendered.ts';
import { DELIVER_SWITCHES, FLAT, PART_WORDS, RESOURCE_TYPES, streamId, WORDS } from './terraform-words.ts';
import { type Dialect, type Outgoing, writeFields } from './write-fields.ts';

const NO_WORD = [
  ...['sealed', 'template_owner'].map((field) => `stream.${field}`),
  ...['direct', 'sourcing'].map((field) => `consumer.${field}`),
  ...['compression', 'republish', 'mirror', 'sources', 'metadata', 'placement.preferred'].map(
    (field) => `bucket.${field}`,
  ),
];

const lastOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

const TERRAFORM: Dialect = {
  cannot: new Set(NO_WORD),
  // The provider's defaults; what the server would derive from other fields, the provider sends as it is.
  usual: {
    stream: { duplicate_window: 120e9, allow_direct: true, allow_rollup_hdrs: false, allow_msg_ttl: false },
    consumer: { deliver_policy: null, ack_wait: 30e9, max_ack_pending: 20_000, max_waiting: 0, inactive_threshold: 0 },
    bucket: { history: 5 },
  },
  word: (path) => {
    const [kind, name, part] = path.split('.') as [ResourceKind, string, string | undefined];
    if (part === undefined) return WORDS[kind][name] ?? name;
    return FLAT[name]?.[part] ?? PART_WORDS[lastOf(path)] ?? lastOf(path);
  },
  value: spelt,
  group: (parts, path) => (path.endsWith('[]') ? parts : [parts]),
  isFlat: (path) => lastOf(path) in FLAT,
};

/** Durations are whole seconds, samples whole percents. */
function spelt(type: FieldType, value: Json, path: string): Json | undefined {
  const seconds = (nanos: Json) => (Number(nanos) % 1e9 === 0 ? Number(nanos) / 1e9 : undefined);
  if (type.type === 'duration') return seconds(value);
  if (type.type === 'durations') {
    const steps = (value as number[]).map(seconds);
    return steps.every((step) => step !== undefined) ? steps : undefined;
  }
  if (path === 'consumer.sample_freq') {
    const percent = /^(\d{1,3})%?$/.exec(String(value));
    return percent ? Number(percent[1]) : undefined;
  }
  return value;
}

/** What the provider spells in a way of its own. */
function shaped(kind: ResourceKind, fields: Readonly<Record<string, Json>>): Config {
  const { no_ack, deliver_policy, ...rest } = fields;
  if (kind === 'stream') {
    // The provider republishes nothing where the source is empty, which is everything to the server.
    const isOpen = 'republish_destination' in rest && !('republish_source' in rest);
    return { ...rest, ...(no_ack === true ? { ack: false } : {}), ...(isOpen ? { republish_source: '>' } : {}) };
  }
  const [word] = Object.entries(DELIVER_SWITCHES).find(([, policy]) => policy === deliver_policy) ?? [];
  return word ? { [word]: true, ...rest } : rest;
}

interface Block {
  readonly type: string;
  readonly label: string;
  readonly id: string;
  readonly values: Config;
}

/** Resources of the provider nats-io/jetstream, each with the block that imports what is live. */
export function toTerraform(resources: readonly Outgoing[], version: string): Rendered {
  const label = labelsOf((text) => text.replace(/[^A-Za-z0-9_-]+/g, '_').replace(/^(?![A-Za-z_])/, '_'));
  const labels = new Map<string, string>();
  for (const { kind, name } of resources) if (kind === 'stream') labels.set(name, label(kind, name));
  const written = resources.map((resource) => {
    const { kind, name, stream = '' } = resource;
    const { fields, left } = writeFields(resource, TERRAFORM, version);
    const isConsumer = kind === 'consumer';
    const block: Block = {
      type: RESOURCE_TYPES[kind],
      label: kind === 'stream' ? labels.get(name)! : label(kind, isConsumer ? `${stream}_${name}` : name),
      id:
        kind === 'bucket'
          ? `JETSTREAM_KV_${name}`
          : `${streamId(isConsumer ? stream : name)}${isConsumer ? `_CONSUMER_${name}` : ''}`,
      values: {
        ...(isConsumer ? { stream_id: streamId(stream), durable_name: name } : { name }),
        ...shaped(kind, fields),
      },
    };
    return {
      block,
      home: labels.get(stream),
      left: left.map((what) => ({ resource, what: `${what}, which the provider cannot express` })),
    };
  });
  return {
    text: written.map(({ block, home }) => printBlock(block, home)).join('\n'),
    values: written.map(({ block }) => ({ ...block })),
    leftOut: written.flatMap(({ left }) => left),
  };
}

function printBlock({ type, label, id, values }: Block, home: string | undefined): string {
  const stream: Config = home === undefined ? {} : { stream_id: `jetstream_stream.${home}.id` };
  return [
    'import {',
    `  to = ${type}.${label}`,
    `  id = ${quoted(id)}`,
    '}',
    '',
    `resource ${quoted(type)} ${quoted(label)} {`,
    ...printBody(values, '  ', stream),
    '}',
    '',
  ].join('\n');
}

const isBlocks = (value: Json): boolean => Array.isArray(value) && value.length > 0 && value.every(isObject);

/** Arguments, maps, then blocks, set as `terraform fmt` does: a list of groups is a block for each. */
function printBody(values: Config, indent: string, references: Config = {}): string[] {
  const entries = Object.entries(values);
  const inner = `${indent}  `;
  const maps = entries.flatMap(([word, value]) => (isObject(value) ? [[word, value] as const] : []));
  const plain = entries.filter(([, value]) => !isObject(value) && !isBlocks(value));
  const blocks = entries.flatMap(([word, value]) =>
    isBlocks(value) ? (value as Config[]).map((group) => [word, group] as const) : [],
  );
  return [
    ...aligned(
      plain.map(([word, value]) => [word, word in references ? String(references[word]) : printValue(value)]),
    ).map((line) => indent + line),
    ...maps.flatMap(([word, map]) => [
      `${indent}${word} = {`,
      ...aligned(Object.entries(map).map(([key, value]) => [quoted(key), printValue(value)])).map(
        (line) => inner + line,
      ),
      `${indent}}`,
    ]),
    ...blocks.flatMap(([word, group]) => ['', `${indent}${word} {`, ...printBody(group, inner), `${indent}}`]),
  ];
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([word]) => word.length));
  return rows.map(([word, value]) => `${word.padEnd(width)} = ${value}`);
}

function printValue(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(printValue).join(', ')}]`;
  return typeof value === 'string' ? quoted(value) : String(value);
}

/** HCL has not all the escapes of JSON, and `${` and `%{` would begin a template (doubled, `$${` would be read otherwise). */
const ESCAPES: Readonly<Record<string, string>> = { '\\b': '\\u0008', '\\f': '\\u000c' };
const quoted = (text: string): string =>
  JSON.stringify(text)
    .replace(/\\./g, (pair) => ESCAPES[pair] ?? pair)
    .replace(UNSEEN, numbered)
    .replace(/(?<=[$%])\{/g, numbered);
