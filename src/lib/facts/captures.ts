import { type Config, isObject, textsOf } from '../model/json.ts';
import type { Capture } from '../model/spec.ts';
import { ADVISORY, advisorySubject, CONSUMER_ADVISORY, REJECTED_PREFIX, rejectedSubject } from './names.ts';
import { subjectCovers, subjectsOverlap } from './subjects.ts';

/** What one subject of a DLQ stream lets in. */
export interface DlqCapture {
  readonly kind: 'advisory' | 'rejected' | 'service';
  readonly subject: string;
  /** The one queue it is for; absent where it holds a wildcard there, or belongs to a service. */
  readonly queue?: string;
  /** The queue that a stored subject names. */
  queueOf(stored: string): string | undefined;
}

const PREFIXES = [
  { kind: 'advisory', prefix: ADVISORY.max_deliveries },
  { kind: 'advisory', prefix: ADVISORY.terminated },
  { kind: 'rejected', prefix: REJECTED_PREFIX },
] as const;

/** The streams that nats-dlq-service and nestjs-jetstream make for themselves. */
const SERVICE = (name: string, subject: string): boolean =>
  (/_DLQ$/.test(name) && /^[^.*>]+\.[^.*>]+\.dlq\.>$/.test(subject)) || (/_dlq-stream$/.test(name) && subject === name);

/** What overlaps the subjects of a DLQ: those of these queues, or of all, and those that such services make. */
export const captorSubjects = (queues: readonly string[] | undefined): string[] => [
  ...(queues ?? ['*']).flatMap((queue) => [`${CONSUMER_ADVISORY}.*.${queue}.*`, rejectedSubject(queue)]),
  '*.*.dlq.>',
  '*',
];

/** On these the deaths of a queue are told. */
export const deathSubjects = (queue: string): string[] => PREFIXES.map(({ prefix }) => `${prefix}.${queue}.*`);

/** Whether one of those services may have made a stream of this name. */
export const mayBeService = (name: string): boolean => /_DLQ$|_dlq-stream$/.test(name);

/**
 * What of a stream's subjects are dead letters; empty for a stream that is no DLQ. `itself`: what it is sent, and not what
 * it copies.
 */
export function capturesOf(config: Config, itself = false): DlqCapture[] {
  const name = typeof config.name === 'string' ? config.name : '';
  // A copy of a DLQ by mirror or sources says what it holds in the filters of those.
  const copied = itself
    ? []
    : [config.mirror, ...(Array.isArray(config.sources) ? config.sources : [])].flatMap((one) =>
        isObject(one) && typeof one.filter_subject === 'string' && one.filter_subject !== ''
          ? [one.filter_subject]
          : [],
      );
  return [...textsOf(config.subjects), ...copied].flatMap((subject): DlqCapture[] => {
    if (SERVICE(name, subject)) return [{ kind: 'service', subject, queueOf: () => undefined }];
    return PREFIXES.flatMap(({ kind, prefix }) => {
      if (!subjectsOverlap(subject, `${prefix}.*.*`)) return [];
      const depth = prefix.split('.').length;
      const token = subject.split('.')[depth];
      const isNamed = token !== undefined && token !== '*' && token !== '>';
      return [
        {
          kind,
          subject,
          ...(isNamed && { queue: token }),
          queueOf: (stored: string) => (stored.startsWith(`${prefix}.`) ? stored.split('.')[depth] : undefined),
        },
      ];
    });
  });
}

/** Whether deaths in this queue come here. */
export const serves = (captures: readonly DlqCapture[], queue: string): boolean =>
  captures.some((capture) => capture.kind !== 'service' && (capture.queue === undefined || capture.queue === queue));

/**
 * True where subjects let in every death of one kind in a queue. Those of some of its consumers are enough where it has
 * no other.
 */
export function capturesAll(
  subjects: readonly string[],
  kind: Capture,
  queue: string,
  consumers: readonly string[],
): boolean {
  const isIn = (consumer?: string) =>
    subjects.some((subject) => subjectCovers(subject, advisorySubject(kind, queue, consumer)));
  return isIn() || (consumers.length > 0 && consumers.every(isIn));
}
