import { replayCount, requestIdOf } from '../dlq/entry.ts';
import { REPLAY_HEADER } from '../facts/names.ts';
import { asBuffer } from '../model/bytes.ts';
import type { StoredMessage } from '../model/message.ts';
import { fromHeaderValue, type HeaderLine, headerValue, parseHeaders } from '../nats/raw-headers.ts';

const text = (lines: readonly HeaderLine[], name: string): string | undefined => {
  const value = headerValue(lines, name);
  return value === undefined || value === '' ? undefined : fromHeaderValue(value);
};

/** The ids a message may be asked for by: of its payload, of its first publish, of its own headers. */
export function idsOf({ headers, payload }: StoredMessage): string[] {
  const lines = parseHeaders(headers);
  const ids = [requestIdOf(payload), text(lines, REPLAY_HEADER.originalMsgId), text(lines, 'Nats-Msg-Id')];
  return ids.filter((id) => id !== undefined);
}

/** The id of a request as a person knows it: where its response would be. */
export const idOf = (message: StoredMessage): string | undefined => idsOf(message)[0];

/** How often the message was replayed, by its header. */
export const replaysOf = ({ headers }: StoredMessage): number =>
  headers.byteLength === 0 ? 0 : replayCount(parseHeaders(headers));

/** So many ids are looked for as bytes; of more, every message is read. */
const FEW = 4;

/** Tells which of some ids a message has, if any; bytes are compared first, since most messages have none of them. */
export function createMatcher(ids: readonly string[]): (message: StoredMessage) => string | undefined {
  const wanted = new Set(ids);
  // An id with characters that JSON may write as escapes has no one form in bytes.
  const needles = ids.length <= FEW && ids.every((id) => /^[ -~]+$/.test(id) && !/[/"\\]/.test(id)) ? ids : undefined;
  const bytes = needles?.map((id) => Buffer.from(id));
  return (message) => {
    if (bytes) {
      const [headers, payload] = [asBuffer(message.headers), asBuffer(message.payload)];
      if (!bytes.some((needle) => headers.includes(needle) || payload.includes(needle))) return undefined;
    }
    return idsOf(message).find((id) => wanted.has(id));
  };
}
