/** What stands for a number, an id or a time that differs between words of one cause. */
const SIGN = '#';

/** Longer ones are compared as they are: what others wrote must not take long. In characters. */
const LONGEST = 4000;

const UUID = /\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/;
const MOMENT = /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?![\p{L}\p{N}_])/u;
const UNIT =
  /(?:ns|[uµμ]s|ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?|[kKMGT]?i?B|bytes?)(?![\p{L}\p{N}_])|%/u;
/** What has a unit, `3021ms` and `2.5 s`, or several, `1m30s`; not where a word or another number goes on. */
const MEASURE = new RegExp(
  `(?<![\\p{L}\\p{N}_.])(?:\\d+(?:\\.\\d+)?(?:ms|[smhd]))*\\d+(?:[.,]\\d+)* ?(?:${UNIT.source})`,
);
/** Before these a number says which cause it is: `exit code 137`, `HTTP/1.1 503`, `status=429`. */
const NAMES =
  /(?<!(?:code|status|errno|error|exit|exited(?: with)?|signal|sqlstate|port|https?(?:\/[\d.]+)?)[\s:=#(]{1,3})/;
/** A number by itself; but for what HTTP says of a failure, and what is part of a name: `db-7:5432`, `10.0.0.7`. */
const COUNT = new RegExp(
  `${NAMES.source}(?<=^|[\\s([{="'<,|+])-?(?![45]\\d\\d\\b)\\d+(?:[.,]\\d+)?(?=$|[\\s)\\]}"'>,|;!?]|[.:](?:\\s|$))`,
);

/** Of these nothing is left; of a measure its units are. */
const WHOLE = new RegExp(`^(?:${UUID.source}|${MOMENT.source})$`, 'iu');

const DIFFERING = new RegExp([UUID, MOMENT, MEASURE, COUNT].map(({ source }) => `(?:${source})`).join('|'), 'giu');

// How a command ended stands behind its words; workers up to 0.1.0 wrote it before them.
const BEFORE = /^the command (exited \d+|was ended by [A-Z\d]+): (?!the command )(.+)$/s;
const BEHIND = /^(?!the command )(.+) \(the command (exited \d+|was ended by [A-Z\d]+)\)$/s;

/** A worker's words as workers of today write them. */
export const asWrittenNow = (words: string): string => words.replace(BEFORE, '$2 (the command $1)');

/** A worker's words in each of the forms by which they are chosen: as they are, as older ones, and what they have in common. */
export function formsOf(words: string): string[] {
  const ofBoth = (text: string) => {
    const now = asWrittenNow(text);
    return [text, now, now.replace(BEHIND, 'the command $2: $1')];
  };
  return [...new Set([words, causeOf(words)].flatMap(ofBoth))];
}

/**
 * The words of a worker without what differs from one message to the next: `timeout after #ms`. What tells causes apart
 * stays: a status, an exit code, the number of a host or port. Done twice it changes nothing more.
 */
export const causeOf = (words: string): string =>
  words.length > LONGEST
    ? words
    : asWrittenNow(words).replace(DIFFERING, (found) =>
        WHOLE.test(found) ? SIGN : found.replace(/-?\d+(?:[.,]\d+)*/g, SIGN),
      );
