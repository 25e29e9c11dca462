import * as z from 'zod';
import type { DeadLetter } from '../../../src/lib/model/dead-letter.ts';
import type { DeadStats } from '../../../src/lib/model/dead-stats.ts';
import type { Diagnosis } from '../../../src/lib/model/diagnosis.ts';
import { type EntryJson, GONE_CAUSES } from '../../../src/lib/model/entry.ts';
import type { HistoryRecord } from '../../../src/lib/model/history.ts';
import type { DrainResult, PauseResult } from '../../../src/lib/model/queue.ts';
import type { ImportResult, PurgeResult, ReplayResult } from '../../../src/lib/model/replay.ts';
import type { ReplayRunJson } from '../../../src/lib/model/replay-run.ts';
import type { BulkJson, CancelledJson, RequestStatus, SentJson, WaitingJson } from '../../../src/lib/model/request.ts';
import type { WorkerReport } from '../../../src/lib/model/worker.ts';
import type { RebuildResult } from '../../../src/lib/operations/dlq/rebuild.ts';
import type { statusJson } from '../../../src/lib/ui/render/status.ts';
import type { severalJson } from '../../../src/lib/ui/render/status-several.ts';
import { change, count, json, moment } from './parts.ts';

const health = z.enum(['ok', 'warn', 'critical', 'unknown']);
const limit = z.number().nullable();
const known = count.nullable().describe('null where it cannot be known');

const entry = {
  id: z.string().describe('STREAM/CONSUMER/SEQUENCE'),
  queue: z.string(),
  consumer: z.string(),
  seq: count,
  subject: z.string().nullable(),
  request_id: z.string().nullable(),
  state: z.enum(['replayable', 'parked', 'gone', 'orphan']),
  reason: z.enum(['max_deliveries', 'terminated', 'rejected']),
  detail: z.string().nullable().describe('the words of the worker'),
  deliveries: known,
  died_at: moment.nullable(),
  published_at: moment.nullable(),
  size: known,
  replays: count,
};

const fate = z.enum(['answered', 'acked', 'died', 'unknown']);
const run = {
  id: z.string(),
  state: z
    .enum(['running', 'done', 'interrupted', 'failed', 'unfinished'])
    .describe(
      'failed: as its exit code 1, also where some died again; unfinished: it says that it runs, and was not heard of for 15 seconds',
    ),
  who: z.string(),
  host: z.string(),
  pid: z.int(),
  ci: z.string().optional(),
  started_at: moment,
  updated_at: moment,
  queues: z.array(z.string()),
  line: z.string().describe('does the same, and so goes on with what is left'),
  canary: count.optional().describe('so many went ahead, the others once these lived'),
  chosen: count,
  replayed: count,
  answered: count.describe('with --wait or --canary, as are acked and died'),
  acked: count,
  died: count,
  skipped: count,
  failed: count,
  waiting: count,
  seconds_left: count.nullable().describe('null also while it waits for its canary, or for the last fates'),
  failures: z
    .array(
      z.object({
        id: z.string(),
        error: z.string(),
        new_seq: count.optional().describe('of its copy: under this one it stands now'),
      }),
    )
    .describe('the first hundred'),
  finished_for: z
    .array(
      z.object({
        id: z.string().optional(),
        count,
        replayed: count.optional().describe('how many copies of the other run were in by then'),
      }),
    )
    .optional()
    .describe('what it finished of what earlier runs had begun'),
  error: z.string().optional(),
  taken_over_by: z
    .string()
    .optional()
    .describe('of an unfinished one: the first that began after it in all of its queues'),
  finished_by: z
    .array(z.object({ id: z.string(), count }))
    .optional()
    .describe('the runs that finished what this one had begun; replayed has those, too'),
  stopped_by: z.string().optional(),
};
const dryRun = z.literal(true).optional();

