import { type Config, listOf, objectOf } from '../model/json.ts';
import type { Field } from './field.ts';
import { atLeast } from './versions.ts';

/** Something written that came with a later server. */
export interface Newer {
  readonly path: readonly (string | number)[];
  /** The value, where not the field but this choice of it is newer. */
  readonly value?: string;
  /** As `2.14.0`. */
  readonly since: string;
}

/** What of a configuration a server of this version does not have yet: fields, parts of groups, choices. */
export function newerIn(fields: readonly Field[], config: Config, version: string): readonly Newer[] {
  const below = (name: string | number, found: readonly Newer[]): Newer[] =>
    found.map((each) => ({ ...each, path: [name, ...each.path] }));
  return fields.flatMap(({ name, type, since }): Newer[] => {
    const value = config[name];
    if (value === undefined) return [];
    if (since && !atLeast(version, since)) return [{ path: [name], since }];
    if (type.type === 'group') return below(name, newerIn(type.fields, objectOf(value), version));
    if (type.type === 'groups')
      return listOf(value).flatMap((item, at) => below(name, below(at, newerIn(type.fields, objectOf(item), version))));
    const choice = type.type === 'choice' ? type.since?.[String(value)] : undefined;
    return choice && !atLeast(version, choice) ? [{ path: [name], value: String(value), since: choice }] : [];
  });
}
