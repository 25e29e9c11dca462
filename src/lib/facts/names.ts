import type { Capture } from '../model/spec.ts';

/** All names and subjects the tool uses on a server, in one place. */
export const OWNER_KEY = 'osapi-ops.owner';
export const OWN_PREFIX = 'osapi-ops.';
export const SERVER_PREFIX = '_nats.';
export const LEDGER_BUCKET = 'osapi_ops';
export const KV_PREFIX = 'KV_';

export const ADVISORY = {
  max_deliveries: '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES',
  terminated: '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED',
} as const satisfies Record<Capture, string>;

/** The subject of one kind of death on one stream, all consumers: what a DLQ stream captures. */
export const advisorySubject = (capture: Capture, stream: string, consumer = '*'): string =>
  `${ADVISORY[capture]}.${stream}.${consumer}`;

export const bucketStream = (bucket: string): string => `${KV_PREFIX}${bucket}`;
