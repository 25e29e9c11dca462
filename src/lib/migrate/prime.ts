import { movingSubject } from '../facts/names.ts';
import { orThrow } from '../nats/answer.ts';
import type { Nats } from '../nats/connect.ts';
import { getRange } from '../nats/messages.ts';
import { openBulk } from '../nats/publish.ts';
import { headerValue, parseHeaders, printHeaders } from '../nats/raw-headers.ts';
import { removeKeyed } from '../nats/removal.ts';
import { readStream } from '../nats/streams.ts';

/**
 * Has a stream store an empty message under each id, on a subject of our own, and removes them again.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function passThrough(
  nats: Nats,
  stream: string,
  ids: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const subject = movingSubject(stream);
  let fault: unknown;
  const bulk = openBulk<string>(nats, {
    onStored() {},
    onFault(_id, error) {
      fault ??= error;
    },
  });
  try {
    for await (const id of ids) {
      const headers = printHeaders([
        { name: 'Nats-Msg-Id', value: id },
        { name: 'Nats-Expected-Stream', value: stream },
      ]);
      await bulk.send(id, subject, new Uint8Array(), headers);
    }
    await bulk.drain();
  } finally {
    bulk.close();
  }
  await removeKeyed(nats, stream, { subject });
  if (fault !== undefined) throw fault;
}

/**
 * Tells a replicated stream the ids of what it holds of the last window (in nanoseconds), which it did not learn as a
 * mirror. What knows one already stores nothing. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export async function primeIds(nats: Nats, stream: string, window: number): Promise<void> {
  const { now, figures } = await orThrow(readStream(nats, stream, { finish: true }));
  const since = now - window / 1e6 - 1000;
  const from = await firstSince(nats, stream, { from: figures.first_seq, to: figures.last_seq }, since);
  async function* ids(): AsyncGenerator<string> {
    for await (const message of getRange(nats, stream, from, { untilSeq: figures.last_seq, fromLeader: true })) {
      const id = headerValue(parseHeaders(message.headers), 'Nats-Msg-Id');
      if (id !== undefined && message.subject !== movingSubject(stream)) yield id;
    }
  }
  await passThrough(nats, stream, ids());
}

/** The first sequence whose message is as young as this (milliseconds since 1970): later ones are younger still. */
async function firstSince(
  nats: Nats,
  stream: string,
  { from, to }: { readonly from: number; readonly to: number },
  since: number,
): Promise<number> {
  let [low, high] = [Math.max(1, from), to + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await nextStored(nats, stream, middle, to);
    if (!message || Date.parse(message.time) >= since) high = middle;
    else low = message.seq + 1;
  }
  return low;
}

async function nextStored(nats: Nats, stream: string, from: number, untilSeq: number) {
  for await (const message of getRange(nats, stream, from, { untilSeq, batch: 1, fromLeader: true })) return message;
  return undefined;
}
