import { OpsError } from '../errors/ops-error.ts';
import type { QueueRef } from '../model/entry.ts';
import { type Config, isObject } from '../model/json.ts';
import { isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { parseStanding, type QueueStanding } from './standing.ts';

/** How a queue stands now. A stream that is not there is a standing too. @throws OpsError CONN_*, DENIED_SUBJECT */
export async function readStanding(
  nats: Nats,
  { queue, consumers }: Pick<QueueRef, 'queue' | 'consumers'>,
): Promise<QueueStanding> {
  // Before the answers: what happens while they are under way is not in them for certain.
  const readAt = performance.now();
  const [info, infos] = await Promise.all([streamInfo(nats, queue), consumerInfos(nats, queue, consumers)]);
  return parseStanding(queue, info, info ? infos : [], readAt);
}

async function streamInfo(nats: Nats, queue: string): Promise<Config | undefined> {
  try {
    return await nats.api(`STREAM.INFO.${queue}`);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** CONSUMER.LIST, else the INFO of each: a viewer may be allowed the one or the other. */
async function consumerInfos(nats: Nats, queue: string, names: readonly string[]): Promise<Config[]> {
  const found: Config[] = [];
  try {
    for (;;) {
      const page = await nats.api(`CONSUMER.LIST.${queue}`, { offset: found.length });
      const items = Array.isArray(page.consumers) ? page.consumers.filter(isObject) : [];
      found.push(...items);
      if (items.length === 0 || found.length >= Number(page.total ?? 0)) return found;
    }
  } catch (error) {
    if (isMissing(error)) return [];
    if (!(error instanceof OpsError) || error.code !== 'DENIED_SUBJECT' || names.length === 0) throw error;
  }
  const infos = await Promise.all(
    names.map((name) =>
      nats.api(`CONSUMER.INFO.${queue}.${name}`).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      }),
    ),
  );
  return infos.filter((info) => info !== undefined);
}
