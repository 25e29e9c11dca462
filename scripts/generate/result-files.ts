import * as z from 'zod';
import { OPERATE } from './results/operate.ts';
import { failure } from './results/parts.ts';
import { PROVISION } from './results/provision.ts';

export const RESULTS_DIR = new URL('../../schemas/results/', import.meta.url);

type JsonSchema = Record<string, unknown>;

/** What each command prints under `--json` when it succeeds, by command. */
export const RESULTS: Readonly<Record<string, z.ZodType>> = { ...PROVISION, ...OPERATE };

/** `dlq replay` → `dlq-replay.json`. */
export const resultFileOf = (command: string): string => `${command.replaceAll(' ', '-')}.json`;

/**
 * The schema of a result. The published one is open, since results grow; the closed one is for tests, where a key that
 * nobody described is a fault.
 */
export function resultSchema(command: string, closed: boolean): JsonSchema {
  const schema = z.toJSONSchema(RESULTS[command]!, { io: closed ? 'output' : 'input', unrepresentable: 'any' });
  const { $schema, ...rest } = schema as JsonSchema;
  return { $schema, title: `osapi-ops ${command} --json`, ...rest };
}

export const errorSchema = (closed: boolean): JsonSchema => {
  const { $schema, ...rest } = z.toJSONSchema(failure, { io: closed ? 'output' : 'input' }) as JsonSchema;
  return { $schema, title: 'any command that fails, with --json', ...rest };
};

interface ResultFile {
  readonly name: string;
  readonly text: string;
  /** What a reader of the schema on disk could rely on and cannot any more. */
  lost(read: (path: string) => string | undefined): readonly string[];
}

/** Every file of schemas/results. */
export function resultFiles(): readonly ResultFile[] {
  const schemas: [string, JsonSchema][] = [
    ...Object.keys(RESULTS).map((command): [string, JsonSchema] => [
      resultFileOf(command),
      resultSchema(command, false),
    ]),
    ['error.json', errorSchema(false)],
  ];
  return schemas.map(([name, schema]) => ({
    name,
    text: `${JSON.stringify(schema, null, 2)}\n`,
    lost: (read) => {
      const before = read(new URL(name, RESULTS_DIR).pathname);
      return before === undefined ? [] : lostKeys(JSON.parse(before) as JsonSchema, schema, name);
    },
  }));
}

/** Results only grow: a key that was there stays, and what was always there stays so. */
export function lostKeys(before: JsonSchema, after: JsonSchema, at: string): readonly string[] {
  const is = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;
  const lost: string[] = [];
  const [was, now] = [before.properties, after.properties];
  if (is(was)) {
    for (const [key, part] of Object.entries(was)) {
      const found = is(now) ? now[key] : undefined;
      if (!is(found)) lost.push(`${at}: \`${key}\` is gone`);
      else lost.push(...lostKeys(part as JsonSchema, found, `${at}: ${key}`));
    }
    const required = (schema: JsonSchema) => (schema.required ?? []) as string[];
    for (const key of required(before).filter((name) => is(now) && name in now && !required(after).includes(name)))
      lost.push(`${at}: \`${key}\` is no longer always there`);
  }
  if (is(before.items) && is(after.items)) lost.push(...lostKeys(before.items, after.items, `${at}[]`));
  const unions = (schema: JsonSchema) => (schema.anyOf ?? []) as JsonSchema[];
  for (const [index, part] of unions(before).entries()) {
    const found = unions(after)[index];
    if (found) lost.push(...lostKeys(part, found, at));
  }
  return lost;
}
