import { advisorySubject } from '../facts/names.ts';
import type { Entry } from '../model/entry.ts';

/** What marks an advisory as written by us: nobody saw the death itself. */
export const REBUILT = 'osapi-ops-rebuilt';

/** A message to be published into a DLQ stream. */
export interface DlqMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly msgId: string;
}

/**
 * The advisory that an orphan lacks, in the server's own form and on its subject, so that every reader of advisories
 * understands it. Its id says who wrote it; its time is when it was found dead, for nobody knows when it died.
 */
export function rebuildAdvisory(entry: Entry, foundAt: Date): DlqMessage {
  const { stream, seq, time } = entry.inner.original!;
  const msgId = `${REBUILT}.${stream}.${seq}.${time.replace(/[^0-9]/g, '')}`;
  const body = {
    type: 'io.nats.jetstream.advisory.v1.max_deliver',
    id: msgId,
    timestamp: foundAt.toISOString(),
    stream,
    consumer: entry.consumer,
    stream_seq: seq,
    deliveries: entry.deliveries ?? 0,
  };
  return {
    subject: advisorySubject('max_deliveries', stream, entry.consumer),
    payload: Buffer.from(JSON.stringify(body)),
    msgId,
  };
}
