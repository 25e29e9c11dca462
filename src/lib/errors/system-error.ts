import { getSystemErrorMessage } from 'node:util';

/** What the operating system said, in its own words and with its code: `read-only file system (EROFS)`. */
export function systemReason(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return message;
  return errno === undefined ? code : `${getSystemErrorMessage(errno)} (${code})`;
}
