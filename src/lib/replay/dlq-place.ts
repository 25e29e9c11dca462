import type { QueueRef } from '../model/entry.ts';
import { ownPrefixes, whyNotTaken } from '../nats/address.ts';
import { orUndefined } from '../nats/answer.ts';
import { type Copy, copySize, largestIn } from '../nats/copies.ts';
import type { StreamInfo } from '../nats/info.ts';
import type { Nats } from '../nats/port.ts';
import { readStream } from '../nats/streams.ts';
import type { ImportMessage } from './imported.ts';

/** Where a message is written as a dead letter, and as what. */
export interface DlqPlace {
  readonly dlq: StreamInfo;
  readonly id: string;
  copyFor(id: string): Copy;
}

/** The DLQ streams of a queue, those that are there. */
export const readDlqs = async (nats: Nats, { dlqs }: Pick<QueueRef, 'dlqs'>): Promise<StreamInfo[]> => {
  const found = await Promise.all(dlqs.map((dlq) => orUndefined(readStream(nats, dlq))));
  return found.filter((info) => info !== undefined);
};

type Addressed = Pick<ImportMessage, 'subject' | 'otherwise'>;

/** The DLQ streams that take a message, and on which subject: its own before the other. */
const takersOf = (nats: Nats, dlqs: readonly StreamInfo[], { subject, otherwise }: Addressed) =>
  [subject, ...(otherwise === undefined ? [] : [otherwise])].flatMap((on) =>
    dlqs.map((dlq) => ({ dlq, subject: on, why: whyNotTaken(dlq, on, 'record', ownPrefixes(nats)) })),
  );

/** Why no DLQ takes a message on its subjects; `undefined` where one does. */
export function whyNoDlq(nats: Nats, dlqs: readonly StreamInfo[], message: Addressed): string | undefined {
  const all = takersOf(nats, dlqs, message);
  return all.some(({ why }) => why === undefined) ? undefined : (all[0]?.why ?? 'its queue has no DLQ');
}

/** The DLQ that takes a message and has room for one of its size; or why none does. */
export function placeInDlq(nats: Nats, dlqs: readonly StreamInfo[], message: ImportMessage): DlqPlace | string {
  const { id, headers, payload } = message;
  const takers = takersOf(nats, dlqs, message).filter(({ why }) => why === undefined);
  const size = { headers: headers(id), payload };
  const place = takers.find(({ dlq }) => whyTooLarge(nats, dlq, size) === undefined);
  if (!place) return (takers[0] && whyTooLarge(nats, takers[0].dlq, size)) ?? whyNoDlq(nats, dlqs, message) ?? '';
  const { dlq, subject } = place;
  return { dlq, id, copyFor: (of) => ({ subject, payload, headers: headers(of), kind: 'record' }) };
}

function whyTooLarge(nats: Nats, dlq: StreamInfo, message: Pick<Copy, 'headers' | 'payload'>): string | undefined {
  const bytes = copySize(message, dlq.name);
  const limit = largestIn(nats, dlq);
  if (bytes <= limit.bytes) return undefined;
  return `with the headers of a dead letter it is ${bytes} bytes, and ${limit.whose} is ${limit.bytes}`;
}
