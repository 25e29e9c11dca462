import { isSeq } from '../facts/tokens.ts';
import { asBuffer } from '../model/bytes.ts';
import { type Config, objectOf, textOf } from '../model/json.ts';
import type { StoredMessage } from '../model/message.ts';
import { notJetStream } from './exchange.ts';
import type { RawReply } from './wire.ts';

const END = Buffer.from('\r\n\r\n');
const EMPTY = 'NATS/1.0\r\n';
const NO_BYTES = new Uint8Array(0);

/** The number in the status line of an answer such as `NATS/1.0 404 Message Not Found`; 0 where there is none. */
export function replyStatus({ headers }: RawReply): number {
  const match = /^NATS\/1\.0[ \t]+(\d{3})/.exec(asBuffer(headers.subarray(0, 20)).toString('latin1'));
  return match ? Number(match[1]) : 0;
}

/** Whether a message came as one of a batch: the server then counts what is left. */
export const isOfBatch = ({ headers }: RawReply): boolean =>
  asBuffer(headers).lastIndexOf('\r\nNats-Num-Pending: ') > asBuffer(headers).lastIndexOf('\r\nNats-Time-Stamp: ');

/**
 * Takes the answer of a direct get apart. The server adds its lines (stream, subject, sequence, time, and more in a
 * batch) behind the stored ones: the last such group is its own, whatever the message itself says. `undefined` for an
 * answer that is no message.
 */
export function parseStored(stream: string, { headers, data }: RawReply): StoredMessage | undefined {
  const block = asBuffer(headers);
  const at = block.lastIndexOf(`Nats-Stream: ${stream}\r\nNats-Subject: `, undefined, 'latin1');
  if (at < 0) return undefined;
  const added = block.toString('utf8', at);
  const line = (name: string): string => {
    const start = added.indexOf(`\r\n${name}: `) + name.length + 4;
    return added.slice(start, added.indexOf('\r\n', start));
  };
  // Without stored headers there is the first line only, which the server wrote itself.
  const bare = block.toString('latin1', 0, at) === EMPTY;
  return {
    stream,
    seq: Number(line('Nats-Sequence')),
    subject: line('Nats-Subject'),
    time: line('Nats-Time-Stamp'),
    headers: bare ? NO_BYTES : Buffer.concat([block.subarray(0, at), END.subarray(0, 2)]),
    payload: data,
  };
}

/** The message in an answer of the API, which has its bytes in base64. @throws OpsError SERVER_REFUSED where it has none */
export function parseApiMessage(stream: string, subject: string, answer: Config): StoredMessage {
  const { seq, subject: of, time, hdrs, data } = objectOf(answer.message);
  if (!isSeq(seq)) throw notJetStream(subject, 'Its answer has no message.');
  return {
    stream,
    seq,
    subject: textOf(of),
    time: textOf(time),
    headers: Buffer.from(textOf(hdrs), 'base64'),
    payload: Buffer.from(textOf(data), 'base64'),
  };
}
