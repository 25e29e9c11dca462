import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { ERR } from '../facts/err-codes.ts';
import { asBuffer } from '../model/bytes.ts';
import { type Config, isObject, objectOf } from '../model/json.ts';
import { ApiError, isApiError } from './api-error.ts';
import { isDisconnect, isNoRespondersError, isTimeoutError, requestFailure } from './errors.ts';
import type { Nats } from './port.ts';
import { type RawReply, wireOf } from './wire.ts';

/** The pause before something is asked again, in milliseconds. */
export const RETRY_MS = 100;

/** Why a request got no answer. */
export const failure = (
  { settings, target }: Nats,
  error: unknown,
  subject: string,
  waitedMs = settings.timeoutMs,
): OpsError => requestFailure(error, { subject, settings, jetstream: target.server.jetstream, waitedMs });

/** Does a read or a write that does no harm twice until it succeeds or the time, in milliseconds, is over. */
export async function retried<T>(
  nats: Nats,
  subject: string,
  work: () => Promise<T>,
  timeoutMs = nats.settings.timeoutMs,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (nats.signal.aborted) throw nats.signal.reason;
      const passing =
        isTimeoutError(error) ||
        isDisconnect(error) ||
        isNoRespondersError(error) ||
        isApiError(error, ERR.systemUnavailable);
      // A connection that is closed for good answers nothing more: whoever asked has gone home.
      if (!passing || nats.nc.isClosed() || performance.now() + RETRY_MS > until) throw failure(nats, error, subject);
      await sleep(RETRY_MS);
    }
  }
}

/** What a service that listens where JetStream should answers with. */
export const notJetStream = (subject: string, why: string): OpsError =>
  new OpsError('SERVER_REFUSED', 'what answered is not JetStream', {
    where: subject,
    why,
    hints: ['look for a service that listens on this subject'],
  });

/** What Go's quotes have and those of JSON have not; other escapes are passed over. */
const OF_GO = /\\(?:a|v|x([\da-f]{2})|U([\da-f]{8})|.)/gs;

/** Servers write the name of a stream into the ack of a publish in Go's quotes (2.15.1): `"ctl\a\x1b"` is no JSON. */
const fromGo = (text: string): string =>
  text.replace(OF_GO, (written, byte, point) => {
    if (written === '\\a') return '\\u0007';
    if (written === '\\v') return '\\u000b';
    if (byte !== undefined) return `\\u00${byte}`;
    const code = Number.parseInt(point, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : written;
  });

function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(fromGo(text));
  }
}

/** The JSON object of an answer. @throws OpsError SERVER_REFUSED where it is none */
export function readJson(subject: string, { data }: Pick<RawReply, 'data'>): Config {
  try {
    const answer = parseAnswer(asBuffer(data).toString('utf8'));
    if (isObject(answer)) return answer;
  } catch {
    // Told below.
  }
  throw notJetStream(subject, 'Its answer is no JSON object.');
}

/** The same, where it is no refusal. @throws ApiError where it is one */
export function readAnswer(subject: string, reply: Pick<RawReply, 'data'>): Config {
  const answer = readJson(subject, reply);
  if (answer.error !== undefined) throw new ApiError(subject, objectOf(answer.error));
  return answer;
}

/**
 * Asks the JetStream API to remove something. A try without an answer may have been carried out all the same, and what
 * stands there since be another's: it is sent again only where `isStill` has looked. `undefined` where what was meant is
 * not there any more.
 * @throws ApiError, OpsError CONN_*, DENIED_SUBJECT
 */
export function askRemoval(
  nats: Nats,
  name: string,
  body: object | undefined,
  isStill: () => Promise<boolean>,
  { timeoutMs = nats.settings.timeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<Config | undefined> {
  const subject = `${nats.settings.apiPrefix}.${name}`;
  let isAgain = false;
  const ask = async () => {
    if (isAgain && !(await isStill())) return undefined;
    isAgain = true;
    const payload = body ? JSON.stringify(body) : '';
    return readAnswer(subject, await wireOf(nats).ask(subject, payload, { timeoutMs: Math.max(1000, timeoutMs / 2) }));
  };
  return retried(nats, subject, ask, timeoutMs);
}
