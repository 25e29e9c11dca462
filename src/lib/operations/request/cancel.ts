import { OpsError } from '../../errors/ops-error.ts';
import { identifyActor } from '../../ledger/actor.ts';
import { appendHistory } from '../../ledger/history.ts';
import type { Context } from '../../model/context.ts';
import type { QueueRef } from '../../model/entry.ts';
import type { StoredMessage } from '../../model/message.ts';
import type { CancelledJson } from '../../model/request.ts';
import type { Nats } from '../../nats/connect.ts';
import { pipelined } from '../../nats/pipeline.ts';
import type { FoundQueue } from '../../places/queues.ts';
import { type Cancellable, cancelRequest, judgeCancel, type LastLook, lookOnceMore } from '../../requests/cancel.ts';
import type { Found } from '../../requests/fetch.ts';
import { findMessages, placeOf } from '../../requests/scan.ts';
import { lookOf } from './get.ts';
import { requireAskable, type SearchChoice, withRequests } from './scope.ts';

export interface CancelOptions extends SearchChoice {
  readonly ids: readonly string[];
  readonly yes: boolean;
}

/** So many are looked at, and taken out, at once. */
const AT_ONCE = 16;

/** As `request cancel --json` prints it. */
export interface CancelResult {
  readonly cancelled: number;
  readonly refused: number;
  readonly entries: readonly CancelledJson[];
}

/**
 * Takes requests back that no worker has yet; says of the others what they are.
 * @throws OpsError NOT_CONFIRMED, REQUEST_NOT_CANCELLED with the result, USAGE, SPEC_*, CONN_*, DENIED_*, INTERRUPTED
 */
export async function cancelRequests(context: Context, options: CancelOptions): Promise<CancelResult> {
  const ids = [...new Set(options.ids.map(requireAskable))];
  return withRequests(context, options, async (places) => {
    const { nats } = places;
    const look = await lookOf(context, places, options.since);
    const [refs, stored] = await Promise.all([
      places.someQueues(context.io.tell),
      places.found().then((queues) => findAll(nats, queues, ids, look)),
    ]);
    const found = (id: string): Found | undefined => {
      const message = stored.get(id);
      const ref = refs.find(({ queue }) => queue === message?.stream);
      return message && ref && { ref, message };
    };
    // Who need not be asked is looked at for the last time while it is judged.
    const lastLooks = new Map<string, LastLook>();
    const judged = await pipelined(ids, AT_ONCE, (id) => {
      const place = found(id);
      if (place && options.yes) lastLooks.set(id, lookOnceMore(nats, place));
      return judgeCancel(nats, refs, id, place, look);
    });
    const waiting = judged.filter(({ outcome }) => outcome === undefined);
    if (waiting.length > 0) await agreeToCancel(context, nats, waiting, options.yes);

    const refusedOf = ({ id, outcome, detail, found: place }: Cancellable): CancelledJson => ({
      id,
      outcome: outcome ?? 'unknown',
      detail,
      ...(place && { queue: place.ref.queue, seq: place.message.seq }),
    });
    // When the last of them is out, that is written down while it is asked whether a worker had it at the same moment.
    let open = waiting.length;
    let early: { readonly told: string; readonly written: Promise<Written> } | undefined;
    const onRemoved = () => {
      open -= 1;
      if (open > 0) return;
      const expected = judged.map((one): CancelledJson => {
        const refused = refusedOf(one);
        return one.outcome === undefined && one.found ? { ...refused, outcome: 'cancelled' } : refused;
      });
      early = { told: toldOf(expected), written: writeHistory(context, nats, refs, expected) };
    };
    const entries = await pipelined(judged, AT_ONCE, (one) => {
      const { id, outcome, found: place } = one;
      if (outcome !== undefined || !place) return Promise.resolve(refusedOf(one));
      context.io.signal.throwIfAborted();
      return cancelRequest(nats, id, place, look.buckets, lastLooks.get(id), onRemoved);
    });
    const cancelled = entries.filter(({ outcome }) => outcome === 'cancelled').length;
    const result = { cancelled, refused: entries.length - cancelled, entries };
    const written = await early?.written;
    if (early?.told !== toldOf(entries)) await writeHistory(context, nats, refs, entries, written);
    if (result.refused > 0) throw notCancelled(result);
    return result;
  });
}

