import { ERR } from '../facts/err-codes.ts';
import type { Config } from '../model/json.ts';
import { type Answer, answerOf, orUndefined } from './answer.ts';
import { isApiError } from './api-error.ts';
import { askRemoval } from './exchange.ts';
import { exactStream, nameOf, parseDeleted, parseStreamInfo, parseSubjects, type StreamInfo } from './info.ts';
import { readList, readPages } from './pages.ts';
import type { Nats, RequestOptions } from './port.ts';
import { noteMirrors } from './ways.ts';

// All that is asked of streams and done to them, but for their messages.

const info = async (nats: Nats, name: string, body?: object, options?: RequestOptions): Promise<StreamInfo> =>
  parseStreamInfo(`${nats.settings.apiPrefix}.${name}`, await nats.api(name, body, options));

/** One stream. @throws OpsError SEQ_TOO_LARGE */
export const readStream = (nats: Nats, stream: string, options?: RequestOptions): Promise<Answer<StreamInfo>> =>
  answerOf(info(nats, `STREAM.INFO.${stream}`, undefined, options).then(exactStream));

/** A stream, and how many messages it has on each subject. */
export interface StreamSubjects extends StreamInfo {
  readonly subjects: ReadonlyMap<string, number>;
}

/** One stream with those of its subjects that match, 100,000 to a page. @throws OpsError SEQ_TOO_LARGE */
export function readSubjects(nats: Nats, stream: string, filter = '>'): Promise<Answer<StreamSubjects>> {
  const name = `STREAM.INFO.${stream}`;
  const subject = `${nats.settings.apiPrefix}.${name}`;
  let first: StreamInfo | undefined;
  const page = async (offset: number) => {
    const answer = await nats.api(name, { subjects_filter: filter, offset });
    first ??= exactStream(parseStreamInfo(subject, answer));
    return answer;
  };
  const read = readPages({ subject, page, entries: parseSubjects });
  return answerOf(read.then((subjects) => ({ ...first!, subjects })));
}

/** The sequences that were deleted between a stream's first and its last. */
export const readDeleted = (nats: Nats, stream: string): Promise<Answer<readonly number[]>> =>
  answerOf(nats.api(`STREAM.INFO.${stream}`, { deleted_details: true }).then(parseDeleted));

/** All streams of the account, those of buckets among them. */
export async function listStreams(nats: Nats): Promise<Answer<StreamInfo[]>> {
  const answer = await readList(nats, 'STREAM.LIST', { field: 'streams', parse: parseStreamInfo });
  if (answer.is === 'found')
    noteMirrors(
      nats,
      answer.value.map(({ config }) => config),
    );
  return answer;
}

/** The names of all streams, or of those that take a subject; a wildcard means all it touches. */
export const streamNames = (
  nats: Nats,
  { subject, enough }: { readonly subject?: string; readonly enough?: number } = {},
): Promise<Answer<string[]>> =>
  readList(nats, 'STREAM.NAMES', {
    field: 'streams',
    parse: nameOf,
    body: { subject },
    enough,
  });

/** Makes a stream, or gives it another configuration as a whole; the answer has it as it is now. @throws ApiError, OpsError CONN_*, DENIED_SUBJECT */
export async function writeStream(
  nats: Nats,
  verb: 'create' | 'update',
  stream: string,
  config: Config,
  options?: RequestOptions,
): Promise<StreamInfo> {
  const write = () => info(nats, `STREAM.${verb === 'create' ? 'CREATE' : 'UPDATE'}.${stream}`, config, options);
  // Behind the last stream of an account the server removes the account's folder, after its answer: a stream that is made
  // in that moment finds none (2.10 to 2.15, at most twice in a thousand).
  return write().catch((error) => {
    if (isApiError(error, ERR.storeNotMade)) return write();
    throw error;
  });
}

/** Deletes a stream with all its messages, if it is the one that was seen; one that was made since stays. */
export const deleteStream = (
  nats: Nats,
  { stream, created }: { readonly stream: string; readonly created: string },
  options: RequestOptions = {},
): Promise<Answer<unknown>> => {
  const isStill = async () => (await orUndefined(readStream(nats, stream, { finish: true })))?.created === created;
  return answerOf(askRemoval(nats, `STREAM.DELETE.${stream}`, undefined, isStill, options));
};
