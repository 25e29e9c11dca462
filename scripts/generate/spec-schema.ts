import { fileURLToPath } from 'node:url';
import { specJsonSchema } from '../../src/lib/spec/json-schema.ts';

export const SPEC_SCHEMA_FILE = fileURLToPath(new URL('../../schemas/spec.schema.json', import.meta.url));

/** The text of schemas/spec.schema.json. */
export const specSchemaText = (): string => `${JSON.stringify(specJsonSchema(), null, 2)}\n`;
