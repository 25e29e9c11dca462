import { IMPORT_HEADER, IMPORT_ID, REJECT_HEADER, REJECT_KEPT, REJECTED_PREFIX } from '../facts/names.ts';
import { isConsumerName, isSeq, isStreamName } from '../facts/tokens.ts';
import { type EntryReason, entryId, type RecordKind } from '../model/entry.ts';
import { jsonIn } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { fromHeaderValue, type HeaderLine, parseHeaderLines, printHeaders } from '../nats/raw-headers.ts';
import { type Death, UNNAMED } from './death.ts';
import { isTime } from './time.ts';

const LONGEST_DETAIL = 2000;

/** How one service writes a dead letter down: which headers say what, and how the original's headers are kept. */
interface Convention {
  readonly kind: RecordKind;
  /** A message is of this convention where it has this header. In lower case, as all names here. */
  readonly mark: string;
  readonly stream: readonly string[];
  readonly consumer: readonly string[];
  readonly seq: readonly string[];
  readonly subject: readonly string[];
  readonly time: readonly string[];
  readonly published: readonly string[];
  readonly deliveries: readonly string[];
  readonly detail: readonly string[];
  /** The same as a JSON string. */
  readonly whole: readonly string[];
  reason(detail: string | undefined, value: (name: string) => string | undefined): EntryReason;
  /** The original's header line of one of the record's; undefined for what the service added. */
  restore(line: HeaderLine, name: string): HeaderLine | undefined;
}

const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
const REJECT_NAMES = new Set(lower([...Object.values(REJECT_HEADER), ...Object.values(IMPORT_HEADER)]));
const REASONS: readonly EntryReason[] = ['max_deliveries', 'terminated', 'rejected'];

const KEPT = REJECT_KEPT.toLowerCase();

const DLQ_SERVICE_OWN = new Set(
  lower([
    'X-DLQ-Original-Stream',
    'X-DLQ-Original-Subject',
    'X-DLQ-Original-Time',
    'X-DLQ-Original-Seq',
    'X-DLQ-Original-Consumer',
    'X-DLQ-Consumer',
    'X-DLQ-Deliveries',
    'X-DLQ-Delivery-Attempts',
    'X-DLQ-Termination-Reason',
    'X-DLQ-Failure-Reason',
    'X-DLQ-Failure-Timestamp',
  ]),
);
const NESTJS_OWN = new Set([
  'x-dead-letter-reason',
  'x-original-subject',
  'x-original-stream',
  'x-failed-at',
  'x-delivery-count',
]);

const CONVENTIONS: readonly Convention[] = [
  {
    kind: 'rejected',
    mark: REJECT_HEADER.stream.toLowerCase(),
    stream: lower([REJECT_HEADER.stream]),
    consumer: lower([REJECT_HEADER.consumer]),
    seq: lower([REJECT_HEADER.seq]),
    subject: lower([REJECT_HEADER.subject]),
    time: lower([REJECT_HEADER.time]),
    published: lower([IMPORT_HEADER.published]),
    deliveries: lower([REJECT_HEADER.deliveries]),
    detail: lower([REJECT_HEADER.reason]),
    whole: lower([IMPORT_HEADER.detail]),
    reason: (_detail, value) =>
      REASONS.find((reason) => reason === value(IMPORT_HEADER.reason.toLowerCase())) ?? 'rejected',
    restore: (line, name) => {
      if (REJECT_NAMES.has(name)) return undefined;
      // The record's own: that of the request waits behind the prefix.
      if (name === 'nats-expected-stream' || (name === 'nats-msg-id' && line.value.startsWith(IMPORT_ID)))
        return undefined;
      return name.startsWith(KEPT) ? { ...line, name: line.name.slice(KEPT.length) } : line;
    },
  },
  {
    // github.com/sebfia/nats-dlq-service, both its header sets; it keeps the original's headers behind a prefix.
    kind: 'dlq-service',
    mark: 'x-dlq-original-stream',
    stream: ['x-dlq-original-stream'],
    consumer: ['x-dlq-consumer', 'x-dlq-original-consumer'],
    seq: ['x-dlq-original-seq'],
    subject: ['x-dlq-original-subject'],
    time: ['x-dlq-failure-timestamp'],
    published: ['x-dlq-original-time'],
    deliveries: ['x-dlq-deliveries', 'x-dlq-delivery-attempts'],
    detail: ['x-dlq-termination-reason', 'x-dlq-failure-reason'],
    whole: [],
    reason: (detail, value) =>
      value('x-dlq-termination-reason') !== undefined || /terminat/i.test(detail ?? '')
        ? 'terminated'
        : 'max_deliveries',
    restore: (line, name) =>
      name.startsWith('x-dlq-') && !DLQ_SERVICE_OWN.has(name) ? { ...line, name: line.name.slice(6) } : undefined,
  },
  {
    // github.com/HorizonRepublic/nestjs-jetstream: the original's headers as they were, without its sequence or consumer.
    kind: 'nestjs-jetstream',
    mark: 'x-original-stream',
    stream: ['x-original-stream'],
    consumer: [],
    seq: [],
    subject: ['x-original-subject'],
    time: ['x-failed-at'],
    published: [],
    deliveries: ['x-delivery-count'],
    detail: ['x-dead-letter-reason'],
    whole: [],
    reason: () => 'max_deliveries',
    restore: (line, name) => (NESTJS_OWN.has(name) ? undefined : line),
  },
];

