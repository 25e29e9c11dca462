import type { Finding } from '../model/plan.ts';
import { keyOf, type ObservedResource, splitConsumerName } from '../model/resource.ts';
import type { Analyzer } from './subject.ts';

const HINT = 'bring its servers back (nats server report jetstream), then run again';

/** What a resource lacks to take a change; `undefined` where it lacks nothing. */
function lackOf({ cluster }: ObservedResource): string | undefined {
  if (!cluster) return undefined;
  const away = cluster.replicas.filter((peer) => peer.offline).map((peer) => peer.name);
  // Servers that are left go on answering, the leader too for a while, with what they knew before.
  const isOutvoted = away.length * 2 > cluster.replicas.length;
  if (cluster.leader && !isOutvoted) return undefined;
  const what = cluster.leader ? 'no quorum' : 'no leader';
  return away.length > 0 ? `${what} (offline: ${away.join(', ')})` : what;
}

/** A replicated stream without a leader takes no change until its servers are back. */
export const leader: Analyzer = (subject, { observed }) => {
  const { change } = subject;
  const stream =
    change.kind === 'consumer' ? observed.resources.get(`stream ${splitConsumerName(change.name).stream}`) : undefined;
  for (const resource of [subject.observed, stream]) {
    const lack = resource && lackOf(resource);
    if (!resource || !lack) continue;
    const message = `${keyOf(resource)} has ${lack}, so the server can change nothing about it`;
    return [{ code: 'CONN_NO_LEADER', severity: 'refuse', resource: subject.key, message, hint: HINT }];
  }
  return [];
};

/** Resources that are as they should be, as far as their servers still know. */
export const unsure = (resources: readonly ObservedResource[]): Finding[] =>
  resources.flatMap((resource): Finding[] => {
    const lack = lackOf(resource);
    if (!lack) return [];
    const message = `${keyOf(resource)} has ${lack}: it is shown as the servers that are left knew it`;
    return [{ code: 'CONN_NO_LEADER', severity: 'warning', resource: keyOf(resource), message, hint: HINT }];
  });
