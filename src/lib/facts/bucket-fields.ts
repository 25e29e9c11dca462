import type { Field } from './field.ts';
import { placementFields, republishFields, sourceFields } from './group-fields.ts';
import { streamFields } from './stream-fields.ts';

/** A bucket's field and the field of its stream `KV_<bucket>` that holds it. */
export interface BucketField extends Field {
  readonly stream: string;
}

function like(streamField: string, name: string, doc: string, extra: Partial<Field> = {}): BucketField {
  const field = streamFields.find((row) => row.name === streamField)!;
  return { ...field, name, doc, stream: streamField, aliases: [], ...extra };
}

/** Every field of a KV bucket, in the words of the KV API; each is a view of one field of its stream. */
export const bucketFields: readonly BucketField[] = [
  like('description', 'description', 'What the bucket is for.'),
  like('max_msgs_per_subject', 'history', 'How many values a key keeps, 1 to 64.', {
    type: { type: 'count', min: 1, max: 64 },
    fill: 1,
    loss: 'per-subject',
  }),
  like('max_age', 'ttl', 'How long a value is kept; 0 is for ever.', { aliases: ['max_age'] }),
  like('max_bytes', 'max_bytes', 'The most bytes it holds.', { aliases: ['max_bucket_size'] }),
  like('max_msg_size', 'max_value_size', 'The largest value it takes.'),
  like('storage', 'storage', 'Where values are kept.'),
  like('compression', 'compression', 'Compression of stored blocks.'),
  like('num_replicas', 'num_replicas', 'How many servers of the cluster hold a copy.', { aliases: ['replicas'] }),
  like('placement', 'placement', 'Which servers hold it.', { type: { type: 'group', fields: placementFields } }),
  like('republish', 'republish', 'Sends every stored value on again.', {
    type: { type: 'group', fields: republishFields },
  }),
  like('mirror', 'mirror', 'The one bucket it copies.', { type: { type: 'group', fields: sourceFields } }),
  like('sources', 'sources', 'The buckets it copies from.', {
    type: { type: 'groups', fields: sourceFields, key: 'name' },
  }),
  like(
    'subject_delete_marker_ttl',
    'limit_marker_ttl',
    'How long a marker of an expired value stays; allows a ttl for each key.',
    {
      aliases: ['marker_ttl'],
    },
  ),
  like('metadata', 'metadata', 'Labels of your own.'),
];
