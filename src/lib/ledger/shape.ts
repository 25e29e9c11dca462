// Whoever may write to the ledger's bucket may have written anything: what is read from it is held against these before
// somebody relies on it.
import { isObject } from '../model/json.ts';

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const has = (fields: Fields) => (value: unknown) =>
  isObject(value) &&
  Object.entries(fields).every(([name, is]) => is(Object.hasOwn(value, name) ? value[name] : undefined));
const maybe = (is: (value: unknown) => boolean) => (value: unknown) => value === undefined || is(value);
const listOf = (is: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(is);
const mapOf = (is: (value: unknown) => boolean) => (value: unknown) =>
  isObject(value) && Object.values(value).every(is);

const actor: Fields = { who: isText, host: isText, pid: isCount, ci: maybe(isText) };

/** A system of a hundred thousand queues has fewer. */
const MOST_PARTS = 1000;

export const isHead = has({
  ...actor,
  system: isText,
  digest: isText,
  at: isText,
  tool: isText,
  server: isText,
  previous: listOf(has({ digest: isText, at: isText, who: isText })),
  parts: (value) => isCount(value) && Number(value) <= MOST_PARTS,
  write: maybe((value) => typeof value === 'string' && /^[0-9a-f]*$/.test(value)),
  body: maybe(isText),
});

const isLimit = (value: unknown): boolean => value === null || typeof value === 'number';
const isThreshold = has({ warn: isLimit, critical: isLimit });
const stream: Fields = { config: isObject, consumers: mapOf(isObject) };

export const isBody = has({
  spec: has({
    name: isText,
    connection: isObject,
    queues: mapOf(
      has({
        ...stream,
        health: has({ dead: isThreshold, backlog: isThreshold, oldest: isThreshold, usage: isThreshold }),
        dlq: maybe(has({ stream: isText, capture: listOf(isText), config: isObject })),
        responses: maybe(has({ bucket: isText, config: isObject })),
      }),
    ),
    streams: mapOf(has(stream)),
    buckets: mapOf(isObject),
  }),
  configs: mapOf(isObject),
  filled: maybe(mapOf(isObject)),
});

export const isHolder = has({ ...actor, id: isText, verb: isText, since: isText });

export const isHistory = has({ ...actor, id: isText, at: isText, system: isText, verb: isText, summary: isText });

export const isReplayRun = has({
  ...actor,
  id: isText,
  state: (value) => ['running', 'done', 'interrupted', 'failed'].includes(value as string),
  started_at: isText,
  queues: listOf(isText),
  line: isText,
  canary: maybe(isCount),
  chosen: isCount,
  replayed: isCount,
  answered: isCount,
  acked: isCount,
  died: isCount,
  skipped: isCount,
  failed: isCount,
  waiting: isCount,
  failures: listOf(has({ id: isText, error: isText, new_seq: maybe(isCount) })),
  finished_for: maybe(listOf(has({ id: maybe(isText), count: isCount, replayed: maybe(isCount) }))),
  error: maybe(isText),
  stopped_by: maybe(isText),
});

const hop = has({ from: isText, to: isText });
const movedConsumer = has({ from: isText, to: isText, created: isText, before: isObject, after: isObject });

export const isMigrationRecord = has({
  ...actor,
  since: isText,
  made: mapOf(isText),
  migration: has({
    format: (value) => value === 1,
    kind: (value) => value === 'stream' || value === 'consumer' || value === 'bucket',
    name: isText,
    from: isText,
    fields: listOf(isText),
    hops: listOf(hop),
    created: isText,
    before: isObject,
    after: isObject,
    consumers: listOf(movedConsumer),
    dlqs: listOf(has({ stream: isText, subjects: listOf(isText) })),
    responses: maybe(isText),
  }),
});
