/** Exit codes, as the contract has them. */
export const EXIT = {
  done: 0,
  failed: 1,
  pending: 2,
  usage: 64,
  invalidSpec: 65,
  unavailable: 69,
  bug: 70,
  held: 75,
  denied: 77,
  interrupted: 130,
} as const;

/** Every code a user can meet, with the exit code of the process. docs/errors.md has a paragraph for each. */
export const CODES = {
  USAGE: EXIT.usage,
  USAGE_AMBIGUOUS_SPEC: EXIT.usage,
  USAGE_NO_SPEC: EXIT.usage,
  USAGE_FILE: EXIT.usage,
  SPEC_INVALID: EXIT.invalidSpec,
  SPEC_UNREADABLE: EXIT.invalidSpec,
  PLAN_UNREADABLE: EXIT.invalidSpec,
  PLAN_STALE: EXIT.held,
  PLAN_REFUSED: EXIT.failed,
  APPLY_FAILED: EXIT.failed,
  APPLY_NOT_TAKEN: EXIT.failed,
  RISK_REFUSED: EXIT.failed,
  NOT_CONFIRMED: EXIT.failed,
  NOT_FOUND: EXIT.failed,
  CONN_UNREACHABLE: EXIT.unavailable,
  CONN_TLS: EXIT.unavailable,
  CONN_NO_JETSTREAM: EXIT.unavailable,
  CONN_TIMEOUT: EXIT.unavailable,
  CONN_NO_LEADER: EXIT.unavailable,
  CONN_CONTEXT: EXIT.usage,
  LOCK_HELD: EXIT.held,
  DENIED_CREDENTIALS: EXIT.denied,
  DENIED_SUBJECT: EXIT.denied,
  SERVER_REFUSED: EXIT.failed,
  SERVER_TOO_OLD: EXIT.failed,
  DEV_NO_SERVER: EXIT.unavailable,
  DEV_FAILED: EXIT.failed,
  INTERRUPTED: EXIT.interrupted,
  BUG: EXIT.bug,
} as const satisfies Record<string, number>;

export type Code = keyof typeof CODES;
