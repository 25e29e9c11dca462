import type { Code } from '../errors/codes.ts';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { type NoRoom, noRoomOf, ROOM_HINTS } from '../facts/no-room.ts';
import { cleanText } from './redact.ts';

/** The `error` of a JetStream API answer. */
export interface ApiFault {
  readonly code?: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** The server answered a JetStream API request with an error. */
export class ApiError extends OpsError {
  /** JetStream's own code, such as 10059; 0 where the server gave none. */
  readonly errCode: number;
  readonly subject: string;
  /** The server's words, on one line. */
  readonly description: string;
  /** What is full, where that is why. */
  readonly noRoom: NoRoom | undefined;

  constructor(subject: string, fault: ApiFault) {
    // Whoever answers may have put anything there.
    const errCode = Number.isSafeInteger(fault.err_code) ? fault.err_code! : 0;
    const description = cleanText(typeof fault.description === 'string' ? fault.description : 'no description');
    const noRoom = noRoomOf(errCode, description);
    const { code, hints } = noRoom
      ? { code: 'NO_ROOM' as const, hints: ROOM_HINTS[noRoom] }
      : meaningOf(errCode, description);
    const what = noRoom ? 'there is no room for' : 'the server refused';
    super(code, `${what} ${shortSubject(subject)}: ${description}${errCode ? ` (${errCode})` : ''}`, {
      where: subject,
      why: noRoom ? FULL[noRoom] : 'The server answered with an error.',
      hints,
    });
    this.name = 'ApiError';
    this.errCode = errCode;
    this.subject = subject;
    this.description = description;
    this.noRoom = noRoom;
  }
}

const FULL: Readonly<Record<NoRoom, string>> = {
  account: 'The storage of the account is used up.',
  server:
    'What the server has for JetStream, or what the account may use, is used up, or set aside by the max_bytes of streams.',
  stream: 'The stream takes no more until something is removed from it.',
  disk: 'The disk of the server is full, or cannot be written.',
};

/** `STREAM.CREATE.REQUESTS` of `$JS.API.STREAM.CREATE.REQUESTS`, whatever the prefix. */
export const shortSubject = (subject: string): string => subject.replace(/.*?\bAPI\./, '');

function meaningOf(errCode: number, description: string): { code: Code; hints: string[] } {
  switch (errCode) {
    case ERR.notEnabled:
    case ERR.notEnabledForAccount:
      return { code: 'CONN_NO_JETSTREAM', hints: ['enable JetStream for this account, or connect to one that has it'] };
    case ERR.systemUnavailable:
    case ERR.clusterIncomplete:
    case ERR.clusterNotActive:
    case ERR.clusterNotLeader:
    case ERR.streamOffline:
    case ERR.consumerOffline:
      return { code: 'CONN_NO_LEADER', hints: ['wait until the cluster has a quorum, then run this again'] };
    case ERR.streamNotFound:
    case ERR.consumerNotFound:
      return {
        code: 'NOT_FOUND',
        hints: ['apply the spec that makes it; or name the server and account that have it'],
      };
    case ERR.noMessage:
      return { code: 'NOT_FOUND', hints: ['it may have gone meanwhile: look again'] };
    case ERR.maximumStreams:
    case ERR.maximumConsumers: {
      const limit = errCode === ERR.maximumStreams ? 'max_streams' : 'max_consumers';
      return { code: 'SERVER_REFUSED', hints: [`raise \`${limit}\` of the account, or remove what nobody needs`] };
    }
    case ERR.invalidJson:
      return /unknown field/.test(description)
        ? { code: 'SERVER_TOO_OLD', hints: ['leave the field out, or use a server that knows it'] }
        : { code: 'SERVER_REFUSED', hints: [] };
    default:
      return { code: 'SERVER_REFUSED', hints: [] };
  }
}

/** True where `error` is the server's answer with one of these codes. */
export const isApiError = (error: unknown, ...codes: readonly number[]): error is ApiError =>
  error instanceof ApiError && (codes.length === 0 || codes.includes(error.errCode));

/** True where the server has no room for what was to be written: of one of these kinds, where any are named. */
export const isNoRoom = (error: unknown, ...kinds: readonly NoRoom[]): error is ApiError =>
  error instanceof ApiError && error.noRoom !== undefined && (kinds.length === 0 || kinds.includes(error.noRoom));

/** True where the error says that a stream or a consumer does not exist. */
export const isMissing = (error: unknown): boolean =>
  isApiError(error, ERR.streamNotFound, ERR.consumerNotFound, ERR.consumerMissing);
