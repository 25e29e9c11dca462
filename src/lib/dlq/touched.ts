import { capturesOf, serves } from '../facts/captures.ts';
import type { Change } from '../model/plan.ts';
import { type Desired, type Observed, splitConsumerName } from '../model/resource.ts';

/**
 * The queues whose dead letters lie in what changes replace, remove or move, or come back with it: a queue, under its
 * name before as well, its DLQ, a consumer that is made anew. A stream that is no queue is named too, which does no harm.
 */
export function queuesTouched(
  changes: readonly Change[],
  { observed, desired }: { readonly observed: Observed; readonly desired: Pick<Desired, 'resources'> },
): string[] {
  const known = [...desired.resources, ...changes].filter(({ role }) => role === 'queue').map(({ name }) => name);
  const queues = changes
    .filter(({ action }) => action === 'replace' || action === 'delete' || action === 'migrate')
    .flatMap((change) => {
      const names = [change.name, change.moved_from ?? []].flat();
      if (change.kind === 'consumer') return names.map((name) => splitConsumerName(name).stream);
      if (change.kind === 'bucket') return [];
      return names.flatMap((name) => {
        const config = observed.resources.get(`stream ${name}`)?.config ?? {};
        const captures = capturesOf({ ...config, name });
        const named = captures.flatMap(({ queue }) => queue ?? []);
        return [name, ...named, ...known.filter((queue) => serves(captures, queue))];
      });
    });
  return [...new Set(queues)];
}
