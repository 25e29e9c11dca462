import { type ErrorParts, OpsError } from '../errors/ops-error.ts';
import { bucketStream } from '../facts/names.ts';
import { numberOf } from '../model/json.ts';
import { printSize } from '../model/units.ts';
import { readAccount } from './account.ts';
import { orUndefined } from './answer.ts';
import { type ApiError, isNoRoom } from './api-error.ts';
import type { Nats } from './port.ts';
import { readStream, streamNames } from './streams.ts';

/** A limit below this is not worth proposing. */
const MUCH = 1024 * 1024;

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

/** The server's own answer, in what was made of it. */
function refusalIn(error: unknown): ApiError | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (isNoRoom(at)) return at;
  return undefined;
}

async function ofAccount(nats: Nats): Promise<ErrorParts> {
  const usage = await orUndefined(readAccount(nats));
  const used = (what: string, bytes: number, limit: number) =>
    limit >= 0 ? [`${printSize(bytes)} of ${printSize(limit)} of ${what}`] : [];
  const figures = usage
    ? [
        ...used('file storage', usage.storage, usage.limits.max_storage),
        ...used('memory', usage.memory, usage.limits.max_memory),
      ]
    : [];
  const uses = figures.length > 0 ? `: it uses ${figures.join(', and ')}` : '';
  return { why: `The storage of account ${nats.target.account} is used up${uses}.` };
}

async function ofStream(nats: Nats, { subject, hints }: ApiError): Promise<ErrorParts> {
  const bucket = /\$KV\.([^.]+)\./.exec(subject)?.[1];
  const found = bucket ? [bucketStream(bucket)] : await orUndefined(streamNames(nats, { subject }));
  const name = found?.[0] ?? '';
  const stream = await orUndefined(readStream(nats, name));
  if (!stream) return {};
  const { config, figures } = stream;
  const maxBytes = numberOf(config.max_bytes, -1);
  const maxMsgs = numberOf(config.max_msgs, -1);
  const told = [
    ...(maxBytes > 0 ? [`${printSize(figures.bytes)} of its max_bytes ${printSize(maxBytes)}`] : []),
    ...(maxMsgs > 0 ? [`${figures.messages} of its max_msgs ${maxMsgs}`] : []),
  ];
  const wanted = Math.max(2 * Math.max(maxBytes, figures.bytes), MUCH);
  const more = maxBytes > 0 ? `--max-bytes=${wanted}` : '--max-msgs=-1';
  return {
    why: `Stream ${name} is full${told.length > 0 ? `: it holds ${told.join(', and ')}` : ''}.`,
    hints: [`raise its limit: nats stream edit ${name} ${more}`, ...hints.slice(1)],
  };
}
