/**
 * True for what a server takes as a stream's name (2.15.1): no separators of subjects or of its protocol. Other control
 * characters are part of a name, which is text like any other: what prints it makes it safe.
 */
export const isStreamName = (name: unknown): name is string =>
  typeof name === 'string' && name.length > 0 && name.length <= 255 && !/[\0 \t\r\n\f.*>]/.test(name);

/** True for what can be a consumer's name. Without a slash, so that an id has one reading. */
export const isConsumerName = (name: unknown): name is string => isStreamName(name) && !/[/\\]/.test(name);

/** True for a sequence that a stream can have and JavaScript can hold: 1 to 2^53 - 1. */
export const isSeq = (seq: unknown): seq is number => Number.isSafeInteger(seq) && (seq as number) >= 1;
