import * as z from 'zod';
import {
  ACTIONS,
  type Change,
  type FieldChange,
  type Finding,
  type LeftAlone,
  OVERRIDES,
} from '../../../src/lib/model/plan.ts';
import type { ErrorJson } from '../../../src/lib/ui/render/error.ts';

// Each schema is held to the type behind it by the compiler, and to what is really printed by test/scenarios/results.

export const json = z.any();
export const moment = z.string().describe('RFC 3339');
export const count = z.int().min(0);
export const resourceKind = z.enum(['stream', 'consumer', 'bucket']);
export const resourceKey = z.templateLiteral([resourceKind, ' ', z.string()]);
const origin = z.enum(['spec', 'server', 'both', 'unknown']);
const impact = z.enum(['in-place', 'replace']);

export const fieldChange = z.object({
  path: z.string().describe('as in the spec: max_age, placement.tags'),
  from: json.describe('null where there was none; durations and sizes with units'),
  to: json,
  impact,
  origin,
  note: z.string().optional(),
}) satisfies z.ZodType<FieldChange>;

export const change = z.object({
  action: z.enum(ACTIONS),
  kind: resourceKind,
  name: z.string().describe('a consumer is called STREAM/CONSUMER'),
  role: z.enum(['queue', 'worker', 'dlq', 'responses', 'other']),
  fields: z.array(fieldChange),
  origin: origin.describe('who made the difference'),
  reason: z.string().optional(),
  moved_from: z.string().optional().describe('the name that it has on the server, where it is to have another'),
  hops: z
    .array(z.object({ from: z.string(), to: z.string() }))
    .optional()
    .describe('of a stream or bucket that is moved: the streams, one after the other'),
  reverse: z.string().optional().describe('the way back, for a person'),
  retries: z.string().optional().describe('when a request that fails is tried again and when it dies, in words'),
  status: z.enum(['applied', 'failed', 'skipped']).optional(),
  error: z.string().optional(),
}) satisfies z.ZodType<Change>;

const flag = z.enum(OVERRIDES);

export const finding = z.object({
  code: z.string(),
  severity: z.enum(['info', 'warning', 'refuse']),
  resource: resourceKey,
  field: z.string().optional(),
  message: z.string(),
  hint: z.string().optional(),
  needs: flag.optional().describe('the flag that allows it'),
  unless: flag.optional().describe('it comes true only where this flag is not given'),
  count: count.optional().describe('how many messages or keys are concerned'),
}) satisfies z.ZodType<Finding>;

export const leftAlone = z.object({ resource: resourceKey, what: z.string() }) satisfies z.ZodType<LeftAlone>;

/** A fault of a spec, as validate and convert tell it. */
export const problem = z.object({
  code: z.string(),
  severity: z.enum(['error', 'warning']).optional(),
  path: z.string().optional(),
  message: z.string(),
  file: z.string().optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  why: z.string().optional(),
  hint: z.string().optional(),
});

/** What stands on stdout of any command that failed; a half-way result stands beside `error`. */
export const failure = z.looseObject({
  error: z.object({
    code: z.string().describe('see docs/errors.md'),
    message: z.string(),
    hint: z.string().optional(),
    problems: z
      .array(
        z.object({
          code: z.string(),
          message: z.string(),
          file: z.string().optional(),
          line: z.int().optional(),
          column: z.int().optional(),
          hint: z.string().optional(),
        }),
      )
      .optional(),
  }),
}) satisfies z.ZodType<ErrorJson>;

/** One system's result, or a list where several specs were named. */
export const oneOrMany = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema)]);
