import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Fetched, RequestStatus } from '../../model/request.ts';
import { toType } from '../../model/shell.ts';
import type { Places } from '../../places/places.ts';
import { fetchRequest, fetchResponse } from '../../requests/fetch.ts';
import { followRequest, listenFor } from '../../requests/follow.ts';
import { tellReading } from '../dlq/reading.ts';
import { requireAskable, type SearchChoice, withRequests } from './scope.ts';

export interface GetOptions extends SearchChoice {
  readonly id: string;
  /** In milliseconds; absent: the state now. */
  readonly waitMs?: number;
  onState?(status: RequestStatus): void;
}

/** What every look at a request works with. */
export async function lookOf(context: Context, places: Places, since: number | undefined) {
  const tellers = new Map<string, ReturnType<typeof tellReading>>();
  return {
    buckets: await places.buckets(),
    since,
    now: () => context.now().getTime(),
    onProgress: (what: string, read: number, total: number) => {
      const tell = tellers.get(what) ?? tellReading(context, `searching ${what}`);
      tellers.set(what, tell);
      tell(read, total);
    },
  };
}

/**
 * Reads a response, or says where its request is.
 * @throws OpsError USAGE, SPEC_*, CONN_*, DENIED_*, INTERRUPTED
 */
export async function getRequest(context: Context, options: GetOptions): Promise<Fetched> {
  const id = requireAskable(options.id);
  return withRequests(context, options, async (places) => {
    const { nats } = places;
    const look = await lookOf(context, places, options.since);
    // Most who ask are told by one read.
    const answered = await fetchResponse(nats, look.buckets, id);
    if (answered) return answered;
    const { refs, denied } = await places.visible();
    if (options.waitMs === undefined) {
      const now = { ...look, asSeen: true, isUnanswered: true };
      return undecided(await fetchRequest(nats, refs, id, now), denied);
    }
    const ear = listenFor(nats, refs, look.buckets, id);
    try {
      const { onState } = options;
      const follow = { ...look, ear, timeoutMs: options.waitMs, ...(onState && { onState }) };
      return undecided(await followRequest(nats, refs, id, follow), denied);
    } finally {
      ear.close();
    }
  });
}

/** Whether a request waits or is dead cannot be told by who may not look: the answer may still come. */
function undecided(fetched: Fetched, denied: OpsError | undefined): Fetched {
  if (!denied || fetched.status.state !== 'unknown') return fetched;
  const detail = `not answered; ${denied.message}, so that where it is cannot be told`;
  return { status: { ...fetched.status, detail } };
}

/** The error of a request that will not be answered; `undefined` while it may be. `result` is what is printed beside it. */
export function unansweredError({ status }: Fetched, result: unknown, since?: number): OpsError | undefined {
  const { id, queue, seq, reason, detail, deliveries, entry } = status;
  const where = queue === undefined ? undefined : `${queue} ${seq}`;
  if (status.state === 'dead') {
    const after =
      deliveries === undefined ? '' : ` after ${deliveries === 1 ? '1 delivery' : `${deliveries} deliveries`}`;
    return new OpsError('REQUEST_DEAD', `request ${id} is dead: ${DEATHS[reason ?? 'max_deliveries']}${after}`, {
      where,
      why: detail ?? 'No worker told why.',
      hints: [
        `\`${toType`osapi-ops dlq show ${entry!}`}\` has all of it`,
        `\`${toType`osapi-ops dlq replay ${entry!}`}\` gives it another try`,
      ],
      result,
    });
  }
  if (status.state !== 'unknown' || detail !== undefined) return undefined;
  return new OpsError('NOT_FOUND', `nothing here knows a request ${id}`, {
    why:
      since === undefined
        ? 'It is neither answered nor stored in a queue, and no dead letter has it.'
        : `It is not answered, and was not published since ${new Date(since).toISOString()}: what is older was not searched.`,
    hints: [
      ...(since === undefined ? [] : ['search all of it, without --since']),
      'check the id, and that this is the right server and account',
      'it may have been acked without an answer, have expired, or have been removed',
    ],
    result,
  });
}

const DEATHS = { max_deliveries: 'given up', terminated: 'terminated', rejected: 'rejected' } as const;
