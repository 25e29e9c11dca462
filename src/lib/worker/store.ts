import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { bucketStream } from '../facts/names.ts';
import { objectOf } from '../model/json.ts';
import { ApiError, isMissing } from '../nats/api-error.ts';
import type { Nats } from '../nats/connect.ts';
import { isDisconnect, isNoRespondersError, isTimeoutError } from '../nats/errors.ts';
import { failure, readJson } from '../nats/exchange.ts';
import { putPrefix } from '../nats/kv-write.ts';
import { readStream } from '../nats/streams.ts';
import { wireOf } from '../nats/wire.ts';
import { microsOf } from './job.ts';

/** What became of a response. */
export type Stored =
  | { readonly type: 'stored' }
  /** Somebody answered this request since it was published: theirs stands. */
  | { readonly type: 'already' }
  /** It will never fit. */
  | { readonly type: 'impossible'; readonly reason: string }
  /** Not now. */
  | { readonly type: 'unstored'; readonly reason: string };

/** The bucket of the responses. */
export interface Responses {
  /** Whether a request that was published then has its response. @throws BucketGone as `put` */
  isAnswered(id: string, publishedUs: number): Promise<boolean>;
  /**
   * Stores a response, through lost connections and changes of leader.
   * @throws BucketGone where the bucket is gone, under this name at least: nothing can be answered any more
   */
  put(id: string, value: Uint8Array | string, publishedUs: number): Promise<Stored>;
}

const expected = (revision: number): Uint8Array =>
  Buffer.from(`NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: ${revision}\r\n\r\n`);
/** The usual case: nobody wrote under this id yet. */
const FIRST = expected(0);

const TRY_MS = 3000;
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
/** A bucket without a leader answers again within seconds; one that is missing never does. */
const SILENT_MS = 4000;
/** How long a finished response waits for a server to come back. */
const PATIENCE_MS = 60_000;
const MESSAGE_TOO_LARGE = 10054;
/** A cluster's word for another write of the same key that is not through yet. */
const WRITE_IN_FLIGHT = 10164;

/** `impatient` is asked while waiting for the server: true ends the waiting. */
export function openResponses(nats: Nats, bucket: string, impatient: () => boolean): Responses {
  const prefix = putPrefix(nats.settings, bucket);
  const kv = nats.kv(bucket);

  /** The newest value's revision; true where it answers a request of then. A marker counts: it was answered and taken. */
  async function newest(id: string, publishedUs: number): Promise<{ revision: number; answers: boolean }> {
    const found = await kv.latest(id);
    if (!found) return { revision: 0, answers: false };
    return { revision: found.revision, answers: microsOf(found.created) >= publishedUs };
  }

  async function putOnce(id: string, value: Uint8Array | string, publishedUs: number): Promise<Stored> {
    let headers = FIRST;
    for (let attempt = 0; attempt < 5; attempt++) {
      const reply = await wireOf(nats).ask(prefix + id, value, { headers, timeoutMs: TRY_MS });
      const answer = readJson(prefix + id, reply);
      if (answer.error === undefined) return { type: 'stored' };
      const error = new ApiError(prefix + id, objectOf(answer.error));
      if (error.errCode === MESSAGE_TOO_LARGE) {
        return { type: 'impossible', reason: `the response is too large for bucket ${bucket}: ${error.description}` };
      }
      if (error.errCode === ERR.systemUnavailable) throw error;
      if (error.errCode !== ERR.wrongLastSequence && error.errCode !== WRITE_IN_FLIGHT)
        return { type: 'unstored', reason: error.description };
      // Somebody wrote under this id: this very request's answer, or that of an older request of the same id.
      const { revision, answers } = await newest(id, publishedUs);
      if (answers) return { type: 'already' };
      headers = expected(revision);
    }
    return { type: 'unstored', reason: 'others keep writing under the same id' };
  }

  let gone: OpsError | undefined;
  /** Looks whether there is a bucket that does not answer. Whoever may not look has to take it for one without a leader. */
  async function requireThere(): Promise<void> {
    const found = gone ? undefined : await readStream(nats, bucketStream(bucket)).catch(() => undefined);
    if (found?.is === 'missing') gone = new BucketGone(nats, bucket);
    if (gone) throw gone;
  }

  return {
    async isAnswered(id, publishedUs) {
      const started = performance.now();
      for (;;) {
        try {
          return (await newest(id, publishedUs)).answers;
        } catch (error) {
          if (!isAbsent(error)) throw error;
          if (gone || impatient() || performance.now() - started > SILENT_MS) {
            await requireThere();
            throw error;
          }
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },
    async put(id, value, publishedUs) {
      const size = Buffer.byteLength(value) + FIRST.byteLength + 32;
      const { max_payload } = nats.target.server;
      // The server would close the connection over it.
      if (size > max_payload) {
        return {
          type: 'impossible',
          reason: `the response has ${size} bytes, max_payload of the server is ${max_payload}`,
        };
      }
      const started = performance.now();
      for (let pause = PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
        let reason: string;
        try {
          return await putOnce(id, value, publishedUs);
        } catch (error) {
          const silent = isNoRespondersError(error);
          const passing = silent || isTimeoutError(error) || isDisconnect(error) || isPassing(error);
          const failure = passing ? undefined : failureOf(nats, error, prefix + id);
          if (failure) return { type: 'unstored', reason: failure.message };
          reason = silent ? `bucket ${bucket} does not exist, or has no leader` : 'the server does not answer';
          const waited = performance.now() - started;
          if (silent && (gone || waited > SILENT_MS)) await requireThere();
          if (impatient() || waited > PATIENCE_MS || (silent && waited > SILENT_MS))
            return { type: 'unstored', reason };
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    },
  };
}

/** In the second of a move there may be none of this name, as there is no leader in that of an election. */
const isAbsent = (error: unknown): boolean =>
  isMissing(error) || (error instanceof OpsError && (error.code === 'NOT_FOUND' || error.code === 'CONN_NO_LEADER'));

/** The bucket is gone, under this name at least. */
export class BucketGone extends OpsError {
  constructor({ target }: Nats, bucket: string) {
    super('NOT_FOUND', `bucket ${bucket} is gone: no response can be stored`, {
      where: `${target.url}, account ${target.account}`,
      why: 'It was removed or got another name while this worker was at work. What was in hand is given back: each further try would use up a delivery of its request.',
      hints: [
        'start the worker with the bucket of now: --bucket NAME, or the spec of now',
        '`osapi-ops apply SPEC` makes what is missing',
      ],
    });
  }
}

const PASSING = new Set(['CONN_TIMEOUT', 'CONN_UNREACHABLE', 'CONN_NO_LEADER', 'CONN_NO_JETSTREAM']);
const isPassing = (error: unknown): boolean => error instanceof OpsError && PASSING.has(error.code);

const failureOf = (nats: Nats, error: unknown, subject: string): OpsError => failure(nats, error, subject, TRY_MS);
