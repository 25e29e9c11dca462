import { bucketStream, failureKey, LEDGER_BUCKET } from '../facts/names.ts';
import { atLeast } from '../facts/versions.ts';
import { type FailureRecord, parseFailure } from '../ledger/failure.ts';
import { byDeath, type Failing } from '../model/failing.ts';
import { answerOf, orElse } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getLatest } from '../nats/messages.ts';
import type { ConsumerStanding, QueueStanding } from './standing.ts';

/** So many sequences below the last delivered one are looked up: in one request, or on 2.10 in one each. */
const LOOKED_UP = 1000;
const LOOKED_UP_SINGLY = 100;

/**
 * What was delivered, failed and is tried again, as far as workers wrote it down: the server tells of a consumer only how
 * many it delivered before. One request, and none where nothing is in flight; none is known to who may not read the ledger.
 * @throws OpsError CONN_*, INTERRUPTED
 */
export async function readFailing(
  nats: Nats,
  { queue, consumers, firstSeq }: Pick<QueueStanding, 'queue' | 'consumers' | 'firstSeq'>,
  now: number,
): Promise<Noted[]> {
  const most = atLeast(nats.target.server.version, '2.11.0') ? LOOKED_UP : LOOKED_UP_SINGLY;
  const busy = consumers.filter(({ acks, ackPending, maxDeliver }) => acks && ackPending > 0 && maxDeliver !== 1);
  const seqs = new Set(
    busy.flatMap(({ delivered, ackFloor }) => {
      const from = Math.max(ackFloor + 1, firstSeq, delivered - most + 1);
      return Array.from({ length: Math.max(0, delivered - from + 1) }, (_, index) => delivered - index);
    }),
  );
  if (seqs.size === 0) return [];
  const subjects = [...seqs].slice(0, most).map((seq) => `$KV.${LEDGER_BUCKET}.${failureKey(queue, seq)}`);
  const read = getLatest(nats, bucketStream(LEDGER_BUCKET), subjects);
  const messages = await orElse(answerOf(read), { missing: [], denied: [] });
  const records = messages.flatMap(({ payload }) => parseFailure(new TextDecoder().decode(payload)) ?? []);
  return busy
    .flatMap((consumer) => {
      const own = records.filter((record) => record.stream === queue && record.consumer === consumer.name);
      return own
        .flatMap((record) => noted(consumer, record, now) ?? [])
        .sort((a, b) => byDeath(a.failing, b.failing))
        .slice(0, consumer.ackPending);
    })
    .sort((a, b) => byDeath(a.failing, b.failing));
}

/** What a worker noted of a message, with what tells whether it is of that very message. */
export interface Noted {
  readonly failing: Failing;
  readonly published_at: string;
  /** A worker should have had it since: it may be dead by now. */
  readonly isOverdue: boolean;
}

/** `undefined` of what is not tried again, or must have come to its end since. */
export function noted(consumer: ConsumerStanding, record: FailureRecord, now: number): Noted | undefined {
  const { name, delivered, ackFloor, maxDeliver, waits, waiting } = consumer;
  const { stream: queue, seq, delivery: deliveries, next_delivery_at: next, request_id, reason, published_at } = record;
  const at = next === undefined ? Number.NaN : Date.parse(next);
  if (Number.isNaN(at) || seq > delivered || seq <= ackFloor) return undefined;
  const most = maxDeliver > 0 ? maxDeliver : null;
  // While somebody pulls, each try that is left takes at most the longest wait.
  const isPulled = waiting > 0;
  const longestMs = Math.max(0, ...waits) / 1e6;
  if (isPulled && most !== null && at + longestMs * Math.max(0, most - deliveries) < now) return undefined;
  const failing: Failing = {
    queue,
    consumer: name,
    seq,
    request_id: request_id ?? null,
    deliveries,
    max_deliver: most,
    next_delivery_at: next!,
    state: isPulled && at <= now ? 'in_flight' : 'retry',
    detail: reason,
  };
  return { failing, published_at, isOverdue: at <= now };
}
