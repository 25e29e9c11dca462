import type { FieldTable } from '../facts/fields.ts';
import type { Config, Json } from '../model/json.ts';
import { canonicalFields } from './value.ts';

/**
 * A consumer's configuration with every field this server version has, spelt in one way and filled as the server
 * fills it, for which it looks at the stream where that is known. `pause_until` is left out: a paused consumer is a
 * state, not a setting.
 */
export function canonicalConsumer(config: Config, table: FieldTable, stream?: Config): Config {
  const result = canonicalFields(table, 'consumer', config, stream);
  const steps = result.backoff as readonly Json[];
  // The server writes the first step over whatever ack_wait was asked for.
  if (steps.length > 0) result.ack_wait = steps[0]!;
  // One filter may be written in either field; the server treats them alike.
  const filters = result.filter_subjects as readonly string[];
  if (filters.length > 0) result.filter_subject = filters.length === 1 ? filters[0]! : '';
  if (filters.length === 1) result.filter_subjects = [];
  delete result.pause_until;
  return result;
}

/** The filters of a consumer; none is everything. */
export function filtersOf(config: Config): readonly string[] {
  if (Array.isArray(config.filter_subjects) && config.filter_subjects.length > 0) {
    return config.filter_subjects as string[];
  }
  return [typeof config.filter_subject === 'string' && config.filter_subject !== '' ? config.filter_subject : '>'];
}
