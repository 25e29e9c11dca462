import { getSystemErrorMessage } from 'node:util';
import { printSize } from '../model/units.ts';

/** There is more in a file than anything that belongs there could hold: it was named by mistake, or never ends. */
export class TooLong extends Error {
  constructor(most: number) {
    super(`it has more than ${printSize(most)}`);
  }
}

/** What the operating system said, in its own words and with its code: `read-only file system (EROFS)`. */
export function systemReason(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return message;
  if (code === 'EISDIR') return 'it is a directory (EISDIR)';
  return errno === undefined ? code : `${getSystemErrorMessage(errno)} (${code})`;
}
