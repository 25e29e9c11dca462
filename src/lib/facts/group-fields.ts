import type { Field } from './field.ts';

/** Parts of a stream's or bucket's fields. Inside a group the enclosing field's rule decides about changes. */
const groupField = (
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
  groupField('cluster', { type: 'text' }, 'The cluster that holds the replicas.', ''),
  groupField('tags', { type: 'texts' }, 'Server tags that every replica must have.', []),
  groupField('preferred', { type: 'text' }, 'The server asked to lead.', '', { since: '2.11.0' }),
];

export const transformFields: readonly Field[] = [
  groupField('src', { type: 'text' }, 'The subject pattern to match.', ''),
  groupField('dest', { type: 'text' }, 'The subject it becomes.', ''),
];

export const externalFields: readonly Field[] = [
  groupField('api', { type: 'text' }, 'The API prefix of the other account or domain.', ''),
  groupField('deliver', { type: 'text' }, 'The delivery prefix of the other account.', ''),
];

export const sourceConsumerFields: readonly Field[] = [
  groupField('name', { type: 'text' }, 'The consumer of the origin that it copies through.', ''),
  groupField('deliver_subject', { type: 'text' }, 'The subject that consumer delivers to.', ''),
];

export const sourceFields: readonly Field[] = [
  groupField('name', { type: 'text' }, 'The stream (or bucket) to copy from.', ''),
  groupField('opt_start_seq', { type: 'count', min: 0 }, 'The first sequence to copy.', 0),
  groupField('opt_start_time', { type: 'time' }, 'The first moment to copy from.', ''),
  groupField('filter_subject', { type: 'text' }, 'Copy only what matches.', ''),
  groupField(
    'subject_transforms',
    { type: 'groups', fields: transformFields, key: 'src' },
    'Subjects renamed on the way.',
    [],
  ),
  groupField('external', { type: 'group', fields: externalFields }, 'A stream of another account or domain.', {}),
  groupField(
    'consumer',
    { type: 'group', fields: sourceConsumerFields },
    'A consumer made beforehand to copy through.',
    {},
    { since: '2.14.0', source: 'nats-server 2.14 stream.go, StreamConsumerSource' },
  ),
];

export const republishFields: readonly Field[] = [
  groupField('src', { type: 'text' }, 'Republish what matches; empty is everything.', ''),
  groupField('dest', { type: 'text' }, 'The subject to republish on.', ''),
  groupField('headers_only', { type: 'flag' }, 'Republish without the payload.', false),
];

export const consumerLimitFields: readonly Field[] = [
  groupField('inactive_threshold', { type: 'duration' }, 'The longest inactive_threshold of a consumer.', 0),
  groupField('max_ack_pending', { type: 'count' }, 'The highest max_ack_pending of a consumer.', 0),
];
