import { createHash } from 'node:crypto';
import { canonicalObserved, streamLookup } from '../canonical/resource.ts';
import { tableFor } from '../facts/fields.ts';
import { type Config, stableText } from '../model/json.ts';
import type { Observed, ObservedResource, ResourceKey } from '../model/resource.ts';
import { ownerOf } from '../risk/subject.ts';

/** The canonical form of observed resources, worked out once for each. */
export function canonicalReader(observed: Observed): (resource: ObservedResource) => Config {
  const table = tableFor(observed.target.server.version);
  const streamOf = streamLookup((key) => observed.resources.get(key));
  const done = new Map<ObservedResource, Config>();
  return (resource) => {
    const config = done.get(resource) ?? canonicalObserved(resource, table, streamOf);
    done.set(resource, config);
    return config;
  };
}

/**
 * A short text for each resource that changes when somebody changes, re-creates or takes over the resource, and not
 * when messages come and go; `absent` for one that the server does not have.
 */
export function fingerprintOf(
  observed: Observed,
  keys: Iterable<ResourceKey>,
  canonicalOf: (resource: ObservedResource) => Config = canonicalReader(observed),
): Record<ResourceKey, string> {
  const prints: Record<ResourceKey, string> = {};
  for (const key of keys) {
    const resource = observed.resources.get(key);
    if (!resource) {
      prints[key] = 'absent';
      continue;
    }
    const state = [canonicalOf(resource), resource.created, ownerOf(resource.config) ?? null];
    prints[key] = createHash('sha256').update(stableText(state)).digest('hex').slice(0, 16);
  }
  return prints;
}
