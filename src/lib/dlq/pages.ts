import type { StoredMessage } from '../model/message.ts';

/** How many messages a page should hold: enough to join them with their originals in one go. */
export const PAGE = 1000;

/** More than this in one window, and the window is halved and read again: what a page holds stays bounded. */
const OVERFULL = 4 * PAGE;
/** A window grows at most so much from one to the next. */
const GROWTH = 16;

type Read = (from: number, until: number) => AsyncIterable<StoredMessage>;

/** The messages from `first` to `last` in pages, oldest first. */
export async function* forward(read: Read, first: number, last: number): AsyncGenerator<StoredMessage[]> {
  let page: StoredMessage[] = [];
  for await (const message of read(first, last)) {
    page.push(message);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/**
 * The same, newest first. Streams are read forwards only, so windows of sequences are read from the end; a window's
 * width follows how many of its sequences are still stored.
 */
export async function* backward(read: Read, first: number, last: number): AsyncGenerator<StoredMessage[]> {
  let width = PAGE;
  for (let end = last; end >= first; ) {
    const start = Math.max(first, end - width + 1);
    const page = await readWindow(read, start, end);
    if (!page) {
      width = Math.max(PAGE, Math.floor(width / GROWTH));
      continue;
    }
    if (page.length > 0) yield page.reverse();
    end = start - 1;
    const stored = page.length / width;
    width = Math.floor(Math.max(PAGE, Math.min(width * GROWTH, stored > 0 ? PAGE / stored : width * GROWTH)));
  }
}

async function readWindow(read: Read, start: number, end: number): Promise<StoredMessage[] | undefined> {
  const page: StoredMessage[] = [];
  for await (const message of read(start, end)) {
    page.push(message);
    if (page.length > OVERFULL) return undefined;
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
