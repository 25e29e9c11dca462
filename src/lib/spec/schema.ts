import * as z from 'zod/mini';
import { type Shape, specShape } from './shape.ts';
import { type Leaf, readValue } from './value.ts';

export type Schema = z.core.$ZodType;

/** The type behind a leaf's schema, for the JSON Schema: zod itself sees only that it is read. */
export const leafTypes = new WeakMap<Schema, Leaf>();
const made = new WeakMap<Shape, Schema>();

/** The schema of a whole spec, built from its shape: it reads what was written and gives wire names and units. */
export const specSchema = (): Schema => schemaOf(specShape);

function schemaOf(shape: Shape): Schema {
  let schema = made.get(shape);
  if (!schema) {
    schema = build(shape);
    made.set(shape, schema);
  }
  return schema;
}

function build(shape: Shape): Schema {
  if (shape.kind === 'leaf') return leafSchema(shape.type);
  if (shape.kind === 'list') return z.array(schemaOf(shape.of));
  if (shape.kind === 'named') return z.record(z.string(), schemaOf(shape.of));
  const fields = [...shape.slots.values()].map((slot): [string, Schema] => {
    const schema = schemaOf(slot.shape);
    return [slot.name, slot.required ? schema : z.optional(schema)];
  });
  return z.strictObject(Object.fromEntries(fields));
}

/** The value's own reading decides; its fault becomes the issue. */
function leafSchema(type: Leaf): Schema {
  const schema = z.pipe(
    z.unknown(),
    z.transform((value, context) => {
      const reading = readValue(type, value);
      if ('value' in reading) return reading.value;
      context.issues.push({ code: 'custom', message: reading.fault.expected, input: value });
      return z.NEVER;
    }),
  );
  leafTypes.set(schema, type);
  return schema;
}