const deadGroups = z.array(
  z.object({
    queue: z.string(),
    consumer: z.string(),
    subject: z.string(),
    reason: z.string(),
    detail: z.string().nullable().describe('why, with `#` for numbers in which words of one cause differ'),
    count,
    first_died_at: moment.nullable(),
    last_died_at: moment.nullable(),
  }),
);

const request = {
  id: z.string(),
  state: z.enum(['answered', 'queued', 'in_flight', 'retry', 'dead', 'unknown']),
  queue: z.string().optional(),
  consumer: z.string().optional(),
  seq: count.optional(),
  subject: z.string().optional(),
  published_at: moment.optional(),
  replays: count.optional(),
  deliveries: count.optional(),
  next_delivery_at: moment.optional(),
  died_at: moment.optional(),
  reason: entry.reason.optional(),
  detail: z.string().optional(),
  entry: z.string().optional(),
  bucket: z.string().optional(),
  revision: count.optional(),
  answered_at: moment.optional(),
};
/** Bytes stand as JSON where they are JSON, as text where they are text, else in base64. */
const response = { response: json.optional(), response_base64: z.string().optional() };
const payload = { payload: json.optional(), payload_base64: z.string().optional() };
const fetched = z.object(request) satisfies z.ZodType<RequestStatus>;

const failing = {
  consumer: z.string(),
  seq: count,
  request_id: z.string().nullable(),
  state: z.enum(['retry', 'in_flight']).describe('in_flight: its next try has come, and a worker has it'),
  deliveries: count,
  max_deliver: count.nullable().describe('null without end'),
  next_delivery_at: moment.nullable(),
  detail: z.string().describe('why the last one failed'),
};

const statusOf = {
  system: z.string().nullable(),
  health,
  checks: z.array(
    z.object({
      id: z.string(),
      code: z.string().describe('its section in docs/checks.md'),
      status: health,
      summary: z.string(),
      value: z.number().optional(),
      threshold: z.object({ warn: limit, critical: limit }).optional(),
    }),
  ),
  queues: z.array(
    z.object({
      name: z.string(),
      ready: known,
      in_flight: known,
      dead: known,
      dead_least: count.optional().describe('where dead is unknown: so many are dead for certain'),
      parked: known.describe('of the dead, those that died again after each replay'),
      redelivered: known,
      failing: z
        .object({
          count: count.describe('in flight and delivered before; with the words of a worker after a first failure too'),
          noted: count.describe('of these, those of which a worker wrote down why'),
          last_try: count.describe('of the noted ones, those that are dead if their next try fails'),
          known: z.array(z.object(failing)).describe('the first of the noted ones, the nearest to its death first'),
          longest_wait_seconds: z
            .number()
            .nullable()
            .describe('within this the others are tried again, without an ack'),
        })
        .nullable(),
      oldest_seconds: z.number().nullable(),
      responses: known,
      trend: z
        .object({
          state: z.enum(['clears', 'grows', 'stalled']),
          per_second: z.number().optional().describe('of what waits, or of what is stored where it grows'),
          seconds: z.number().optional().describe('until nothing waits, until it is full, or since it moved'),
          summary: z.string(),
        })
        .optional()
        .describe('absent where it goes nowhere, or where nobody can know'),
    }),
  ),
  drift: z.array(change),
};

