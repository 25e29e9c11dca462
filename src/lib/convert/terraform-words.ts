import type { ResourceKind } from '../model/resource.ts';

// The facts are those of github.com/nats-io/terraform-provider-jetstream, its schemas of July 2026.

export const RESOURCE_TYPES: Readonly<Record<ResourceKind, string>> = {
  stream: 'jetstream_stream',
  consumer: 'jetstream_consumer',
  bucket: 'jetstream_kv_bucket',
};

/** The provider's word for a field that it names otherwise. */
export const WORDS: Readonly<Record<ResourceKind, Readonly<Record<string, string>>>> = {
  stream: { num_replicas: 'replicas', sources: 'source' },
  consumer: {
    deliver_subject: 'delivery_subject',
    deliver_group: 'delivery_group',
    max_deliver: 'max_delivery',
    opt_start_seq: 'stream_sequence',
    opt_start_time: 'start_time',
    rate_limit_bps: 'ratelimit',
    idle_heartbeat: 'heartbeat',
    num_replicas: 'replicas',
    mem_storage: 'memory',
  },
  bucket: { num_replicas: 'replicas', max_bytes: 'max_bucket_size' },
};

/** The same within a group. */
export const PART_WORDS: Readonly<Record<string, string>> = {
  opt_start_seq: 'start_seq',
  opt_start_time: 'start_time',
  subject_transforms: 'subject_transform',
  src: 'source',
  dest: 'destination',
};

/** Groups whose parts the provider writes beside each other, without a block. */
export const FLAT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  placement: { cluster: 'placement_cluster', tags: 'placement_tags', preferred: 'placement_preferred' },
  republish: {
    src: 'republish_source',
    dest: 'republish_destination',
    headers_only: 'republish_headers_only',
  },
  consumer_limits: { max_ack_pending: 'max_ack_pending', inactive_threshold: 'inactive_threshold' },
};

/** Where delivery begins is a switch each. */
export const DELIVER_SWITCHES: Readonly<Record<string, string>> = {
  deliver_all: 'all',
  deliver_last: 'last',
  deliver_new: 'new',
  deliver_last_per_subject: 'last_per_subject',
};

export const streamId = (stream: string): string => `JETSTREAM_STREAM_${stream}`;
