import { fromHeaderValue, type HeaderLine, parseHeaders, toHeaderValue } from './raw-headers.ts';

/** W3C Trace Context: version, trace, parent, flags; of what is all zeros or of version ff nothing is known. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const NAME = 'traceparent';
const STATE = 'tracestate';

/** What a message tells of the trace it is a part of; nothing where its `traceparent` is none. */
export interface Trace {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

const valueIn = (lines: readonly HeaderLine[], name: string): string | undefined => {
  const line = lines.find((each) => each.name.toLowerCase() === name);
  return line && fromHeaderValue(line.value).trim();
};

const traceIn = (parent: string | undefined, state: string | undefined): Trace =>
  parent === undefined || !TRACEPARENT.test(parent)
    ? {}
    : { traceparent: parent, ...(state !== undefined && /^[\x20-\x7e]{1,512}$/.test(state) && { tracestate: state }) };

/** The trace that a header block tells of. */
export function traceOf(headers: Uint8Array | undefined): Trace {
  const lines = headers ? parseHeaders(headers) : [];
  return traceIn(valueIn(lines, NAME), valueIn(lines, STATE));
}

/** Headers with the trace that the environment is in, where they name none themselves. */
export function withTrace(
  lines: readonly HeaderLine[],
  env: Readonly<Record<string, string | undefined>>,
): readonly HeaderLine[] {
  if (valueIn(lines, NAME) !== undefined) return lines;
  const { traceparent, tracestate } = traceIn(env.TRACEPARENT, env.TRACESTATE);
  if (traceparent === undefined) return lines;
  return [
    ...lines,
    { name: NAME, value: toHeaderValue(traceparent) },
    ...(tracestate === undefined ? [] : [{ name: STATE, value: toHeaderValue(tracestate) }]),
  ];
}
