/** What is known of a key of the spec. */
export interface Explanation {
  /** As `queues.NAME.consumers.NAME.backoff`. */
  readonly path: string;
  readonly type: string;
  readonly doc: string;
  readonly required: boolean;
  /** Of a field of the server's: what it fills in where the spec leaves it out. */
  readonly default?: string;
  /** The server lines that have it. */
  readonly since?: string;
  readonly until?: string;
  /** How the server takes another value. */
  readonly changes?: readonly { readonly when: string; readonly in_place: boolean; readonly note: string }[];
  /** Whether a lower value can delete messages. */
  readonly may_delete?: boolean;
  readonly also_understood: readonly string[];
  /** The document or measurement that says so. */
  readonly source?: string;
  /** The keys below it. */
  readonly keys: readonly { readonly name: string; readonly type: string; readonly doc: string }[];
}
