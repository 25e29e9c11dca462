/** What is used of JetStream, and how much of it may be; -1 is unlimited. */
export interface Usage {
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

/** The same of an account. */
export interface AccountUsage extends Usage {
  /**
   * By tier (`R1`, `R3`), where the account has limits for each number of replicas: then it has none as a whole, and no
   * stream of another number.
   */
  readonly tiers?: Readonly<Record<string, Usage>>;
}

/** What has limits of its own, with words for it: the account, or each of its tiers. */
export const limitedParts = (account: AccountUsage): readonly { readonly of: string; readonly usage: Usage }[] =>
  account.tiers
    ? Object.entries(account.tiers).map(([tier, usage]) => ({ of: ` of tier ${tier}`, usage }))
    : [{ of: '', usage: account }];
