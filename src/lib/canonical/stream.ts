import type { FieldTable } from '../facts/fields.ts';
import type { Config } from '../model/json.ts';
import { canonicalFields, sortedGroups } from './value.ts';

// What the server writes into the configuration of a stream that is sealed.
export const SEALED: Config = {
  deny_delete: true,
  deny_purge: true,
  allow_rollup_hdrs: false,
  discard: 'new',
  max_age: 0,
};

/**
 * A stream's configuration with every field this server version has, spelt in one way and filled as the server fills
 * it. Equal results mean equal streams. Fields outside the table are left out; `unknownFields` lists them.
 */
export function canonicalStream(config: Config, table: FieldTable): Config {
  const result = canonicalFields(table, 'stream', config);
  result.sources = sortedGroups(result.sources, 'name');
  // The server gives a mirror of this account the allow_direct of its origin, whatever was asked for.
  const mirror = result.mirror as Config;
  if (mirror.name && !mirror.external) result.mirror_direct = false;
  if (result.sealed) Object.assign(result, SEALED);
  return result;
}
