/** A message as a stream keeps it. Nothing in it is decoded: a copy made of it is the same byte for byte. */
export interface StoredMessage {
  readonly stream: string;
  readonly seq: number;
  readonly subject: string;
  /** RFC 3339 with nanoseconds, the server's clock when it was stored. */
  readonly time: string;
  /** The header block from `NATS/1.0` to its empty line; no bytes where the message has no headers. */
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

/**
 * A message as it was seen, so that no other is ever taken for it: a stream that was made anew counts from 1 again, and
 * a server that lost its last writes gives their sequences to others.
 */
export interface Seen {
  readonly stream: string;
  /** RFC 3339: when the stream was made; empty where nobody wrote it down. */
  readonly created: string;
  readonly seq: number;
  /** RFC 3339, as `StoredMessage` has it. */
  readonly time: string;
}
