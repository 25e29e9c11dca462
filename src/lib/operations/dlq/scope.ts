import path from 'node:path';
import { idsIn, parseIds, requireIds } from '../../dlq/id.ts';
import { scanEntries } from '../../dlq/scan.ts';
import type { SeenQueue } from '../../dlq/standing.ts';
import { parseWhere } from '../../dlq/where.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { systemReason } from '../../errors/system-error.ts';
import { readWhole } from '../../files/read.ts';
import type { Context } from '../../model/context.ts';
import type { Entry } from '../../model/entry.ts';
import type { EntryChoice, EntryFilter, IdPattern, WhereTerm } from '../../model/entry-filter.ts';
import type { Nats } from '../../nats/connect.ts';
import { noSuchQueue } from '../../places/queues.ts';
import { withPlaces } from '../places.ts';
import { tellReading } from './reading.ts';

/** What every dlq verb is told. */
export interface DlqChoice extends EntryChoice {
  /**
   * The dead letters that somebody looked at before, each with the time of its message: these and no others, and none
   * that came to its id since; without a time whatever goes by the id. Those that went since are left out, and told.
   */
  readonly looked?: ReadonlyMap<string, string | null | undefined>;
}

export interface DlqScope {
  readonly nats: Nats;
  readonly queues: readonly SeenQueue[];
  /** With the ids and the conditions in it. */
  readonly filter: EntryFilter;
  /** The dead letters that were named by id, as they were found. */
  readonly named: readonly Entry[];
}

/**
 * Connects and finds the queues that a dlq verb is about, and that each id that was named is that of one dead letter.
 * Where it `acts`, it is told which of several systems is meant.
 * @throws OpsError USAGE, USAGE_AMBIGUOUS_SPEC, NOT_FOUND, SPEC_*, CONN_*, DENIED_*
 */
export async function withDlq<T>(
  context: Context,
  {
    ids = [],
    idsFrom,
    where = [],
    filter: written,
    file,
    looked,
    acts = false,
  }: DlqChoice & { readonly acts?: boolean },
  work: (scope: DlqScope) => Promise<T>,
): Promise<T> {
  // No ids at all mean all there are; none of those that were looked at mean none.
  if (looked?.size === 0) {
    throw new OpsError('NOT_FOUND', 'there is nothing to do: what was looked at has no dead letter in it', {
      hints: ['choose others'],
    });
  }
  const patterns = [
    ...parseIds([...ids, ...(looked?.keys() ?? [])], where),
    ...(idsFrom === undefined ? [] : await readIds(context, idsFrom)),
  ];
  const terms = [...parseWhere(where), ...(looked ? [sameAs(looked)] : [])];
  const filter: EntryFilter = { ...written, ...(terms.length > 0 && { where: terms }) };
  return withPlaces(context, { file, queues: filter.queues }, async (places) => {
    const queues = await places.someQueues(context.io.tell);
    const { nats } = places;
    if (!filter.queues?.length) requireQueues(nats, terms, queues);
    if (patterns.length === 0) {
      if (acts && !filter.queues?.length) requireOneSystem(queues, nats);
      return work({ nats, queues, filter, named: [] });
    }
    const named: Entry[] = [];
    const options = {
      signal: context.io.signal,
      now: context.now().getTime(),
      asSeen: true,
      details: patterns.length === 1,
      onRead: tellReading(context, 'Searching'),
    };
    const pointed = { ids: patterns, ...(looked && { where: terms }) };
    for await (const entry of scanEntries(nats, queues, pointed, options)) named.push(entry);
    if (looked) tellGone(context, looked.size, named.length);
    else
      requireIds(
        patterns,
        named.map(({ id }) => id),
        filter.queues,
      );
    return work({ nats, queues, filter: { ...filter, ids: patterns }, named });
  });
}

/** A condition may name a queue as `--queue` does. @throws OpsError NOT_FOUND where there is none */
function requireQueues(nats: Nats, terms: readonly WhereTerm[], queues: readonly SeenQueue[]): void {
  const names = queues.map(({ queue }) => queue);
  for (const { text } of terms) {
    const [, name] = /^queue=([^*\\]+)$/.exec(text) ?? [];
    if (name !== undefined && !names.includes(name)) throw noSuchQueue(nats, name, names);
  }
}

/** Whether a dead letter is the one that was looked at: another message may go by its id since. */
const sameAs = (looked: NonNullable<DlqChoice['looked']>): WhereTerm => ({
  text: 'looked at',
  key: 'looked at',
  holds({ id, published_at: published }) {
    const time = looked.get(id);
    return looked.has(id) && (time === undefined || time === published);
  },
});

function tellGone({ io }: Context, looked: number, there: number): void {
  if (there >= looked) return;
  const text = `${looked - there} of ${looked} that were looked at went since: replayed, purged, answered or acked late`;
  io.tell({ type: 'note', text });
}

/** What acts without being told where acts on one system: dead letters of other people are not moved by the way. */
function requireOneSystem(queues: readonly SeenQueue[], { target }: Nats): void {
  const systems = [...new Set(queues.flatMap(({ system }) => system ?? []))];
  if (systems.length < 2) return;
  throw new OpsError('USAGE_AMBIGUOUS_SPEC', `several systems were applied to ${target.url}`, {
    where: target.url,
    why: `They are ${systems.join(', ')}; nothing here guesses between them, and nothing was touched.`,
    hints: ['name the spec with -f FILE or in OSAPI_OPS_SPEC, a queue with --queue, or ids'],
  });
}

/** In bytes: a million ids. */
const MOST_IDS = 64 * 1024 * 1024;

/** The ids in a file. One without any chooses nothing: that must not be taken for all there is. @throws OpsError USAGE_FILE, USAGE */
async function readIds(context: Context, file: string): Promise<IdPattern[]> {
  const name = file === '-' ? 'standard input' : file;
  const fault = (what: string, cause?: unknown) =>
    new OpsError('USAGE_FILE', `--ids: ${what}`, {
      where: name,
      why: 'Nothing was touched.',
      hints: ['give it ids, one a line, or what `osapi-ops dlq ls --ndjson` prints'],
      cause,
    });
  let text: string;
  try {
    text =
      file === '-'
        ? await context.readStdin(MOST_IDS)
        : (await readWhole(path.resolve(context.cwd, file), MOST_IDS)).toString('utf8');
  } catch (error) {
    throw fault(`${name} cannot be read: ${systemReason(error)}`, error);
  }
  const ids = idsIn(text, name);
  if (ids.length === 0) throw fault(`${name} names no dead letter`);
  return ids;
}
