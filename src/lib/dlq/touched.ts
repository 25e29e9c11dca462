import type { Change } from '../model/plan.ts';
import { type Desired, keyOf, type Observed, splitConsumerName } from '../model/resource.ts';
import { capturesOf, serves } from './captures.ts';

/**
 * The queues whose dead letters lie in what changes replace or remove, or come back with it: a queue, its DLQ, a
 * consumer that is made anew. A stream that is no queue is named as well, which does no harm.
 */
export function queuesTouched(
  changes: readonly Change[],
  { observed, desired }: { readonly observed: Observed; readonly desired: Pick<Desired, 'resources'> },
): string[] {
  const known = [...desired.resources, ...changes].filter(({ role }) => role === 'queue').map(({ name }) => name);
  const queues = changes
    .filter(({ action }) => action === 'replace' || action === 'delete')
    .flatMap((change) => {
      if (change.kind === 'consumer') return [splitConsumerName(change.name).stream];
      if (change.kind === 'bucket') return [];
      const config = observed.resources.get(keyOf(change))?.config ?? {};
      const captures = capturesOf({ ...config, name: change.name });
      const named = captures.flatMap(({ queue }) => queue ?? []);
      return [change.name, ...named, ...known.filter((queue) => serves(captures, queue))];
    });
  return [...new Set(queues)];
}
