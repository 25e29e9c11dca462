import { OpsError } from '../errors/ops-error.ts';
import { isObject, parseExact } from '../model/json.ts';
import { requireRequestId } from './id.ts';

export interface Body {
  readonly id: string;
  readonly payload: string;
}

export interface BodyOptions {
  /** `--id`; the payload must not say another. */
  readonly id?: string;
  /** Makes an id where neither says one. */
  readonly fresh: () => string;
  /** For errors: `line 3 of requests.ndjson`, `the argument JSON`. */
  readonly where: string;
}

/**
 * The payload of a request with its id in it. What was written stays as it was written, digit for digit: only the id
 * is put in, in front.
 * @throws OpsError REQUEST_INVALID
 */
export function withId(text: string, { id, fresh, where }: BodyOptions): Body {
  const written = text.trim();
  const body = parseObject(written, where);
  const own = ownId(body.id, where);
  if (own !== undefined) {
    if (id !== undefined && id !== own) {
      throw new OpsError('REQUEST_INVALID', `the payload has the id ${own}, and --id says ${id}`, {
        where,
        why: 'The worker answers under the id of the payload: nobody would find the response under the other.',
        hints: ['leave --id out, or take the id out of the payload'],
      });
    }
    return { id: requireRequestId(own, where), payload: written };
  }
  const made = requireRequestId(id ?? fresh(), where);
  const inner = written.slice(1).trimStart();
  return { id: made, payload: `{"id":${JSON.stringify(made)}${inner.startsWith('}') ? '' : ','}${inner}` };
}

function parseObject(text: string, where: string): { readonly [key: string]: unknown } {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (error) {
    throw new OpsError('REQUEST_INVALID', 'the payload is not JSON', {
      where,
      why: `${(error as Error).message}.`,
      hints: [`write it as '{"query":"example.com"}'`, 'give --raw to send any bytes as they are'],
      cause: error,
    });
  }
  if (isObject(value)) return value;
  throw new OpsError('REQUEST_INVALID', 'the payload is JSON, but no object', {
    where,
    why: 'A request carries its id as a field, so that a worker can answer it.',
    hints: [`write it as '{"query":"example.com"}'`, 'give --raw to send it as it is'],
  });
}

/** The id that a payload says itself; `undefined` where it has none. */
function ownId(value: unknown, where: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  throw new OpsError('REQUEST_INVALID', 'the id in the payload is neither a text nor a whole number', {
    where,
    why: `It is ${JSON.stringify(value)?.slice(0, 80)}.`,
    hints: ['write a text, or leave it out: a fresh one is made'],
  });
}
