import { ERR } from './err-codes.ts';

/**
 * What is full, by the server's answer: the account's storage, the server's, one stream, or the disk. Measured on
 * 2.10.26 and 2.15.1: a full account answers 10002 to publishes, deletes and purges go on; a disk is told of in the text
 * of codes that mean other things as well.
 */
export type NoRoom = 'account' | 'server' | 'stream' | 'disk';

export function noRoomOf(errCode: number, description: string): NoRoom | undefined {
  if (/no space left on device|disk quota exceeded/i.test(description)) return 'disk';
  switch (errCode) {
    case ERR.accountResources:
      return 'account';
    case ERR.insufficientResources:
    case ERR.memoryResources:
    case ERR.storageResources:
      return 'server';
    // A stream cannot be made where its folder cannot: the disk is full, or may not be written. The server says no more.
    case ERR.storeNotMade:
      return /\bstore\b/.test(description) ? 'disk' : undefined;
    case ERR.storeFailed:
      return /^maximum (?:messages|bytes)/.test(description) ? 'stream' : undefined;
    default:
      return undefined;
  }
}

const PURGE = '`osapi-ops dlq purge` archives dead letters and deletes them, which needs no room';

/** What to do about it. */
export const ROOM_HINTS: Readonly<Record<NoRoom, readonly string[]>> = {
  account: [
    PURGE,
    'or raise the limit of the account: `max_file` (`max_mem`) in the configuration of the server, or `nsc edit account NAME --js-disk-storage 10G`',
  ],
  server: [
    PURGE,
    'or lower max_bytes, or raise the limit of the account (`max_file`, `max_mem`) or of the server (`max_file_store`, `max_memory_store`)',
  ],
  stream: ['raise its limit, or remove what it holds: `nats stream edit STREAM --max-bytes 10GB`'],
  disk: [
    'free space on the disk of the server, where its `store_dir` is; a stream of 2.15 that met it takes nothing again until the server is restarted',
  ],
};
