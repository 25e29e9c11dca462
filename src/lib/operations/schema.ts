import { specJsonSchema } from '../spec/json-schema.ts';

/** The JSON Schema of a spec, as editors take it. */
export const schemaOperation = (): object => specJsonSchema();
