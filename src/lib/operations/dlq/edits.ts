import { scanEntries } from '../../dlq/scan.ts';
import type { Context } from '../../model/context.ts';
import type { Entry, QueueRef } from '../../model/entry.ts';
import type { EntryFilter } from '../../model/entry-filter.ts';
import { orThrow } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import { readStream } from '../../nats/streams.ts';
import { type EditRecord, editEntry } from '../../replay/edit.ts';
import type { Edited } from '../../replay/edit-text.ts';
import type { ReplayWishes } from '../../replay/job.ts';
import { toQueueFacts } from '../../replay/queue-facts.ts';
import { whySkipped } from '../../replay/select.ts';

/** What a person was shown of an entry: another message under the same id has another time. */
export const versionOf = ({ id, inner: { message } }: Entry): string =>
  `${id} ${message?.stream} ${message?.seq} ${message?.time}`;

/** Has a person edit what would be moved, before the lock is taken: somebody who thinks holds nobody up. */
export async function editAll(
  context: Context,
  nats: Nats,
  ref: QueueRef,
  filter: EntryFilter,
  { maxReplays }: Pick<ReplayWishes, 'maxReplays'>,
  edits: EditRecord[],
): Promise<Map<string, Edited | null>> {
  const { lastSeq } = toQueueFacts(await orThrow(readStream(nats, ref.queue)));
  const shown = new Map<string, Edited | null>();
  const options = { now: context.now().getTime(), signal: context.io.signal };
  const confirm = (text: string) => context.io.ask({ type: 'confirm', text, fallback: false });
  for await (const entry of scanEntries(nats, [ref], filter, options)) {
    if (whySkipped(entry, { maxReplays, lastSeq, filter })) continue;
    const edited = await editEntry(context.env, entry, (edit) => edits.push(edit), confirm);
    shown.set(versionOf(entry), edited ?? null);
  }
  return shown;
}
