import { bucketStream, KV_PREFIX, LEDGER_BUCKET } from '../facts/names.ts';
import { type Answer, ifFound } from './answer.ts';
import type { Nats } from './port.ts';
import { streamNames } from './streams.ts';

/** The buckets of the account but for our own, sorted. */
export async function bucketNames(nats: Nats, enough?: number): Promise<Answer<string[]>> {
  return ifFound(await streamNames(nats, { subject: '$KV.>', enough }), (streams) =>
    streams
      .filter((name) => name.startsWith(KV_PREFIX) && name !== bucketStream(LEDGER_BUCKET))
      .map((name) => name.slice(KV_PREFIX.length))
      .sort(),
  );
}
