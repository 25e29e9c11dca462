import { toJSONSchema } from 'zod/mini';
import type { Field } from '../facts/field.ts';
import { printDuration } from '../model/units.ts';
import { leafTypes, specSchema } from './schema.ts';
import { type ObjectShape, type Shape, type Slot, specShape } from './shape.ts';
import { type Leaf, NAME } from './value.ts';

type JsonSchema = Record<string, unknown>;

const DURATION = String.raw`^(\d+|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w|M|y))+)$`;
const SIZE = String.raw`^\d+(\.\d+)?\s*([kKmMgGtT]([iI]?[bB])?|[bB])?$`;
const VARIABLE = String.raw`\$\{`;

/** A variable may stand wherever a value stands. */
const orVariable = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'string', pattern: VARIABLE }] });
const written = (pattern: string, words: readonly string[] = []): JsonSchema => ({
  anyOf: [
    { type: 'string', pattern },
    ...(words.length > 0 ? [{ enum: [...words] }] : []),
    { type: 'integer' },
    { type: 'string', pattern: VARIABLE },
  ],
});

function jsonOfLeaf(type: Leaf): JsonSchema {
  switch (type.type) {
    case 'text':
    case 'secret':
      return { type: 'string' };
    case 'flag':
      return orVariable({ type: 'boolean' });
    case 'count': {
      const { min = type.unlimited ? -1 : 0, max } = type;
      const number = { type: 'integer', minimum: min, ...(max === undefined ? {} : { maximum: max }) };
      return orVariable(type.unlimited ? { anyOf: [number, { const: 'unlimited' }] } : number);
    }
    case 'duration':
      return written(DURATION, ['unlimited']);
    case 'size':
      return written(SIZE, type.unlimited ? ['unlimited'] : []);
    case 'time':
      return orVariable({ type: 'string', format: 'date-time' });
    case 'choice':
      return orVariable({ enum: [...type.values] });
    case 'texts':
      return { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'string' }] };
    case 'durations':
      return { type: 'array', items: written(DURATION) };
    case 'map':
      return { type: 'object', additionalProperties: { type: 'string' } };
    case 'version':
      return { const: 1 };
    case 'name':
      return orVariable({ type: 'string', pattern: NAME.source });
    case 'server-version':
      return orVariable({ type: 'string', pattern: String.raw`^v?\d+\.\d+(\.\d+)?$` });
    case 'urls':
      return { anyOf: [{ type: 'array', items: { type: 'string' }, minItems: 1 }, { type: 'string' }] };
    case 'choices':
      return {
        anyOf: [{ type: 'array', items: { enum: [...type.values] }, minItems: 1 }, { enum: [...type.values] }],
      };
    case 'limit':
      return limitJson(type.of);
  }
}

function limitJson(of: 'count' | 'duration' | 'percent'): JsonSchema {
  if (of === 'duration') return written(DURATION, ['off']);
  const number =
    of === 'count' ? { type: 'integer', minimum: 0 } : { type: 'number', exclusiveMinimum: 0, maximum: 100 };
  const percent = of === 'percent' ? [{ type: 'string', pattern: String.raw`^\d+(\.\d+)?%$` }] : [];
  return orVariable({ anyOf: [number, ...percent, { const: 'off' }] });
}

/** One sentence, then what the server does without it and since when it knows it. */
function describe({ doc, field, shape }: Slot): string {
  const parts = [doc];
  if (field && shape.kind === 'leaf') parts.push(...defaultOf(field));
  if (field?.since) parts.push(`Since server ${field.since.replace(/\.0$/, '')}.`);
  if (field?.until) parts.push(`Up to server ${field.until}.`);
  return parts.join(' ');
}

function defaultOf({ fill, type }: Field): string[] {
  if (typeof fill === 'function' || fill === '' || typeof fill === 'object') return [];
  if (type.type === 'duration') return [`Default: ${fill === 0 ? '0' : printDuration(Number(fill))}.`];
  return [`Default: ${fill === -1 ? 'unlimited' : String(fill)}.`];
}

/** The JSON Schema of a spec, for editors: descriptions, choices, forms of durations and sizes. */
export function specJsonSchema(): object {
  const root = specSchema();
  const schema = toJSONSchema(root, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const type = leafTypes.get(zodSchema);
      if (type) Object.assign(clear(jsonSchema), jsonOfLeaf(type));
    },
  }) as JsonSchema;
  return {
    $schema: schema.$schema,
    title: 'osapi-ops spec',
    description: 'One system of JetStream work queues: streams, consumers, DLQs and response buckets.',
    ...annotate(schema, specShape),
  };
}

function clear(target: object): object {
  for (const key of Object.keys(target)) delete (target as JsonSchema)[key];
  return target;
}

/** What a file leaves out, the one it extends may say; keys with x- hold anchors. */
const ROOT: JsonSchema = {
  anyOf: [{ required: ['version', 'name'] }, { required: ['extends'] }],
  patternProperties: { '^x-': {} },
};

/** Adds the descriptions of the shape and moves each object it names into `$defs`, so that none is written twice. */
function annotate(schema: JsonSchema, root: ObjectShape): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  const visit = (shape: Shape, json: JsonSchema): JsonSchema => {
    if (shape.kind === 'leaf') return json;
    if (shape.kind === 'list') return { ...json, items: visit(shape.of, json.items as JsonSchema) };
    if (shape.kind === 'named') {
      const of = visit(shape.of, json.additionalProperties as JsonSchema);
      // A name with nothing after it is a resource with its defaults.
      return { type: 'object', additionalProperties: { anyOf: [of, { type: 'null' }] } };
    }
    if (shape === root) return body(shape, json);
    if (!definitions[shape.id]) {
      definitions[shape.id] = {};
      definitions[shape.id] = body(shape, json);
    }
    return { $ref: `#/$defs/${shape.id}` };
  };
  const body = (shape: ObjectShape, json: JsonSchema): JsonSchema => {
    const properties = json.properties as Record<string, JsonSchema>;
    const described = [...shape.slots.values()].map((slot) => [
      slot.name,
      { description: describe(slot), ...visit(slot.shape, properties[slot.name]!) },
    ]);
    return {
      type: 'object',
      properties: Object.fromEntries(described),
      ...(shape === root ? ROOT : json.required ? { required: json.required } : {}),
      additionalProperties: false,
    };
  };
  const annotated = visit(root, schema);
  return { ...annotated, $defs: definitions };
}
