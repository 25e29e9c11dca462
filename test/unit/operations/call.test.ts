import { expect, test } from '@jest/globals';
import type { ConnectionFlags } from '../../../src/lib/model/context.ts';
import type { StatusReport } from '../../../src/lib/model/verdict.ts';
import { withServer } from '../../../src/lib/operations/dlq/call.ts';

const lead = (next: string, connection: ConnectionFlags): string | undefined =>
  withServer(
    { checks: [{ id: 'x', name: 'dead', status: 'warn', summary: '', next }] } as unknown as StatusReport,
    connection,
  ).checks[0]!.next;

test.each<{ next: string; connection: ConnectionFlags; want: string }>([
  { next: 'osapi-ops dlq ls', connection: {}, want: 'osapi-ops dlq ls' },
  { next: 'osapi-ops dlq ls', connection: { server: 'b:1' }, want: 'osapi-ops dlq ls --server b:1' },
  { next: 'osapi-ops dlq ls', connection: { context: 'a b' }, want: "osapi-ops dlq ls --context 'a b'" },
  {
    next: 'osapi-ops queue drain -- -x',
    connection: { server: 'b:1' },
    want: 'osapi-ops queue drain --server b:1 -- -x',
  },
  {
    next: "osapi-ops dlq ls --queue 'a;b'",
    connection: { server: 'b:1' },
    want: "osapi-ops dlq ls --queue 'a;b' --server b:1",
  },
  {
    next: 'start a worker, then osapi-ops dlq ls',
    connection: { server: 'b:1' },
    want: 'start a worker, then osapi-ops dlq ls --server b:1',
  },
  {
    next: 'osapi-ops doctor; or osapi-ops apply SPEC',
    connection: { server: 'b:1' },
    want: 'osapi-ops doctor --server b:1; or osapi-ops apply SPEC --server b:1',
  },
  {
    next: 'start the workers, or look at their logs',
    connection: { server: 'b:1' },
    want: 'start the workers, or look at their logs',
  },
  { next: 'nats stream info Q', connection: { 'no-context': true }, want: 'nats stream info Q' },
  {
    next: 'nats stream info Q',
    connection: { domain: 'hub', server: 'b:1' },
    want: 'nats stream info Q --server b:1 --js-domain hub',
  },
])('the next step "$next" leads where $connection leads', ({ next, connection, want }) => {
  expect(lead(next, connection)).toBe(want);
});
