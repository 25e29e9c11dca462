import { isKvKey } from '../facts/kv-key.ts';
import type { Entry } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { parseHeaders } from '../nats/raw-headers.ts';
import { answeredEntry } from './entry.ts';

/** Before each id in the subjects of a bucket. */
const prefixOf = (bucket: string): string => `$KV.${bucket}.`;

/** A marker says that there was a response: somebody deleted it, or it expired. */
const isMarker = (headers: Uint8Array): boolean =>
  parseHeaders(headers).some(({ name }) => name === 'KV-Operation' || name === 'Nats-Marker-Reason');

/** The subjects of the responses to these requests; none for an id that can be no key. */
export const responseSubjects = (bucket: string, ids: readonly string[]): string[] =>
  [...new Set(ids)].filter(isKvKey).map((id) => prefixOf(bucket) + id);

/** The requests whose response is among these messages of their bucket. */
export const answeredBy = (
  bucket: string,
  found: readonly Pick<StoredMessage, 'subject' | 'headers'>[],
): ReadonlySet<string> =>
  new Set(found.flatMap((one) => (isMarker(one.headers) ? [] : [one.subject.slice(prefixOf(bucket).length)])));

/** The ids of requests that may have their response by now, by queue. What is gone asks for nothing. */
export function requestsOf(entries: readonly Entry[]): Map<string, string[]> {
  const asked = new Map<string, string[]>();
  for (const { queue, state, request_id: id } of entries) {
    if (state === 'gone' || id === null) continue;
    const ids = asked.get(queue);
    if (ids) ids.push(id);
    else asked.set(queue, [id]);
  }
  return asked;
}

/** The same entries, those of which the response is there as answered. `answered` holds ids by queue. */
export const withAnswers = (
  entries: readonly Entry[],
  answered: ReadonlyMap<string, ReadonlySet<string>>,
): readonly Entry[] =>
  entries.map((entry) => {
    const { queue, state, request_id: id } = entry;
    return state !== 'gone' && id !== null && answered.get(queue)?.has(id) ? answeredEntry(entry) : entry;
  });
