import { withHistory, withQueueLocks } from '../../dlq/lock.ts';
import { scanEntries } from '../../dlq/scan.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Entry, QueueRef } from '../../model/entry.ts';
import { ownPrefixes, whyNotTaken } from '../../nats/address.ts';
import { orUndefined } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import { storeCopy } from '../../nats/copies.ts';
import { pipelined } from '../../nats/pipeline.ts';
import { printHeaders } from '../../nats/raw-headers.ts';
import { readStream } from '../../nats/streams.ts';
import { rebuildAdvisory } from '../../replay/rebuilt.ts';
import { type DlqChoice, withDlq } from './scope.ts';

export interface RebuildOptions extends DlqChoice {
  readonly dryRun: boolean;
  readonly lockWaitMs: number;
}

export interface RebuildResult {
  readonly rebuilt: number;
  /** Dead without an advisory as well, but not to be told from what is in flight now. */
  readonly uncertain: number;
  readonly dry_run?: true;
  readonly entries: readonly { readonly id: string }[];
}

const PAGE = 1000;
const AT_ONCE = 256;

/**
 * Writes the missing entry of every orphan. Running it twice changes nothing: what has an entry is no orphan.
 * @throws OpsError NOT_FOUND where no stream takes the entries, LOCK_HELD, CONN_*, DENIED_*, INTERRUPTED
 */
export async function rebuildEntries(context: Context, options: RebuildOptions): Promise<RebuildResult> {
  return withDlq(context, options, async ({ nats, queues, filter }) => {
    const entries: { id: string }[] = [];
    let uncertain = 0;
    const find = async (ref: QueueRef, onPage: (page: Entry[]) => Promise<void>, signal: AbortSignal) => {
      let page: Entry[] = [];
      const flush = async () => {
        await onPage(page);
        entries.push(...page.map(({ id }) => ({ id })));
        page = [];
      };
      const orphans = scanEntries(
        nats,
        [ref],
        { ...filter, states: ['orphan'] },
        {
          now: context.now().getTime(),
          signal,
          onCount: (report) => {
            uncertain += report.uncertain;
          },
        },
      );
      for await (const entry of orphans) {
        if (!entry.inner.certain || !entry.inner.original) continue;
        page.push(entry);
        if (page.length < PAGE) continue;
        await flush();
      }
      await flush();
    };
    for (const ref of queues) {
      if (options.dryRun) {
        await find(ref, async () => {}, context.io.signal);
        continue;
      }
      const before = entries.length;
      const work = { verb: 'rebuild', lockWaitMs: options.lockWaitMs } as const;
      await withHistory(
        context,
        nats,
        'rebuild',
        () =>
          withQueueLocks(context, nats, [ref.queue], work, (signal, held) =>
            find(ref, (page) => writeEntries(context, held, ref, page), signal),
          ),
        () => {
          const count = entries.length - before;
          return count > 0 ? [{ ref, summary: `${count} entries rebuilt` }] : [];
        },
      ).catch((error: unknown) => {
        if (!(error instanceof OpsError)) throw error;
        const result: RebuildResult = { rebuilt: entries.length, uncertain, entries };
        throw error.with({ message: `${error.message}: ${entries.length} rebuilt so far`, result });
      });
    }
    return {
      rebuilt: options.dryRun ? 0 : entries.length,
      uncertain,
      ...(options.dryRun && { dry_run: true }),
      entries,
    };
  });
}

async function writeEntries(context: Context, nats: Nats, ref: QueueRef, page: readonly Entry[]): Promise<void> {
  if (page.length === 0) return;
  const dlqs = await Promise.all(ref.dlqs.map((dlq) => orUndefined(readStream(nats, dlq))));
  await pipelined(page, AT_ONCE, async (entry) => {
    const { subject, payload, msgId } = rebuildAdvisory(entry, context.now());
    const dlq = dlqs.find((one) => one && whyNotTaken(one, subject, 'record', ownPrefixes(nats)) === undefined);
    if (!dlq) throw noDlq(ref);
    await storeCopy(nats, dlq, msgId, (id) => ({
      subject,
      payload,
      headers: printHeaders([{ name: 'Nats-Msg-Id', value: id }]),
      kind: 'record',
    }));
  });
}

const noDlq = (ref: QueueRef): OpsError =>
  new OpsError('NOT_FOUND', `no stream captures the deaths of ${ref.queue}`, {
    where: `queue ${ref.queue}`,
    why: 'An entry would be stored nowhere.',
    hints: ['give the queue a `dlq:` in its spec and apply it', 'replay orphans without entries: `dlq replay`'],
  });
