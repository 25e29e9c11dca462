import { createHash } from 'node:crypto';
import { canonicalObserved, streamsOf } from '../canonical/resource.ts';
import { stableText } from '../model/json.ts';
import type { Observed, ResourceKey } from '../model/resource.ts';
import { ownerOf } from '../risk/subject.ts';

/**
 * A short text for each resource that changes when somebody changes, re-creates or takes over the resource, and not
 * when messages come and go; `absent` for one that the server does not have.
 */
export function fingerprintOf(observed: Observed, keys: Iterable<ResourceKey>): Record<ResourceKey, string> {
  const { version } = observed.target.server;
  const streamOf = streamsOf((key) => observed.resources.get(key));
  const prints: Record<ResourceKey, string> = {};
  for (const key of keys) {
    const resource = observed.resources.get(key);
    if (!resource) {
      prints[key] = 'absent';
      continue;
    }
    const state = [canonicalObserved(resource, version, streamOf), resource.created, ownerOf(resource.config) ?? null];
    prints[key] = createHash('sha256').update(stableText(state)).digest('hex').slice(0, 16);
  }
  return prints;
}
