import { closeSync, constants, createReadStream, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { TooLong } from '../errors/system-error.ts';

const PIECE = 256 * 1024;

/** A file in pieces, whatever it is: a device and a FIFO, too. Throws the system's errors. */
export async function* readPieces(path: string): AsyncGenerator<Buffer> {
  if (!(await stat(path)).isFIFO()) return yield* createReadStream(path, { highWaterMark: PIECE });
  // Until somebody writes, `open` would hold a thread, and with it the end of the process.
  const { Socket } = await import('node:net');
  yield* new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
}

/** All the pieces together. @throws TooLong as soon as there are more than `most` bytes */
export async function gatherPieces(pieces: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const found: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.byteLength;
    if (size > most) throw new TooLong(most);
    found.push(piece);
  }
  return Buffer.concat(found);
}

/** The whole of a file. Throws TooLong, or the system's error. */
export const readWhole = (path: string, most: number): Promise<Buffer> => gatherPieces(readPieces(path), most);

/** The same at once, for what is small. */
export function readWholeSync(path: string, most: number): Buffer {
  const bytes = Buffer.alloc(most + 1);
  const file = openSync(path, 'r');
  try {
    let size = 0;
    for (let got = -1; got !== 0 && size <= most; size += got)
      got = readSync(file, bytes, size, bytes.length - size, null);
    if (size > most) throw new TooLong(most);
    return bytes.subarray(0, size);
  } finally {
    closeSync(file);
  }
}
