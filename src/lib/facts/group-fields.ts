import type { Field } from './field.ts';

/** Parts of a stream's or bucket's fields. Inside a group the enclosing field's rule decides about changes. */
const part = (
  name: string,
  type: Field['type'],
  doc: string,
  fill: Field['fill'],
  extra: Partial<Field> = {},
): Field => ({
  name,
  type,
  doc,
  fill,
  change: 'in-place',
  source: 'JetStream API',
  ...extra,
});

export const placementFields: readonly Field[] = [
  part('cluster', { type: 'text' }, 'The cluster that holds the replicas.', ''),
  part('tags', { type: 'texts' }, 'Server tags that every replica must have.', []),
  part('preferred', { type: 'text' }, 'The server asked to lead.', '', { since: '2.11.0' }),
];

export const transformFields: readonly Field[] = [
  part('src', { type: 'text' }, 'The subject pattern to match.', ''),
  part('dest', { type: 'text' }, 'The subject it becomes.', ''),
];

export const externalFields: readonly Field[] = [
  part('api', { type: 'text' }, 'The API prefix of the other account or domain.', ''),
  part('deliver', { type: 'text' }, 'The delivery prefix of the other account.', ''),
];

export const sourceFields: readonly Field[] = [
  part('name', { type: 'text' }, 'The stream (or bucket) to copy from.', ''),
  part('opt_start_seq', { type: 'count', min: 0 }, 'The first sequence to copy.', 0),
  part('opt_start_time', { type: 'time' }, 'The first moment to copy from.', ''),
  part('filter_subject', { type: 'text' }, 'Copy only what matches.', ''),
  part(
    'subject_transforms',
    { type: 'groups', fields: transformFields, key: 'src' },
    'Subjects renamed on the way.',
    [],
  ),
  part('external', { type: 'group', fields: externalFields }, 'A stream of another account or domain.', {}),
];

export const republishFields: readonly Field[] = [
  part('src', { type: 'text' }, 'Republish what matches; empty is everything.', ''),
  part('dest', { type: 'text' }, 'The subject to republish on.', ''),
  part('headers_only', { type: 'flag' }, 'Republish without the payload.', false),
];

export const consumerLimitFields: readonly Field[] = [
  part('inactive_threshold', { type: 'duration' }, 'The longest inactive_threshold of a consumer.', 0),
  part('max_ack_pending', { type: 'count' }, 'The highest max_ack_pending of a consumer.', 0),
];
