import * as z from 'zod';
import type { DemoReport } from '../../../src/lib/model/demo.ts';
import type { DevReport } from '../../../src/lib/model/dev.ts';
import type { Explanation } from '../../../src/lib/model/explanation.ts';
import type { Permissions } from '../../../src/lib/model/permissions.ts';
import { ROLES } from '../../../src/lib/model/permissions.ts';
import type { PlanJson } from '../../../src/lib/model/plan.ts';
import type { AlertFile } from '../../../src/lib/monitoring/alerts.ts';
import { SHELLS } from '../../../src/lib/ui/completion.ts';
import {
  change,
  count,
  finding,
  json,
  leftAlone,
  moment,
  oneOrMany,
  problem,
  resourceKey,
  resourceKind,
} from './parts.ts';

const plan = z.object({
  system: z.string(),
  server: z.object({ name: z.string(), version: z.string(), cluster: z.string().optional() }),
  target: z.object({ url: z.string(), account: z.string(), chosen_by: z.string() }),
  changes: z.array(change).describe('what does not change is counted, not listed'),
  findings: z.array(finding),
  left_alone: z.array(leftAlone).describe('on the server and managed by no field of the spec'),
  summary: z.object({ create: count, update: count, replace: count, delete: count, unchanged: count }),
}) satisfies z.ZodType<PlanJson>;

const applied = plan.extend({
  applied: z.boolean().describe('false for a dry run, and for --undo-migrate'),
  undone: z
    .array(z.object({ kind: resourceKind, name: z.string(), step: z.string(), who: z.string(), since: moment }))
    .optional()
    .describe('with --undo-migrate: what is as it was, and how far it had come'),
});

const development = {
  url: z.string(),
  urls: z.array(z.string()),
  port: z.int(),
  version: z.string(),
  binary: z.string(),
  data: z.string(),
  logs: z.array(z.string()),
  monitor: z.array(z.string()),
  pids: z.array(z.int()),
  started: moment,
  context: z.string().optional(),
  pid: z.int().describe('of the process that watches over the server'),
  dir: z.string(),
};
const devReport = z.object(development) satisfies z.ZodType<DevReport>;

export const PROVISION = {
  plan: oneOrMany(plan),
  apply: oneOrMany(applied),
  destroy: oneOrMany(applied),
  validate: z.object({
    valid: z.boolean(),
    files: z.array(z.string()).describe('the specs as named'),
    fixed: z.array(problem).describe('what --fix mended'),
    problems: z.array(problem),
  }),
  export: z.object({
    spec: json.describe('as a spec is written'),
    resources: z.array(z.record(z.string(), json)).optional().describe('with --to: what that tool has for each'),
    left_out: z.array(z.object({ resource: resourceKey, what: z.string() })),
  }),
  convert: z.object({
    spec: json.describe('as a spec is written'),
    left_out: z.array(z.object({ file: z.string(), path: z.string(), why: z.string() })),
    problems: z.array(problem),
  }),
  explain: z.array(
    z.object({
      path: z.string().describe('as queues.NAME.consumers.NAME.backoff'),
      type: z.string(),
      doc: z.string(),
      required: z.boolean(),
      default: z.string().optional().describe('what the server fills in'),
      since: z.string().optional(),
      until: z.string().optional(),
      changes: z.array(z.object({ when: z.string(), in_place: z.boolean(), note: z.string() })).optional(),
      may_delete: z.boolean().optional(),
      also_understood: z.array(z.string()),
      source: z.string().optional(),
      keys: z.array(z.object({ name: z.string(), type: z.string(), doc: z.string() })),
    }),
  ) satisfies z.ZodType<readonly Explanation[]>,
  init: z.object({ system: z.string(), path: z.string(), written: z.array(z.string()) }),
  console: z.object({ url: z.string().describe('opens it; good once, unless the token is your own') }),
  autocomplete: z.object({
    shell: z.enum(SHELLS),
    setup: z.string().describe('the line that turns completion on'),
    file: z.string().describe('where that line goes'),
    script: z.string(),
  }),
  schema: z.looseObject({ $schema: z.string() }).describe('a JSON Schema: that of a spec'),
  'monitoring alerts': z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(
          z.object({
            alert: z.string(),
            expr: z.string(),
            for: z.string(),
            labels: z.record(z.string(), z.string()),
            annotations: z.record(z.string(), z.string()),
          }),
        ),
      }),
    ),
  }) satisfies z.ZodType<AlertFile>,
  'monitoring grafana': z
    .looseObject({ title: z.string(), panels: z.array(z.looseObject({})) })
    .describe('a dashboard as Grafana imports it'),
  permissions: z.object({
    system: z.string(),
    role: z.enum(ROLES),
    user: z.string(),
    publish: z.array(z.string()),
    subscribe: z.array(z.string()),
    commands: z.array(z.string()),
    notes: z.array(z.string()),
  }) satisfies z.ZodType<Permissions>,
  dev: devReport,
  'dev status': z.object({ running: z.boolean(), ...devReport.partial().shape }),
  'dev stop': z.object({ stopped: z.boolean(), ...devReport.partial().shape }),
  demo: z.object({
    server: z.object({ version: z.string(), url: z.string() }),
    steps: z.array(
      z.object({ title: z.string(), command: z.string().optional(), output: z.string(), shows: z.string() }),
    ),
  }) satisfies z.ZodType<DemoReport>,
};
