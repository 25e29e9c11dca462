/** Who does something, and where. */
export interface Actor {
  readonly who: string;
  readonly host: string;
  readonly pid: number;
  /** The CI run's page, or its name where there is no page. */
  readonly ci?: string;
}

/** One thing somebody did. */
export interface HistoryRecord extends Actor {
  /** Sorts by time. */
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly system: string;
  /** `apply`, `destroy`, `replay`, `purge`, … */
  readonly verb: string;
  readonly tool: string;
  /** The server's version. */
  readonly server: string;
  /** One sentence with its figures. */
  readonly summary: string;
  readonly detail?: unknown;
}
