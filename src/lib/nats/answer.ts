import { OpsError } from '../errors/ops-error.ts';
import { isMissing } from './api-error.ts';

/**
 * What came of asking a server for something. Whatever else can happen (no connection, no JetStream, Ctrl-C, an answer
 * that is none) is thrown: nobody can work on with that.
 *
 *   found     here it is
 *   missing   the server says that there is none
 *   denied    this user may not ask
 *   silent    it is there, and has no leader or does not answer in time
 */
export type Answer<T> =
  | { readonly is: 'found'; readonly value: T }
  | { readonly is: 'missing' | 'denied' | 'silent'; readonly error: OpsError };

type Other = Exclude<Answer<unknown>['is'], 'found'>;

function otherOf(error: OpsError): Other | undefined {
  if (isMissing(error)) return 'missing';
  switch (error.code) {
    case 'NOT_FOUND':
      return 'missing';
    case 'DENIED_SUBJECT':
      return 'denied';
    case 'CONN_NO_LEADER':
    case 'CONN_TIMEOUT':
      return 'silent';
    default:
      return undefined;
  }
}

/** Sorts what a request came to. @throws OpsError CONN_UNREACHABLE, CONN_NO_JETSTREAM, SERVER_REFUSED, INTERRUPTED */
export async function answerOf<T>(asked: Promise<T>): Promise<Answer<T>> {
  try {
    return { is: 'found', value: await asked };
  } catch (error) {
    const is = error instanceof OpsError ? otherOf(error) : undefined;
    if (is === undefined) throw error;
    return { is, error: error as OpsError };
  }
}

/** The answer with what was found made into something else. */
export const ifFound = <T, U>(answer: Answer<T>, make: (value: T) => U): Answer<U> =>
  answer.is === 'found' ? { is: 'found', value: make(answer.value) } : answer;

type Asked<T> = Answer<T> | Promise<Answer<T>>;
/** An empty list is a list of anything. */
type Either<T, U> = U extends T ? T : T | U;

/**
 * What was found, or what stands here for another answer; those that nothing stands for are thrown:
 * `await orElse(listConsumers(nats, stream), { missing: [] })`.
 */
export async function orElse<T, O extends { readonly [is in Other]?: unknown }>(
  asked: Asked<T>,
  otherwise: O,
): Promise<Either<T, O[keyof O]>> {
  const answer = await asked;
  if (answer.is === 'found') return answer.value as Either<T, O[keyof O]>;
  if (answer.is in otherwise) return otherwise[answer.is] as Either<T, O[keyof O]>;
  throw answer.error;
}

/** What was found; any other answer is thrown. */
export const orThrow = <T>(asked: Asked<T>): Promise<T> => orElse(asked, {});

/** What was found, `undefined` for what does not exist; other answers are thrown. */
export const orUndefined = <T>(asked: Asked<T>): Promise<T | undefined> => orElse(asked, { missing: undefined });
