/** Where lines go: stdout, or a file. */
export interface LineSink {
  write(text: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Writes of this many characters at once: a system call for each line would take longer than the work. */
const CHUNK = 64 * 1024;
/** A reader should not wait longer than this for what is there, in milliseconds. */
const PATIENCE = 100;

/** Prints many lines with few writes, the first one at once, and waits where the reader is slower than we. */
export function createLineWriter(sink: LineSink): {
  line(text: string): Promise<void> | undefined;
  end(): Promise<void>;
} {
  let buffer = '';
  let last = Number.NEGATIVE_INFINITY;
  const flush = (): Promise<void> | undefined => {
    const text = buffer;
    buffer = '';
    last = performance.now();
    if (text === '' || sink.write(text)) return undefined;
    return new Promise((resolve) => sink.once('drain', resolve));
  };
  return {
    line(text) {
      buffer += `${text}\n`;
      return buffer.length >= CHUNK || performance.now() - last > PATIENCE ? flush() : undefined;
    },
    async end() {
      await flush();
    },
  };
}
