import { BACKING } from '../canonical/bucket.ts';
import type { Config } from '../model/json.ts';
import { equalJson, isObject, type Json } from '../model/json.ts';
import type { Origin } from '../model/plan.ts';

/** The value at a path such as `max_age` or `metadata.team` of a canonical configuration. */
export function fieldAt(config: Config, path: string): Json | undefined {
  if (path in config || path.startsWith(BACKING)) return config[path];
  const dot = path.indexOf('.');
  if (dot < 0) return undefined;
  const whole = config[path.slice(0, dot)];
  return isObject(whole) ? whole[path.slice(dot + 1)] : undefined;
}

/**
 * Who made a difference, from three canonical values: what was applied last, what the spec says, what the server has.
 */
export function originOf(last: Json | undefined, desired: Json | undefined, live: Json | undefined): Origin {
  const bySpec = !equalJson(last ?? null, desired ?? null);
  const byServer = !equalJson(last ?? null, live ?? null);
  if (bySpec && byServer) return 'both';
  return bySpec ? 'spec' : byServer ? 'server' : 'unknown';
}

/** One origin for a whole change. */
export function commonOrigin(origins: readonly Origin[]): Origin {
  const distinct = new Set(origins);
  if (distinct.has('unknown') || distinct.size === 0) return 'unknown';
  return distinct.size === 1 ? [...distinct][0]! : 'both';
}
