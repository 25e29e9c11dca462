// The parser takes `--queue=--json` and `--queue=-fish` for two flags each. A mark before such a value keeps it one.

/** Of a private area: nobody types it. */
const MARK = '\u{f8ff}';

/** A line whose values that look like flags are marked. */
export function markValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, at) =>
    end >= 0 && at > end ? word : word.replace(/^(--[a-z][\w-]*=)(?=--?[a-z])/i, `$1${MARK}`),
  );
}

const unmark = (value: unknown): unknown => {
  if (typeof value === 'string') return value.startsWith(MARK) ? value.slice(MARK.length) : value;
  return Array.isArray(value) ? value.map(unmark) : value;
};

/** What was parsed, without the marks. */
export const unmarkFlags = <T extends object>(flags: T): T =>
  Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, unmark(value)])) as T;

/** The same of what the parser says of it. */
export function unmarkError(error: unknown): unknown {
  if (error instanceof Error) error.message = error.message.replaceAll(MARK, '');
  return error;
}
