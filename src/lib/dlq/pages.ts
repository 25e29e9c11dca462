import type { StoredMessage } from '../model/message.ts';
import { inOrder } from '../nats/pipeline.ts';

/** How many messages a page should hold at most: enough to join them with their originals in one go. */
export const PAGE = 1000;
/** How many bytes of messages a page should hold. */
const PAGE_BYTES = 16 * 1024 * 1024;
/** So many pages, and bytes of them, are on their way at once. */
const AT_ONCE = 8;
const BYTES_AT_ONCE = 32 * 1024 * 1024;

/** What is known of a stream, or of a part of it, before it is read. */
export interface Extent {
  readonly first: number;
  readonly last: number;
  /** As many as are stored between them; where that is not known, one on each sequence. */
  readonly messages?: number;
  readonly bytes?: number;
}

const bytesOf = ({ messages = 1, bytes = 0 }: Pick<Extent, 'messages' | 'bytes'>): number =>
  Math.max(1, bytes / Math.max(1, messages));

/** How many messages of a stream with these figures make a page: fewer where they are large. */
export const pageOf = (figures: Pick<Extent, 'messages' | 'bytes'>): number =>
  Math.max(8, Math.min(PAGE, Math.floor(PAGE_BYTES / bytesOf(figures))));

/** How many of its pages may be on their way at once. */
export const pagesAtOnce = (figures: Pick<Extent, 'messages' | 'bytes'>): number =>
  Math.max(1, Math.min(AT_ONCE, Math.floor(BYTES_AT_ONCE / (bytesOf(figures) * pageOf(figures)))));

/** So many pages in one window, and the window is parted and read again: what a page holds stays bounded. */
const OVERFULL = 4;
/** A window grows at most so much from one to the next. */
const GROWTH = 16;

type Read = (from: number, until: number) => AsyncIterable<StoredMessage>;
export type Order = 'oldest' | 'newest';

/**
 * The messages of a stream in pages. Streams are read forwards only, so windows of sequences are read, several at once;
 * a window's width follows how many of its sequences are still stored.
 */
export async function* pagesOf(
  read: Read,
  extent: Extent,
  order: Order,
  { size = pageOf(extent), atOnce = pagesAtOnce(extent) }: { readonly size?: number; readonly atOnce?: number } = {},
): AsyncGenerator<StoredMessage[]> {
  const { first, last } = extent;
  const span = last - first + 1;
  let density = Math.min(1, Math.max(extent.messages ?? span, 1) / Math.max(1, span));
  function* windows(): Generator<[start: number, end: number]> {
    let left = span;
    while (left > 0) {
      const width = Math.min(left, Math.max(size, Math.floor(size / density)));
      const start = order === 'oldest' ? last - left + 1 : first + left - width;
      left -= width;
      yield [start, start + width - 1];
    }
  }
  const readOne = async ([start, end]: [number, number]) => {
    const page = await readWindow(read, start, end, OVERFULL * size);
    return { start, end, page };
  };
  for await (const { start, end, page } of inOrder(windows(), atOnce, readOne)) {
    const width = end - start + 1;
    if (page) {
      density = Math.max(page.length / width, density / GROWTH);
      if (page.length > 0) yield order === 'oldest' ? page : page.reverse();
      continue;
    }
    density = Math.min(1, (size * GROWTH) / width);
    yield* pagesOf(read, { first: start, last: end, messages: width * density }, order, { size, atOnce: 1 });
  }
}

async function readWindow(read: Read, start: number, end: number, most: number): Promise<StoredMessage[] | undefined> {
  const page: StoredMessage[] = [];
  for await (const message of read(start, end)) {
    page.push(message);
    if (page.length > most) return undefined;
  }
  return page;
}
