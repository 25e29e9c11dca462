/** A development server that runs, as `dev`, `dev status` and `dev stop` print it. */
export interface DevServerInfo {
  readonly url: string;
  readonly urls: readonly string[];
  readonly port: number;
  readonly version: string;
  readonly binary: string;
  readonly data: string;
  readonly logs: readonly string[];
  /** HTTP base of each node's monitoring. */
  readonly monitor: readonly string[];
  readonly pids: readonly number[];
  /** ISO 8601. */
  readonly started: string;
  /** The name of the nats context that was written. */
  readonly context?: string;
}

/** The server together with the process of ours that watches over it. */
export interface DevReport extends DevServerInfo {
  readonly pid: number;
  /** Where data and state are. */
  readonly dir: string;
}