/** A dead letter that carries its original; undefined where the message is of no convention we know. */
export function readCarried(message: StoredMessage): Death | undefined {
  const lines = parseHeaderLines(message.headers);
  const values = new Map<string, string>();
  for (const { name, value, bare } of lines) {
    if (bare) continue;
    const key = name.toLowerCase();
    if (!values.has(key)) values.set(key, value.trim());
  }
  const convention = CONVENTIONS.find(({ mark }) => values.has(mark));
  if (!convention) return undefined;
  const text = (names: readonly string[]): string | undefined => {
    const value = names.map((name) => values.get(name)).find((found) => found !== undefined && found !== '');
    return value === undefined ? undefined : fromHeaderValue(value);
  };
  const number = (names: readonly string[]): number | undefined => {
    const value = text(names);
    return value !== undefined && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
  };
  const stream = text(convention.stream);
  if (!isStreamName(stream)) return undefined;
  const named = text(convention.consumer);
  const consumer = isConsumerName(named) ? named : UNNAMED;
  if (convention.kind === 'rejected' && !agrees(message.subject, stream, consumer)) return undefined;
  const told = number(convention.seq);
  const pointsAtOriginal = isSeq(told);
  const seq = pointsAtOriginal ? told : message.seq;
  const detail = (wholeDetail(text(convention.whole)) ?? text(convention.detail))?.slice(0, LONGEST_DETAIL);
  const time = text(convention.time);
  const published = text(convention.published);
  const subject = text(convention.subject);
  return {
    queue: stream,
    consumer,
    seq,
    // A record that does not tell the original's sequence has an id of its own: its place in the DLQ stream.
    id: pointsAtOriginal ? entryId(stream, consumer, seq) : `${message.stream}/-/${message.seq}`,
    pointsAtOriginal,
    record: {
      stream: message.stream,
      seq: message.seq,
      subject: message.subject,
      kind: convention.kind,
      reason: convention.reason(detail, (name) => values.get(name)),
      time: isTime(time) && Date.parse(time) <= Date.parse(message.time) + 60_000 ? time : message.time,
      stored: message.time,
      deliveries: number(convention.deliveries) ?? null,
      detail,
    },
    // One that no message can have is replayed elsewhere (--to): its payload is there all the same.
    ...(subject !== undefined &&
      !(convention.kind === 'dlq-service' && isEmptyShell(message, values)) && {
        carried: {
          stream,
          seq,
          subject,
          time: isTime(published) ? published : '',
          headers: printHeaders(lines.flatMap((line) => convention.restore(line, line.name.toLowerCase()) ?? [])),
          payload: message.payload,
        },
      }),
  };
}

/** A reject's subject names stream and consumer as well; where a server moved it to another subject, its headers count. */
function agrees(subject: string, stream: string, consumer: string): boolean {
  return !subject.startsWith(`${REJECTED_PREFIX}.`) || subject === `${REJECTED_PREFIX}.${stream}.${consumer}`;
}

/** What an import wrote down of words that no header can have; `undefined` where it did not. */
const wholeDetail = (json: string | undefined): string | undefined =>
  json?.startsWith('"') ? (jsonIn(json) as string | undefined) : undefined;

/** An older nats-dlq-service wrote the advisory's headers over no payload at all: that is no copy of the original. */
const isEmptyShell = (message: StoredMessage, values: ReadonlyMap<string, string>): boolean =>
  message.payload.byteLength === 0 && values.has('x-dlq-failure-timestamp');
