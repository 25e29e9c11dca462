import { readHistory } from '../ledger/history.ts';
import type { Context } from '../model/context.ts';
import type { HistoryRecord } from '../model/history.ts';
import { withNats } from '../nats/open.ts';
import { chooseSources, loadForWork, type SpecChoice } from './spec-source.ts';

export interface HistoryOptions extends SpecChoice {
  /** Only of this system; the spec's own where one is named. */
  readonly system?: string;
  readonly since?: Date;
  readonly verbs?: readonly string[];
  readonly limit?: number;
}

/** What was done to this server, newest first. @throws OpsError SPEC_*, CONN_*, DENIED_* */
export async function historyOperation(context: Context, options: HistoryOptions): Promise<readonly HistoryRecord[]> {
  const [source] = chooseSources(context, options);
  const loaded = source === undefined ? undefined : await loadForWork(context, source);
  return withNats(context, loaded, async (nats) => {
    const { system = loaded?.spec.name, since, verbs, limit } = options;
    const records = await readHistory(nats, {
      system,
      ...(since && { since }),
      // The verb is inside the record: it can be counted only once it is read.
      ...(limit !== undefined && !verbs?.length && { limit }),
    });
    const wanted = verbs?.length ? records.filter(({ verb }) => verbs.includes(verb)) : records;
    return limit === undefined ? wanted : wanted.slice(0, limit);
  });
}