async function findAll(
  nats: Nats,
  queues: readonly FoundQueue[],
  ids: readonly string[],
  { since, onProgress }: Awaited<ReturnType<typeof lookOf>>,
): Promise<Map<string, StoredMessage>> {
  const all = new Map<string, StoredMessage>();
  for (const one of queues) {
    const missing = ids.filter((id) => !all.has(id));
    if (missing.length === 0) break;
    const how = { since, onProgress: (...read: [number, number]) => onProgress(one.queue, ...read) };
    const found = await findMessages(nats, placeOf(one), missing, how);
    for (const [id, message] of found) all.set(id, message);
  }
  return all;
}

async function agreeToCancel(
  context: Context,
  nats: Nats,
  waiting: readonly Cancellable[],
  yes: boolean,
): Promise<void> {
  if (yes) return;
  const what = waiting.length === 1 ? `request ${waiting[0]!.id}` : `${waiting.length} requests`;
  const text = `Take ${what} out of the queue on ${nats.target.url}? Nobody will answer then.`;
  if (await context.io.ask({ type: 'confirm', text, fallback: false })) return;
  throw new OpsError('NOT_CONFIRMED', `${what} would be deleted from the queue; refused without --yes`, {
    where: nats.target.url,
    why: 'Nothing was touched.',
    hints: ['if that is what you want, say so with --yes'],
  });
}

/** What the history tells of them. */
const toldOf = (entries: readonly CancelledJson[]): string =>
  JSON.stringify(entries.map(({ id, queue, seq, outcome }) => ({ id, queue, seq, outcome })));

/** The records of the history, by queue. */
type Written = ReadonlyMap<string, string>;

/** Writes down what was taken out; `before` are records that told it wrongly. */
async function writeHistory(
  context: Context,
  nats: Nats,
  refs: readonly QueueRef[],
  entries: readonly CancelledJson[],
  before?: Written,
): Promise<Written> {
  const written = new Map<string, string>();
  const taken = entries.filter(({ outcome }) => outcome === 'cancelled' || outcome === 'uncertain');
  for (const ref of refs) {
    const own = taken.filter(({ queue }) => queue === ref.queue);
    if (own.length === 0 && !before?.has(ref.queue)) continue;
    try {
      const record = await appendHistory(nats, {
        ...(before?.has(ref.queue) && { id: before.get(ref.queue)! }),
        system: ref.system ?? ref.queue,
        verb: 'cancel',
        actor: identifyActor(context.env),
        at: context.now(),
        tool: context.tool,
        summary: `${own.length} taken out of ${ref.queue}`,
        // Whether no worker had them is told where that is not so: it is asked when they are out, and this is written.
        detail: {
          queue: ref.queue,
          entries: own
            .slice(0, 100)
            .map(({ id, seq, outcome }) => ({ id, seq, ...(outcome !== 'cancelled' && { outcome }) })),
        },
      });
      written.set(ref.queue, record.id);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      context.io.tell({ type: 'warning', text: `the history could not be written: ${error.message}` });
    }
  }
  return written;
}

function notCancelled(result: CancelResult): OpsError {
  const others = result.entries.filter(({ outcome }) => outcome !== 'cancelled');
  const single = others.length === 1 ? others[0] : undefined;
  const message = single
    ? `request ${single.id} could not be taken back: ${single.detail}`
    : `${others.length} of ${result.entries.length} requests could not be taken back`;
  return new OpsError('REQUEST_NOT_CANCELLED', message, {
    why: single
      ? `${result.cancelled} taken back.`
      : others
          .map(({ id, detail }) => `${id}: ${detail}`)
          .slice(0, 50)
          .join('\n'),
    hints: ['`osapi-ops request get ID` says where each of them is'],
    result,
  });
}
