import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Line, readLines } from '../../../src/lib/files/lines.ts';

class TooLong extends Error {}
const fault = (line: number) => new TooLong(`line ${line}`);

async function linesOf(chunks: readonly Uint8Array[], most = 1000): Promise<Line[]> {
  const found: Line[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const batch of readLines(source(), { most, fault })) found.push(...batch);
  return found;
}

describe('the lines of a text', () => {
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

  test.each([
    { name: 'in one piece', pieces: ['ab\n12345\nc'] },
    { name: 'cut', pieces: ['ab\n12', '345', '\nc'] },
    { name: 'without an end', pieces: ['ab\n', '12345'] },
    { name: 'as the first', pieces: ['12345', '\nc'], line: 1 },
  ])('may be as long as is said, and not one character longer: $name', async ({ pieces, line = 2 }) => {
    const bytes = pieces.map((piece) => Buffer.from(piece));
    expect((await linesOf(bytes, 6)).map(({ text }) => text)).toContain('12345');
    expect((await linesOf(bytes, 5)).map(({ text }) => text)).toContain('12345');
    await expect(linesOf(bytes, 4)).rejects.toThrow(`line ${line}`);
  });

  test('are not gathered without end', async () => {
    let given = 0;
    async function* endless() {
      for (;;) {
        given += 1;
        yield Buffer.alloc(1024);
      }
    }
    const all = async () => {
      for await (const _ of readLines(endless(), { most: 10_000, fault }));
    };
    await expect(all()).rejects.toThrow('line 1');
    expect(given).toBe(10);
  });
});
