/** A request as its sender wrote it, with the id it is answered under. */
export interface HandlerRequest {
  readonly id: string;
  readonly query?: unknown;
  readonly [field: string]: unknown;
}

/** What a handler knows of a request beyond what is in it, and what else it can do than answer. */
export interface HandlerContext {
  readonly subject: string;
  /** Repeated headers have several values. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The payload as it came. */
  readonly payload: Uint8Array;
  /** 1 for the first delivery. */
  readonly delivery: number;
  /** How many deliveries there are before the request is dead; 0 where there is no end. */
  readonly maxDeliver: number;
  readonly stream: string;
  readonly consumer: string;
  /** The sequence in the stream. */
  readonly seq: number;
  /** ISO 8601. */
  readonly publishedAt: string;
  /** Milliseconds since 1970 when the handler is stopped. */
  readonly deadline: number;
  /** The trace that the request is a part of, as its W3C header has it. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** Ends this run: the request is delivered again after the consumer's backoff, or after `delayMs`. */
  retry(reason?: string, options?: { readonly delayMs?: number }): never;
  /** Ends the request: it goes to the dead letters with this reason, its payload kept. */
  reject(reason: string): never;
  /** Writes a line of the worker's log. */
  log(message: string): void;
}

/** A text or bytes are stored as they are, anything else as JSON. */
export type HandlerResponse =
  | string
  | Uint8Array
  | number
  | boolean
  | null
  | readonly unknown[]
  | { readonly [field: string]: unknown };

/**
 * The default export of a module given to `worker run --handler`. Whatever it throws is a failure: the request is
 * delivered again as the consumer's backoff says. It runs beside others in a thread, as many at once as `--concurrency`
 * says; where that thread is lost, those that had begun in it are run again.
 */
export type Handler = (request: HandlerRequest, context: HandlerContext) => HandlerResponse | Promise<HandlerResponse>;
