import { OpsError } from '../errors/ops-error.ts';
import { isKvKey } from '../facts/kv-key.ts';

/** True for what a request can have as id: its response is stored under it, as a key of a bucket. */
export const isRequestId = isKvKey;

/** @throws OpsError REQUEST_INVALID */
export function requireRequestId(id: string, where: string): string {
  if (isRequestId(id)) return id;
  throw new OpsError('REQUEST_INVALID', `${JSON.stringify(id.slice(0, 80))} cannot be the id of a request`, {
    where,
    why: 'Its response is stored under the id in a KV bucket, which takes letters, digits and - / _ = . and no dot at an end.',
    hints: ['use a UUID', 'leave the id out: a fresh one is made'],
  });
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A UUID of version 7: sorts by time, `nowMs` in its first 48 bits. `random` holds at least 10 bytes. */
export function uuidV7(nowMs: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  let rest = Math.floor(nowMs);
  for (let at = 5; at >= 0; at--) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const text = hex(bytes);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

const V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** When a UUID of version 7 was made, in milliseconds since 1970; `undefined` for any other id. */
export function timeOfId(id: string): number | undefined {
  const match = V7.exec(id);
  return match ? Number.parseInt(match[1]! + match[2]!, 16) : undefined;
}
