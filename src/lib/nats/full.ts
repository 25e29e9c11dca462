import type { ErrorParts } from '../errors/ops-error.ts';
import { type AccountUsage, limitedParts } from '../model/account.ts';
import { numberOf } from '../model/json.ts';
import { toType } from '../model/shell.ts';
import { printSize } from '../model/units.ts';
import { type ApiError, isNoRoom } from './api-error.ts';
import type { StreamInfo } from './info.ts';

/** A limit below this is not worth proposing. */
const MUCH = 1024 * 1024;

/** The server's own answer, in what was made of it. */
export function refusalIn(error: unknown): ApiError | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (isNoRoom(at)) return at;
  return undefined;
}

/** The bucket whose key a subject is, whatever the prefix. */
export const bucketOf = (subject: string): string | undefined => /\$KV\.([^.]+)\./.exec(subject)?.[1];

/** What is to be said of an account without room, with its figures where they are known. */
export function accountFull(account: string, usage: AccountUsage | undefined): ErrorParts {
  const used = (what: string, bytes: number, limit: number) =>
    limit >= 0 ? [`${printSize(bytes)} of ${printSize(limit)} of ${what}`] : [];
  const figures = usage
    ? limitedParts(usage).flatMap(({ of, usage: { storage, memory, limits } }) => [
        ...used(`file storage${of}`, storage, limits.max_storage),
        ...used(`memory${of}`, memory, limits.max_memory),
      ])
    : [];
  const uses = figures.length > 0 ? `: it uses ${figures.join(', and ')}` : '';
  return { why: `The storage of account ${account} is used up${uses}.` };
}

/** What is to be said of a stream that takes no more. Of `hints` the first is said with its figures. */
export function streamFull(
  { name, config, figures }: Pick<StreamInfo, 'name' | 'config' | 'figures'>,
  hints: readonly string[],
): ErrorParts {
  const maxBytes = numberOf(config.max_bytes, -1);
  const maxMsgs = numberOf(config.max_msgs, -1);
  const told = [
    ...(maxBytes > 0 ? [`${printSize(figures.bytes)} of its max_bytes ${printSize(maxBytes)}`] : []),
    ...(maxMsgs > 0 ? [`${figures.messages} of its max_msgs ${maxMsgs}`] : []),
  ];
  const wanted = Math.max(2 * Math.max(maxBytes, figures.bytes), MUCH);
  const edit =
    maxBytes > 0
      ? toType`nats stream edit --max-bytes=${wanted} ${name}`
      : toType`nats stream edit --max-msgs=-1 ${name}`;
  return {
    why: `Stream ${name} is full${told.length > 0 ? `: it holds ${told.join(', and ')}` : ''}.`,
    hints: [`raise its limit: ${edit}`, ...hints.slice(1)],
  };
}
