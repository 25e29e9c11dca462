import type { Position } from '../model/resource.ts';
import { CODES, type Code } from './codes.ts';
import { conceal, concealAll } from './conceal.ts';

/** One of several faults told at once, as those of a spec. `code` is a stable rule id. */
export interface Problem extends Partial<Position> {
  readonly code: string;
  readonly severity?: 'error' | 'warning';
  /** The place in the spec, as `queues.REQUESTS.consumers.request-worker.backoff`. */
  readonly path?: string;
  readonly message: string;
  readonly why?: string;
  readonly hint?: string;
}

export interface ErrorParts {
  /** Where: `config/prod.yaml:24:5`, or the NATS subject. */
  readonly where?: string | undefined;
  readonly why?: string | undefined;
  /** What to do, one sentence each. */
  readonly hints?: readonly string[];
  readonly problems?: readonly Problem[];
  /** A result to print under `--json` beside the error, such as a half-applied plan. */
  readonly result?: unknown;
  readonly cause?: unknown;
}

/**
 * The one error a user meets: what happened, where, why, what to do; no secret is in its words. Anything else that is
 * thrown is a bug of ours.
 */
export class OpsError extends Error {
  readonly code: Code;
  readonly where: string | undefined;
  readonly why: string | undefined;
  readonly hints: readonly string[];
  readonly problems: readonly Problem[];
  readonly result: unknown;

  constructor(code: Code, message: string, parts: ErrorParts = {}) {
    super(conceal(message), { cause: parts.cause });
    this.name = 'OpsError';
    this.code = code;
    this.where = concealAll(parts.where);
    this.why = concealAll(parts.why);
    this.hints = concealAll(parts.hints ?? []);
    this.problems = concealAll(parts.problems ?? []);
    this.result = parts.result;
  }

  /** The same fault told with more, such as what was done before it. */
  with({
    code = this.code,
    message = this.message,
    ...parts
  }: ErrorParts & { code?: Code; message?: string }): OpsError {
    const { where, why, hints, problems, result } = this;
    return new OpsError(code, message, { where, why, hints, problems, result, cause: this, ...parts });
  }

  /** The same with each of its texts, those of its problems too, as `words` has them. */
  worded(words: (text: string) => string): OpsError {
    const text = (value: string | undefined) => (value === undefined ? undefined : words(value));
    return this.with({
      message: words(this.message),
      where: text(this.where),
      why: text(this.why),
      hints: this.hints.map(words),
      problems: this.problems.map(({ message, why, hint, ...problem }) => ({
        ...problem,
        message: words(message),
        ...(why !== undefined && { why: words(why) }),
        ...(hint !== undefined && { hint: words(hint) }),
      })),
    });
  }

  get exitCode(): number {
    return CODES[this.code];
  }
}
