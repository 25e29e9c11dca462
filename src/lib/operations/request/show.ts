import type { Context } from '../../model/context.ts';
import type { Fetched, TimelineJson } from '../../model/request.ts';
import { traceOf } from '../../nats/trace.ts';
import type { Places } from '../../places/places.ts';
import { fetchResponse, findCarried, findRequest, readStored } from '../../requests/fetch.ts';
import { stateOfEntry, stateOfStored } from '../../requests/state.ts';
import { takersOf } from '../../requests/taker.ts';
import { type Facts, timelineOf } from '../../requests/timeline.ts';
import { lookOf } from './get.ts';
import { requireAskable, type SearchChoice, withRequests } from './scope.ts';

/** A request with its life, and the bytes that are left of it. */
export interface ShownRequest extends Fetched {
  readonly shown: TimelineJson;
  readonly payload?: Uint8Array;
}

/**
 * Gathers the life of one request.
 * @throws OpsError USAGE, SPEC_*, CONN_*, DENIED_*, INTERRUPTED
 */
export async function showRequest(
  context: Context,
  options: SearchChoice & { readonly id: string },
): Promise<ShownRequest> {
  const id = requireAskable(options.id);
  return withRequests(context, options, async (places) => {
    const { facts, response } = await gather(context, places, id, options.since);
    const { status, message } = facts;
    return {
      status,
      shown: { ...status, ...pickTrace(message?.headers), timeline: timelineOf(facts) },
      response,
      ...(message && { payload: message.payload }),
    };
  });
}

const pickTrace = (headers: Uint8Array | undefined): { readonly traceparent?: string } => {
  const { traceparent } = traceOf(headers);
  return traceparent === undefined ? {} : { traceparent };
};

async function gather(
  context: Context,
  places: Places,
  id: string,
  since: number | undefined,
): Promise<{ facts: Facts; response?: Uint8Array }> {
  const { nats } = places;
  const look = await lookOf(context, places, since);
  const now = look.now();
  const [answered, refs] = await Promise.all([fetchResponse(nats, look.buckets, id), places.queues()]);
  const found = await findRequest(nats, refs, id, { ...look, asSeen: true });
  const common = { failures: [], now, ...(answered?.response && { responseSize: answered.response.byteLength }) };
  const response = answered?.response && { response: answered.response };
  if (found) {
    const seen = await readStored(nats, found, now);
    const { message, standing, entry, failures } = seen;
    const stored = stateOfStored(id, seen);
    // Answered and stored: the ack is under way, or the request was replayed after it had an answer.
    const status = answered ? { ...stored, ...answered.status } : stored;
    const taker = takersOf(standing, message.subject)[0];
    const facts = { ...common, status, message, failures, ...(taker && { taker }), ...(entry && { entry }) };
    return { facts, ...response };
  }
  if (answered) return { facts: { ...common, status: answered.status }, ...response };
  const entry = await findCarried(nats, refs, id, look);
  if (entry) {
    const { message } = entry.inner;
    return { facts: { ...common, status: stateOfEntry(id, entry), entry, ...(message && { message }) } };
  }
  return { facts: { ...common, status: { id, state: 'unknown' } } };
}
