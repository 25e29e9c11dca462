import { type ErrorParts, OpsError } from '../errors/ops-error.ts';
import { bucketStream } from '../facts/names.ts';
import { readAccount } from './account.ts';
import { orUndefined } from './answer.ts';
import type { ApiError } from './api-error.ts';
import { accountFull, bucketOf, refusalIn, streamFull } from './full.ts';
import type { Nats } from './port.ts';
import { readStream, streamNames } from './streams.ts';

/** An error with the figures of what is full, where it says that something is, and they can be had. */
export async function withFigures(nats: Nats, error: unknown): Promise<unknown> {
  if (!(error instanceof OpsError) || error.code !== 'NO_ROOM') return error;
  const answer = refusalIn(error);
  try {
    if (answer?.noRoom === 'account') return error.with(await ofAccount(nats));
    return answer?.noRoom === 'stream' ? error.with(await ofStream(nats, answer)) : error;
  } catch {
    return error;
  }
}

async function ofAccount(nats: Nats): Promise<ErrorParts> {
  return accountFull(nats.target.account, await orUndefined(readAccount(nats)));
}

async function ofStream(nats: Nats, { subject, hints }: ApiError): Promise<ErrorParts> {
  const bucket = bucketOf(subject);
  const found = bucket ? [bucketStream(bucket)] : await orUndefined(streamNames(nats, { subject }));
  const stream = await orUndefined(readStream(nats, found?.[0] ?? ''));
  return stream ? streamFull(stream, hints) : {};
}
