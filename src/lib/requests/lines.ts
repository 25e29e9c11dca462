import { OpsError } from '../errors/ops-error.ts';
import { type Line, readLines } from '../files/lines.ts';

/** No server takes a message of this many bytes: the input is no request, or no NDJSON. */
export const LARGEST_PAYLOAD = 64 * 1024 * 1024;

const fault = (number: number): OpsError =>
  new OpsError('REQUEST_INVALID', `line ${number} has no end`, {
    why: `It is longer than ${LARGEST_PAYLOAD} characters: this is not one JSON object on each line.`,
    hints: ['write each request on a line of its own, as `jq -c` does'],
  });

/** The lines of a bulk. @throws OpsError REQUEST_INVALID for a line without end */
export const readBulk = (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> =>
  readLines(chunks, { most: LARGEST_PAYLOAD, fault });
