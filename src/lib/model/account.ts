/** What an account uses of JetStream, and how much of it it may; -1 is unlimited. */
export interface AccountUsage {
  readonly storage: number;
  readonly memory: number;
  /** What the `max_bytes` of its streams set aside, in bytes. */
  readonly reserved_storage: number;
  readonly reserved_memory: number;
  readonly streams: number;
  readonly consumers: number;
  readonly limits: {
    readonly max_storage: number;
    readonly max_memory: number;
    readonly max_streams: number;
    readonly max_consumers: number;
  };
}
