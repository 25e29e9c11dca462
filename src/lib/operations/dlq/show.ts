import { readStanding } from '../../dlq/collect.ts';
import { matches } from '../../dlq/filter.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { lifeOf } from '../../dlq/timeline.ts';
import { OpsError } from '../../errors/ops-error.ts';
import { readFailures } from '../../ledger/failure.ts';
import type { Context } from '../../model/context.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { type Entry, entryJson } from '../../model/entry.ts';
import { fromHeaderValue, parseHeaders } from '../../nats/raw-headers.ts';
import { traceOf } from '../../nats/trace.ts';
import { tellNone } from './none.ts';
import { type DlqChoice, withDlq } from './scope.ts';

export interface Shown {
  readonly letter: DeadLetter;
  /** The payload's bytes; undefined where nothing is left of the message. */
  readonly payload?: Uint8Array;
}

/**
 * Reads one dead letter with all that is known of it.
 * @throws OpsError USAGE, NOT_FOUND, CONN_*, DENIED_*, INTERRUPTED
 */
export async function showDeadLetter(context: Context, choice: DlqChoice): Promise<Shown> {
  return withDlq(context, choice, async (scope) => {
    const { nats, queues, filter, named } = scope;
    const options = {
      order: 'newest',
      across: true,
      details: true,
      asSeen: true,
      signal: context.io.signal,
      now: context.now().getTime(),
    } as const;
    const entry = filter.ids?.length
      ? named.find((one) => matches(filter, one))
      : (await scanEntries(nats, queues, { ...filter, limit: 1 }, options).next()).value;
    if (!entry) {
      await tellNone(context, scope);
      throw noneChosen(named);
    }
    const ref = queues.find(({ queue }) => queue === entry.queue)!;
    const standing = ref.seen?.standing ?? (await readStanding(nats, ref));
    const consumer = standing.consumers.find(({ name }) => name === entry.consumer);
    const { message, cause, records } = entry.inner;
    const failures =
      entry.published_at === null
        ? []
        : await readFailures(nats, { stream: entry.queue, seq: entry.seq, time: entry.published_at }, entry);
    const { traceparent } = traceOf(message?.headers);
    return {
      letter: {
        ...entryJson(entry),
        headers: headersOf(message?.headers),
        ...(traceparent !== undefined && { traceparent }),
        ...payloadOf(message?.payload),
        ...(cause && { cause }),
        timeline: lifeOf(entry, consumer, failures),
        records: records.map(({ stream, seq, kind, time }) => ({ stream, seq, kind, time })),
      },
      ...(message && { payload: message.payload }),
    };
  });
}

/** One that was named is there: it is the other conditions that leave it out. */
const noneChosen = ([named]: readonly Entry[]): OpsError =>
  new OpsError('NOT_FOUND', named ? `${named.id} is not what is asked for` : 'no dead letter is what is asked for', {
    where: named?.id ?? '--where',
    why: named
      ? 'It is there; --consumer or --where leaves it out.'
      : 'No queue that was looked at has one for which all conditions hold.',
    hints: ['`osapi-ops dlq ls` lists what is there'],
  });

function headersOf(block: Uint8Array | undefined): Record<string, string[]> {
  // Without a prototype: a header may be called anything.
  const headers: Record<string, string[]> = Object.create(null);
  for (const { name, value } of block ? parseHeaders(block) : []) {
    const key = fromHeaderValue(name);
    headers[key] = [...(headers[key] ?? []), fromHeaderValue(value)];
  }
  return headers;
}

function payloadOf(payload: Uint8Array | undefined): Pick<DeadLetter, 'payload' | 'payload_base64'> {
  if (!payload) return {};
  try {
    return { payload: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload) };
  } catch {
    return { payload_base64: Buffer.from(payload).toString('base64') };
  }
}
