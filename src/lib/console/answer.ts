import { EXIT } from '../errors/codes.ts';
import { OpsError } from '../errors/ops-error.ts';
import { shellLine } from '../model/shell.ts';
import type { CommandLine, WireError } from '../model/wire.ts';
import { errorJson } from '../ui/render/error.ts';

export const lineOf = (argv: readonly string[]): CommandLine => ({ argv, text: shellLine(argv) });

export interface Failure {
  readonly error: WireError;
  /** What was done by then. */
  readonly result?: object;
  readonly exit?: number;
}

/**
 * A failure in all its parts, as a page draws it; what `--json` has of it is in it as it stands there. `lead` makes its
 * lines lead to the same server.
 */
export function failureJson(fault: unknown, lead = (text: string) => text): Failure {
  if (!(fault instanceof OpsError)) return errorJson(fault);
  const error = fault.worded(lead);
  const shape = errorJson(error);
  const { where, why, hints, problems, exitCode: exit } = error;
  const { error: told, ...result } = shape;
  return {
    ...(Object.keys(result).length > 0 && { result }),
    exit,
    error: {
      ...told,
      ...(where !== undefined && { where }),
      ...(why !== undefined && { why }),
      hints,
      ...(problems.length > 0 && {
        problems: problems.map(({ severity, path, why: reason, ...problem }) => ({ ...problem, path, why: reason })),
      }),
    },
  };
}

const BY_CODE: Partial<Record<OpsError['code'], number>> = {
  NOT_FOUND: 404,
  CONSOLE_SESSION: 401,
  CONSOLE_LIMIT: 429,
  CONSOLE_TOO_LARGE: 413,
  CONSOLE_EXPIRED: 410,
  INTERRUPTED: 409,
};
const BY_EXIT: Readonly<Record<number, number>> = {
  [EXIT.usage]: 400,
  [EXIT.unavailable]: 503,
  [EXIT.held]: 409,
  [EXIT.denied]: 403,
  [EXIT.bug]: 500,
};

/** The status of an answer that tells of this failure. */
export const statusOf = (error: unknown): number =>
  error instanceof OpsError ? (BY_CODE[error.code] ?? BY_EXIT[error.exitCode] ?? 422) : 500;
