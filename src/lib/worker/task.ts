import { fromHeaderValue, parseHeaders } from '../nats/raw-headers.ts';
import { traceOf } from '../nats/trace.ts';
import { type Job, publishedAt } from './job.ts';
import type { ThreadTask } from './thread.ts';

/** The values of each header by its name as it is written, in the order they stand. */
function headersOf({ delivery }: Job): Record<string, string[]> {
  // Without a prototype: a header may be called `constructor`.
  const headers: Record<string, string[]> = Object.create(null);
  for (const { name, value } of parseHeaders(delivery.headers)) {
    headers[name] ??= [];
    headers[name].push(fromHeaderValue(value));
  }
  return { ...headers };
}

/** A request as the thread of a handler is given it. `deadline` in milliseconds since 1970. */
export function taskOf(job: Job, run: number, deadline: number): ThreadTask {
  const { delivery, maxDeliver } = job;
  const { subject, stream, consumer, seq } = delivery;
  return {
    run,
    id: job.id,
    // A copy: the connection's buffer holds other messages as well.
    payload: new Uint8Array(delivery.payload),
    facts: {
      subject,
      headers: headersOf(job),
      delivery: delivery.delivery,
      maxDeliver,
      stream,
      consumer,
      seq,
      publishedAt: publishedAt(delivery),
      deadline,
      ...traceOf(delivery.headers),
    },
  };
}
