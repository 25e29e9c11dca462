import { ERR } from '../facts/err-codes.ts';
import { isApiError } from '../nats/api-error.ts';

/** True where a stream refused a message for want of room: 10077 is also said of a broken disk, with other words. */
export const isFull = (error: unknown): boolean =>
  isApiError(error, ERR.storeFailed) && /^maximum (?:messages|bytes)/.test(error.description);
