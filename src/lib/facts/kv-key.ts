/** What every client of a KV bucket takes as a key; the server itself stores more. */
const KEY = /^[-/_=a-zA-Z0-9]+(?:\.[-/_=a-zA-Z0-9]+)*$/;
/** Longer keys make subjects that come near the server's limit of a control line (4 KiB). */
const LONGEST = 512;

/** True for what a KV bucket can hold as a key. */
export const isKvKey = (key: string): boolean => key.length <= LONGEST && KEY.test(key);
