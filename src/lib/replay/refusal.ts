import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { isApiError } from '../nats/api-error.ts';
import type { NotKept } from '../nats/keeps.ts';

/** True where a stream refused a message for want of room: 10077 is also said of a broken disk, with other words. */
export const isFull = (error: unknown): boolean =>
  isApiError(error, ERR.storeFailed) && /^maximum (?:messages|bytes)/.test(error.description);

/** What passes by itself: a connection that is lost, a leader that is missing. What was asked is in doubt then. */
export const isPassing = (error: unknown): error is OpsError =>
  error instanceof OpsError && error.code.startsWith('CONN_');

/** The way out for what its own stream does not take. */
export const elsewhere = (why: string): string => `${why}; --to SUBJECT sends it elsewhere`;

/** What is said of one that would cost the queue another message. */
export const fullQueue = ({ code, text }: NotKept): string =>
  code === 'NO_ROOM' ? `the queue is full and would drop its oldest: make room first (${text})` : elsewhere(text);

/** What a server or a guard says against one message; `undefined` for what is wrong with all of them. */
export function refusal(error: unknown): string | undefined {
  if (isFull(error)) return 'the queue is full';
  if (isPassing(error)) return undefined;
  if (isApiError(error)) return `${error.description} (${error.errCode})`;
  const { code, message } = error as OpsError;
  if (code === 'DLQ_NOT_TAKEN') return elsewhere(message);
  return code === 'SERVER_REFUSED' ? message : undefined;
}

const MOST_REASONS = 5;

/** Why messages failed, the commonest reasons first, in a sentence. */
export function tellReasons(reasons: readonly (readonly [why: string, count: number])[]): string {
  const sorted = [...reasons].sort(([, a], [, b]) => b - a);
  const told = sorted.slice(0, MOST_REASONS).map(([why, count]) => `${count} × ${why}`);
  const more = sorted.slice(MOST_REASONS).reduce((sum, [, count]) => sum + count, 0);
  const others = sorted.length - told.length;
  return `${[...told, ...(more > 0 ? [`and ${more} more for ${others} other ${others === 1 ? 'reason' : 'reasons'}`] : [])].join('; ')}.`;
}
