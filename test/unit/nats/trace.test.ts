import { describe, expect, test } from '@jest/globals';
import { printHeaders } from '../../../src/lib/nats/raw-headers.ts';
import { traceOf, withTrace } from '../../../src/lib/nats/trace.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('the trace of a request', () => {
  test.each([
    { name: 'is what the environment says', env: { TRACEPARENT: PARENT }, want: { traceparent: PARENT } },
    {
      name: 'with its state',
      env: { TRACEPARENT: PARENT, TRACESTATE: 'a=1' },
      want: { traceparent: PARENT, tracestate: 'a=1' },
    },
    { name: 'a state alone is none', env: { TRACESTATE: 'a=1' }, want: {} },
    {
      name: 'a state with control characters goes',
      env: { TRACEPARENT: PARENT, TRACESTATE: 'a\nb' },
      want: { traceparent: PARENT },
    },
    {
      name: 'a state of 513 goes',
      env: { TRACEPARENT: PARENT, TRACESTATE: 'a'.repeat(513) },
      want: { traceparent: PARENT },
    },
    { name: 'nothing is none', env: {}, want: {} },
    { name: 'another text is none', env: { TRACEPARENT: 'x' }, want: {} },
    { name: 'a trace of zeros is none', env: { TRACEPARENT: PARENT.replace(/0af\w{29}/, '0'.repeat(32)) }, want: {} },
    {
      name: 'a parent of zeros is none',
      env: { TRACEPARENT: PARENT.replace('b7ad6b7169203331', '0'.repeat(16)) },
      want: {},
    },
    { name: 'version ff is none', env: { TRACEPARENT: PARENT.replace(/^00/, 'ff') }, want: {} },
    { name: 'a digit less is none', env: { TRACEPARENT: PARENT.slice(0, -1) }, want: {} },
    { name: 'a line more is none', env: { TRACEPARENT: `${PARENT}\r\nX: y` }, want: {} },
  ])('$name', ({ env, want }) => {
    expect(traceOf(printHeaders(withTrace([], env)))).toEqual(want);
  });

  test('is what a header says, in any case, before the environment', () => {
    const other = PARENT.replace('0af', 'fff');
    const lines = withTrace([{ name: 'TraceParent', value: other }], { TRACEPARENT: PARENT });
    expect(lines).toEqual([{ name: 'TraceParent', value: other }]);
    expect(traceOf(printHeaders(lines))).toEqual({ traceparent: other });
    expect(traceOf(undefined)).toEqual({});
  });
});
