import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { Entry } from '../../model/entry.ts';
import { readDlqs } from '../../replay/dlq-place.ts';
import { tellReasons } from '../../replay/refusal.ts';
import { whyNotImported, whyTooLarge } from './places.ts';
import type { DlqScope } from './scope.ts';

/**
 * Tells before anything goes what an import could not bring back: what no DLQ of its queue takes as things are. What is
 * too large to come back as a dead letter is refused: its archive would be the only place it has.
 */
export async function lookForLasting(context: Context, { nats, queues }: DlqScope) {
  const dlqs = new Map(await Promise.all(queues.map(async (ref) => [ref.queue, await readDlqs(nats, ref)] as const)));
  const reasons = new Map<string, number>();
  const large: string[] = [];
  let first = '';
  const refuse = () => {
    if (large.length > 0) throw tooLargeToImport(large, first);
  };
  return {
    see(line: string, entry: Entry): undefined {
      const all = dlqs.get(entry.queue) ?? [];
      const why = whyNotImported(nats, all, entry);
      if (why !== undefined) reasons.set(why, (reasons.get(why) ?? 0) + 1);
      const size = whyTooLarge(nats, all, line);
      if (size === undefined) return;
      first ||= size;
      large.push(entry.id);
    },
    /** @throws OpsError DLQ_NOT_TAKEN */
    refuse,
    /** @throws OpsError DLQ_NOT_TAKEN */
    tell(): void {
      refuse();
      if (reasons.size === 0) return;
      const text = `\`dlq import\` could not bring all of this back as things are: ${tellReasons([...reasons])}`;
      context.io.tell({ type: 'warning', text });
    },
  };
}

const MOST_IDS = 5;

function tooLargeToImport(ids: readonly string[], why: string): OpsError {
  const more = ids.length > MOST_IDS ? `, and ${ids.length - MOST_IDS} more` : '';
  const them = ids.length === 1 ? 'it' : 'them';
  return new OpsError(
    'DLQ_NOT_TAKEN',
    `nothing was purged: \`dlq import\` could not bring ${ids.length} of these back`,
    {
      where: ids.slice(0, MOST_IDS).join(', ') + more,
      why: `${why}. An archive that nothing reads back would be all that is left.`,
      hints: [
        `raise the limit, then purge ${them}: import needs it as well`,
        'or purge the others, chosen with --ids FILE or with a filter',
      ],
    },
  );
}