export const OPERATE = {
  status: z.object({
    ...statusOf,
    systems: z
      .array(
        z.object({
          ...statusOf,
          server: z.string().nullable().describe('null where it was not reached'),
          error: z.object({ code: z.string(), message: z.string() }).optional(),
        }),
      )
      .optional()
      .describe('where several were asked for: each of them; the keys beside it are empty, but for the worst health'),
  }) satisfies z.ZodType<ReturnType<typeof statusJson> | ReturnType<typeof severalJson>>,
  doctor: z.object({
    health,
    settings: z.array(z.object({ name: z.string(), value: z.string(), source: z.string() })),
    symptoms: z.array(
      z.object({
        id: z.string(),
        status: z.enum([...health.options, 'skipped']),
        summary: z.string(),
        next: z.string().optional(),
      }),
    ),
  }) satisfies z.ZodType<Diagnosis>,
  history: z.array(
    z.object({
      id: z.string(),
      at: moment,
      system: z.string(),
      verb: z.string(),
      who: z.string(),
      host: z.string(),
      pid: z.int(),
      ci: z.string().optional(),
      tool: z.string(),
      server: z.string(),
      summary: z.string(),
      detail: json.optional(),
    }) satisfies z.ZodType<HistoryRecord>,
  ),
  'dlq ls': z.array(z.object(entry) satisfies z.ZodType<EntryJson>),
  'dlq watch': (z.object(entry) satisfies z.ZodType<EntryJson>).describe('of each line'),
  'dlq show': z.object({
    ...entry,
    headers: z.record(z.string(), z.array(z.string())),
    traceparent: z.string().optional(),
    payload: z.string().optional().describe('where it is text'),
    payload_base64: z.string().optional().describe('where it is not'),
    cause: z.enum(GONE_CAUSES).optional(),
    timeline: z.array(
      z.object({
        at: moment.nullable(),
        event: z.enum(['published', 'replayed', 'delivered', 'died', 'removed']),
        detail: z.string(),
        computed: z.boolean().optional(),
      }),
    ),
    records: z.array(
      z.object({
        stream: z.string(),
        seq: count,
        kind: z.enum(['advisory', 'rejected', 'dlq-service', 'nestjs-jetstream']),
        time: moment,
      }),
    ),
  }) satisfies z.ZodType<DeadLetter>,
  'dlq stats': z.object({
    total: count,
    groups: z.array(
      z.object({
        by: z.record(z.string(), z.string().nullable()),
        count,
        first_seen: moment.nullable(),
        last_seen: moment.nullable(),
        sample: z.string(),
        where: z.array(z.string()).describe('what `--where` of any verb needs to choose these and no others'),
        replay: z.string().nullable().describe('the line that replays these; null where nothing of them can be'),
      }),
    ),
    others: count.optional(),
  }) satisfies z.ZodType<DeadStats>,
  'dlq replay': z.object({
    replayed: count,
    skipped: count,
    failed: count,
    remaining: count,
    dry_run: dryRun,
    groups: deadGroups.optional(),
    changed: count.optional().describe('in a dry run with --transform: how many it changes'),
    samples: z
      .array(
        z.object({
          id: z.string(),
          changes: z.array(z.object({ path: z.string(), from: z.string().nullable(), to: z.string().nullable() })),
        }),
      )
      .optional(),
    fates: z.record(fate, count).optional(),
    deaths: z.record(z.string(), count).optional(),
    same_reason: count.optional(),
    late: count.optional(),
    entries: z.array(
      z.object({
        id: z.string(),
        outcome: z.enum(['replayed', 'skipped', 'failed', 'remaining', 'would_replay']),
        new_seq: count.optional(),
        error: z.string().optional(),
        fate: fate.optional(),
      }),
    ),
  }) satisfies z.ZodType<ReplayResult>,
  'dlq rebuild': z.object({
    rebuilt: count,
    uncertain: count,
    dry_run: dryRun,
    entries: z.array(z.object({ id: z.string() })),
  }) satisfies z.ZodType<RebuildResult>,
  'dlq replays ls': z.array(z.object(run) satisfies z.ZodType<ReplayRunJson>),
  'dlq replays show': z.object(run) satisfies z.ZodType<ReplayRunJson>,
  'dlq replays stop': z.object(run) satisfies z.ZodType<ReplayRunJson>,
  'dlq purge': z.object({
    purged: count,
    originals: count,
    skipped: count.optional().describe('left alone: other consumers still need their messages'),
    archive: z.string().optional(),
    not_purged: count.optional().describe('of a run that was stopped: archived, and not known to be removed'),
    dry_run: dryRun,
    groups: deadGroups.optional().describe('in a dry run'),
  }) satisfies z.ZodType<PurgeResult>,
  'dlq export': z
    .object({ exported: count, file: z.string() })
    .describe('with --out; without it, NDJSON of the entries'),
  'dlq import': z.object({
    imported: count,
    skipped: count,
    failed: count,
    dry_run: dryRun,
    entries: z.array(
      z.object({ id: z.string(), outcome: z.enum(['imported', 'skipped', 'failed']), error: z.string().optional() }),
    ),
  }) satisfies z.ZodType<ImportResult>,
  'request send': z.union([
    z.object({
      id: z.string(),
      queue: z.string(),
      seq: count,
      subject: z.string(),
      duplicate: z.boolean(),
    }) satisfies z.ZodType<SentJson>,
    z.object({ ...request, ...response, duplicate: z.boolean() }).describe('with --wait'),
    z
      .object({
        sent: count,
        duplicates: count,
        failed: count,
        untried: count.optional().describe('lines of a file after the last that was tried; without --rejects'),
        stopped: z.boolean(),
        lines: count,
        errors: z.array(z.object({ line: count, id: z.string().optional(), code: z.string(), message: z.string() })),
      })
      .describe('with --ndjson') satisfies z.ZodType<BulkJson>,
  ]),
  'request get': z.object({ ...fetched.shape, ...response }),
  'request show': z.object({
    ...fetched.shape,
    traceparent: z.string().optional(),
    timeline: z.array(
      z.object({
        at: moment,
        event: z.enum(['made', 'published', 'delivered', 'failed', 'next', 'died', 'replayed', 'answered']),
        detail: z.string(),
        computed: z.boolean().optional(),
      }),
    ),
    ...payload,
    ...response,
  }),
  'request ls': z.array(
    z.object({
      id: z.string().nullable(),
      queue: z.string(),
      seq: count,
      subject: z.string(),
      published_at: moment,
      size: count,
      replays: count,
      state: z
        .enum(['queued', 'retry', 'in_flight'])
        .describe('retry: it failed, and waits for its next try; in_flight: a worker has that'),
      deliveries: count.optional().describe('of what failed; as are the others'),
      max_deliver: count.nullable().optional(),
      next_delivery_at: moment.nullable().optional(),
      detail: z.string().optional(),
    }) satisfies z.ZodType<WaitingJson>,
  ),
  'request cancel': z.object({
    cancelled: count,
    refused: count,
    entries: z.array(
      z.object({
        id: z.string(),
        outcome: z.enum(['cancelled', 'uncertain', 'answered', 'in_flight', 'dead', 'unknown']),
        queue: z.string().optional(),
        seq: count.optional(),
        detail: z.string(),
      }) satisfies z.ZodType<CancelledJson>,
    ),
  }),
  'queue pause': z.array(pauseResult()),
  'queue resume': z.array(pauseResult()),
  'queue drain': z.object({
    queue: z.string(),
    drained: z.boolean(),
    ready: count,
    in_flight: count,
    journalled: count,
    dead: known,
    dying: count,
    waited_seconds: z.number(),
  }) satisfies z.ZodType<DrainResult>,
  'worker run': z.object({
    queue: z.string(),
    consumer: z.string(),
    bucket: z.string(),
    seconds: z.number(),
    ended_by: z.enum(['signal', 'max', 'idle']),
    taken: count,
    answered: count,
    already_answered: count,
    failed: count,
    retried: count,
    rejected: count,
    unstored: count,
    returned: count,
    cut_short: count,
  }) satisfies z.ZodType<WorkerReport>,
};

function pauseResult() {
  return z.object({
    queue: z.string(),
    consumer: z.string(),
    paused: z.boolean(),
    until: moment.optional(),
    changed: z.boolean(),
  }) satisfies z.ZodType<PauseResult>;
}
