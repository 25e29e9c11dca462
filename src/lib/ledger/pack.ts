import { gunzipSync, gzipSync } from 'node:zlib';

/** A value as compressed JSON, cut into pieces of at most `size` bytes. One piece at least. */
export function pack(value: unknown, size: number): Uint8Array[] {
  const bytes = gzipSync(JSON.stringify(value));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** A small piece may unpack to more than there is memory. No spec has as much. */
const MOST_BYTES = 256 * 1024 * 1024;

/** The value of which `pack` made these pieces. Throws where they are not whole. */
export const unpack = (pieces: readonly Uint8Array[]): unknown =>
  JSON.parse(gunzipSync(Buffer.concat(pieces), { maxOutputLength: MOST_BYTES }).toString('utf8'));
