import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Line, readLines } from '../../../src/lib/requests/lines.ts';

async function linesOf(chunks: readonly Uint8Array[]): Promise<Line[]> {
  const found: Line[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const batch of readLines(source())) found.push(...batch);
  return found;
}

describe('the lines of a bulk', () => {
  test('are numbered as an editor does, empty ones left out', async () => {
    const text = Buffer.from('\uFEFF{"a":1}\n\n  \n{"b":2}\r\nlast');
    expect(await linesOf([text])).toEqual([
      { number: 1, text: '{"a":1}' },
      { number: 4, text: '{"b":2}\r' },
      { number: 5, text: 'last' },
    ]);
  });

  test('are the same however the bytes are cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' })),
        fc.array(fc.integer({ min: 1, max: 7 })),
        async (texts, sizes) => {
          const bytes = Buffer.from(texts.join('\n'));
          const pieces: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % Math.max(1, sizes.length)] ?? 3;
            pieces.push(bytes.subarray(at, at + size));
            at += size;
          }
          expect(await linesOf(pieces)).toEqual(await linesOf([bytes]));
        },
      ),
    );
  });
});
