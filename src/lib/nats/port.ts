import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { Config } from '../model/json.ts';
import type { Target } from '../model/resource.ts';
import type { Gate } from './gate.ts';
import type { Settings } from './settings.ts';

export interface RequestOptions {
  /** How long in all, retries included; the settings' timeout where it is left out. */
  readonly timeoutMs?: number;
  readonly headers?: MsgHdrs;
  /** Goes on to its end though the run was interrupted: for a write whose fate must be known. */
  readonly finish?: boolean;
  /** Takes "no responders" as an answer at once: for subjects that only exist where a stream does. */
  readonly mayBeAbsent?: boolean;
}

/** A connection, and the JetStream API through it. Every failure that leaves here is an OpsError. */
export interface Nats {
  readonly target: Target;
  readonly settings: Settings;
  readonly nc: NatsConnection;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /**
   * Asks the JetStream API: `api('STREAM.INFO.REQUESTS')`. Retries while JetStream starts or elects a leader; but what
   * removes is sent once.
   * @throws ApiError where the server answers with an error; OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
   */
  api(subject: string, body?: object, options?: RequestOptions): Promise<Config>;
  /** One request on any subject, without retries. @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED */
  request(subject: string, payload?: string | Uint8Array, options?: RequestOptions): Promise<Msg>;
  kv(bucket: string): Kv;
  /** To be called right before anything is handed to the client. @throws what the gate throws, for a write */
  mayAsk(subject: string): void;
  /** The same connection, whose writes leave only while the gate holds. */
  behind(gate: Gate): Nats;
  /** Drops the connection with all that waits to be sent; it comes back by itself. */
  cut(): void;
  /** Work that nothing waits for but `close`, such as the last notes of a command: they go side by side. It never fails. */
  leave(work: Promise<void>): void;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Only by the stream's leader, which knows all that is confirmed; replicas may be a little behind. Slower. */
  readonly fromLeader?: boolean;
  /** Also after Ctrl-C, as part of what ends. */
  readonly finish?: boolean;
}

/** One stored value of a key. */
export interface KvEntry {
  readonly key: string;
  /** Empty where `deleted`. */
  readonly value: Uint8Array;
  /** True for the marker that a deletion leaves. */
  readonly deleted: boolean;
  /** The stream's sequence: grows with every write of the bucket. */
  readonly revision: number;
  /** RFC 3339, the server's clock. */
  readonly created: string;
}

/** What a put may say beyond a request. */
export interface PutOptions extends RequestOptions {
  /** After so many seconds the value is gone, where the bucket has allow_msg_ttl; refused (10166) where it has not. */
  readonly ttlSeconds?: number;
  /** The key's earlier values go. */
  readonly alone?: boolean;
}

/**
 * A KV bucket through plain requests: one round trip for each call, no consumer, and permission faults that name
 * their subject. Keys must be valid keys; nothing here checks them.
 */
export interface Kv {
  /** The newest value; `undefined` where the key, or the bucket, does not exist. */
  get(key: string, options?: ReadOptions): Promise<KvEntry | undefined>;
  /** The same, with the marker of a deletion where there is one. */
  latest(key: string, options?: ReadOptions): Promise<KvEntry | undefined>;
  put(key: string, value: string | Uint8Array, options?: PutOptions): Promise<number>;
  /** Writes where the key's revision still is `revision` (0: it was never written). `undefined` where it is not. */
  update(
    key: string,
    value: string | Uint8Array,
    revision: number,
    options?: RequestOptions,
  ): Promise<number | undefined>;
  /** Leaves a marker that the key is deleted; with a revision only where it still has it. */
  delete(key: string, revision?: number, options?: RequestOptions): Promise<number | undefined>;
  /** Keys that match a NATS wildcard pattern, deleted ones among them, sorted. None where the bucket does not exist. */
  keys(pattern: string): Promise<string[]>;
  /** The newest values of keys that match, sorted by key; none of a deleted one. */
  values(pattern: string): Promise<KvEntry[]>;
}
