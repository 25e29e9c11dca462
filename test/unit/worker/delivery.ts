import type { Delivery } from '../../../src/lib/nats/consume.ts';
import { type HeaderLine, printHeaders } from '../../../src/lib/nats/raw-headers.ts';

/** A first delivery of a request, with what a test cares about. */
export const delivered = (
  payload: unknown,
  rest: Partial<Omit<Delivery, 'headers' | 'payload'>> & { headers?: readonly HeaderLine[] } = {},
): Delivery => ({
  subject: 'requests.dns',
  stream: 'REQUESTS',
  consumer: 'request-worker',
  seq: 7,
  delivery: 1,
  publishedUs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) * 1000,
  pending: 0,
  ackSubject: '$JS.ACK.REQUESTS.request-worker.1.7.7.1.0',
  ...rest,
  headers: printHeaders(rest.headers ?? []),
  payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
});
