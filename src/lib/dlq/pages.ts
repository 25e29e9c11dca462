import type { StoredMessage } from '../model/message.ts';

/** How many messages a page should hold at most: enough to join them with their originals in one go. */
export const PAGE = 1000;
/** How many bytes of messages a page should hold. */
const PAGE_BYTES = 16 * 1024 * 1024;

/** How many messages of a stream with these figures make a page: fewer where they are large. */
export const pageOf = ({ messages, bytes }: { readonly messages: number; readonly bytes: number }): number =>
  Math.max(8, Math.min(PAGE, Math.floor(PAGE_BYTES / Math.max(1, bytes / Math.max(1, messages)))));

/** So many pages in one window, and the window is parted and read again: what a page holds stays bounded. */
const OVERFULL = 4;
/** A window grows at most so much from one to the next. */
const GROWTH = 16;

type Read = (from: number, until: number) => AsyncIterable<StoredMessage>;

/** The messages from `first` to `last` in pages, oldest first. */
export async function* forward(read: Read, first: number, last: number, size = PAGE): AsyncGenerator<StoredMessage[]> {
  let page: StoredMessage[] = [];
  for await (const message of read(first, last)) {
    page.push(message);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/**
 * The same, newest first. Streams are read forwards only, so windows of sequences are read from the end; a window's
 * width follows how many of its sequences are still stored.
 */
export async function* backward(read: Read, first: number, last: number, size = PAGE): AsyncGenerator<StoredMessage[]> {
  let width = size;
  for (let end = last; end >= first; ) {
    const start = Math.max(first, end - width + 1);
    const page = await readWindow(read, start, end, OVERFULL * size);
    if (!page) {
      width = Math.max(size, Math.floor(width / GROWTH));
      continue;
    }
    if (page.length > 0) yield page.reverse();
    end = start - 1;
    const stored = page.length / width;
    width = Math.floor(Math.max(size, Math.min(width * GROWTH, stored > 0 ? size / stored : width * GROWTH)));
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

/** Reads one page ahead, so that the network works while we do. */
export async function* ahead<T>(pages: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = pages.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = pages.next();
      // Whoever stops early leaves this page behind; its failure is nobody's.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await pages.return(undefined);
  }
}
