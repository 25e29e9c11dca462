/** A line of a text, without its end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Characters that one line may have, and the error for one that has more; it gets the line's number. */
export interface Longest {
  readonly most: number;
  readonly fault: (number: number) => Error;
}

/**
 * The lines of a text that comes in pieces, piece by piece; empty ones are left out but counted.
 * Holds no more than one piece and one line. Throws the fault for a line that is too long.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, { most, fault }: Longest): AsyncGenerator<Line[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: false });
  let begun: string[] = [];
  let length = 0;
  let number = 0;
  for await (const chunk of chunks) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n');
    const last = parts.pop()!;
    const lines: Line[] = [];
    for (const part of parts) {
      number += 1;
      if (length + part.length > most) throw fault(number);
      const text = begun.length > 0 ? begun.join('') + part : part;
      [begun, length] = [[], 0];
      if (text.trim() !== '') lines.push({ number, text });
    }
    begun.push(last);
    length += last.length;
    if (length > most) throw fault(number + 1);
    if (lines.length > 0) yield lines;
  }
  const text = begun.join('') + decoder.decode();
  if (text.trim() !== '') yield [{ number: number + 1, text }];
}
