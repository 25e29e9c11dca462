import type { Field } from '../facts/field.ts';
import { printDuration } from '../model/units.ts';
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
      const number = { type: 'integer', minimum: min, maximum: max };
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

/** What a file leaves out, the one it extends may say; keys with x- hold anchors. */
const ROOT: JsonSchema = {
  anyOf: [{ required: ['version', 'name'] }, { required: ['extends'] }],
  patternProperties: { '^x-': {} },
};

/** The JSON Schema of a spec, for editors: descriptions, choices, forms of durations and sizes. */
export function specJsonSchema(): object {
  // Each object by its name, so that none is written twice.
  const definitions: Record<string, JsonSchema> = {};
  const schemaOf = (shape: Shape): JsonSchema => {
    if (shape.kind === 'leaf') return jsonOfLeaf(shape.type);
    if (shape.kind === 'list') return { type: 'array', items: schemaOf(shape.of) };
    // A name with nothing after it is a resource with its defaults.
    if (shape.kind === 'named') {
      return { type: 'object', additionalProperties: { anyOf: [schemaOf(shape.of), { type: 'null' }] } };
    }
    if (!definitions[shape.id]) {
      definitions[shape.id] = {};
      definitions[shape.id] = body(shape);
    }
    return { $ref: `#/$defs/${shape.id}` };
  };
  const body = (shape: ObjectShape): JsonSchema => {
    const slots = [...shape.slots.values()];
    const described = slots.map((slot) => [slot.name, { description: describe(slot), ...schemaOf(slot.shape) }]);
    const required = slots.filter((slot) => slot.required).map(({ name }) => name);
    return {
      type: 'object',
      properties: Object.fromEntries(described),
      ...(shape === specShape ? ROOT : required.length > 0 && { required }),
      additionalProperties: false,
    };
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'osapi-ops spec',
    description: 'One system of JetStream work queues: streams, consumers, DLQs and response buckets.',
    ...body(specShape),
    $defs: definitions,
  };
}
