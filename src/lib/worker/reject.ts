import { IMPORT_HEADER, REJECT_HEADER, REJECT_KEPT } from '../facts/names.ts';
import type { Delivery } from '../nats/consume.ts';
import { type HeaderLine, parseHeaderLines, printHeaders, toHeaderValue } from '../nats/raw-headers.ts';

const LONGEST_REASON = 500;

/** The headers of a reject's copy: those of the request, and what happened to it. */
export function rejectHeaders(delivery: Delivery, reason: string, now: Date): Uint8Array {
  const kept = parseHeaderLines(delivery.headers).map(
    (line): HeaderLine => (/^nats-/i.test(line.name) ? { ...line, name: `${REJECT_KEPT}${line.name}` } : line),
  );
  const told: Record<keyof typeof REJECT_HEADER, string> = {
    reason: reason.slice(0, LONGEST_REASON),
    stream: delivery.stream,
    consumer: delivery.consumer,
    seq: String(delivery.seq),
    subject: delivery.subject,
    time: now.toISOString(),
    deliveries: String(delivery.delivery),
  };
  const own = [
    ...Object.entries(told).map(([key, value]) => ({
      name: REJECT_HEADER[key as keyof typeof REJECT_HEADER] as string,
      value: toHeaderValue(value),
    })),
    // A stream that is made anew gives its sequence to another message: with its time it names this one for good.
    { name: IMPORT_HEADER.published, value: timeOf(delivery.publishedUs) },
  ];
  // The request may carry headers of our names: it is no reject because it says so.
  const names = new Set(
    [...Object.values(REJECT_HEADER), ...Object.values(IMPORT_HEADER)].map((name) => name.toLowerCase()),
  );
  return printHeaders([...kept.filter(({ name }) => !names.has(name.toLowerCase())), ...own]);
}

/** RFC 3339, to the microsecond. */
const timeOf = (us: number): string =>
  `${new Date(Math.floor(us / 1000)).toISOString().slice(0, -1)}${String(us % 1000).padStart(3, '0')}Z`;
