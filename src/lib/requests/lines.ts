import { OpsError } from '../errors/ops-error.ts';

/** A line of a bulk, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** No server takes a message of this many characters: the input is no NDJSON. */
const LONGEST = 64 * 1024 * 1024;

/**
 * The lines of a text that comes in pieces, piece by piece; empty ones are left out but counted.
 * Holds no more than one piece and one line.
 * @throws OpsError REQUEST_INVALID for a line without end
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: false });
  let rest = '';
  let number = 0;
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop()!;
    if (rest.length > LONGEST) {
      throw new OpsError('REQUEST_INVALID', `line ${number + parts.length + 1} has no end`, {
        why: `It is longer than ${LONGEST} characters: this is not one JSON object on each line.`,
        hints: ['write each request on a line of its own, as `jq -c` does'],
      });
    }
    const lines: Line[] = [];
    for (const text of parts) {
      number += 1;
      if (text.trim() !== '') lines.push({ number, text });
    }
    if (lines.length > 0) yield lines;
  }
  const last = rest + decoder.decode();
  if (last.trim() !== '') yield [{ number: number + 1, text: last }];
}
