import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { leadBack, leadIn, ledPlan, OFFLINE } from '../../../src/lib/model/call.ts';
import type { ConnectionFlags } from '../../../src/lib/model/context.ts';
import { isLine } from '../../../src/lib/model/shell.ts';
import type { StatusReport } from '../../../src/lib/model/verdict.ts';
import { withServer } from '../../../src/lib/operations/status/lead.ts';

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

test.each<{ line: string; chosenBy: string; file?: string; want: string }>([
  { line: 'osapi-ops dlq ls', chosenBy: 'connection.servers of b.yaml', want: 'osapi-ops dlq ls --file b.yaml' },
  { line: 'osapi-ops plan b.yaml', chosenBy: 'connection.servers of b.yaml', want: 'osapi-ops plan b.yaml' },
  { line: 'osapi-ops doctor', chosenBy: 'connection.servers of b.yaml', want: 'osapi-ops doctor --server nats://b:1' },
  {
    line: 'nats stream info Q',
    chosenBy: 'connection.servers of b.yaml',
    want: 'nats stream info Q --server nats://b:1',
  },
  {
    line: 'nats stream info Q',
    chosenBy: 'context a (connection.context of b.yaml)',
    want: 'nats stream info Q --server nats://b:1',
  },
  { line: 'osapi-ops dlq ls', chosenBy: 'NATS_URL', want: 'osapi-ops dlq ls' },
  { line: 'look at their logs', chosenBy: 'connection.servers of b.yaml', want: 'look at their logs' },
])('where $chosenBy chose the server, "$line" leads there too', ({ line, chosenBy, want }) => {
  expect(leadBack({}, { url: 'nats://b:1', chosenBy }, 'b.yaml')(line)).toBe(want);
  expect(leadBack({}, { url: 'nats://b:1', chosenBy }, undefined)(line)).toBe(line);
});

test.each<{ text: string; file: string; want: string }>([
  { text: '`osapi-ops dlq ls`', file: 'b c.yaml', want: "`osapi-ops dlq ls --file 'b c.yaml'`" },
  { text: '`osapi-ops dlq ls`', file: '-', want: '`osapi-ops dlq ls`' },
  { text: '`osapi-ops dlq ls -f a.yaml`', file: 'b.yaml', want: '`osapi-ops dlq ls -f a.yaml`' },
  { text: '`osapi-ops request get x --file=a`', file: 'b.yaml', want: '`osapi-ops request get x --file=a`' },
  { text: '`osapi-ops plan a.yaml`', file: 'b.yaml', want: '`osapi-ops plan a.yaml`' },
  { text: '`nats stream info Q`', file: 'b.yaml', want: '`nats stream info Q`' },
])('of "$text" the lines lead to the spec $file, where they take one and name none', ({ text, file, want }) => {
  expect(leadIn({}, file)(text)).toBe(want);
});

test.each<{ text: string; want: string }>([
  { text: '`osapi-ops dlq replays ls` prints the ids', want: '`osapi-ops dlq replays ls --server b:1` prints the ids' },
  {
    text: '`osapi-ops validate x` or `osapi-ops plan x`',
    want: '`osapi-ops validate x` or `osapi-ops plan x --server b:1`',
  },
  { text: 'see `osapi-ops --help`', want: 'see `osapi-ops --help`' },
  { text: '`nats stream info Q`', want: '`nats stream info Q --server b:1`' },
  { text: '`osapi-ops plan -s a:1`', want: '`osapi-ops plan -s a:1`' },
  { text: '`osapi-ops plan --context=a`', want: '`osapi-ops plan --context=a`' },
  { text: 'run osapi-ops again, with `--yes`', want: 'run osapi-ops again, with `--yes`' },
])('of "$text" the lines lead there, where they take a server and name none', ({ text, want }) => {
  expect(leadIn({ server: 'b:1' })(text)).toBe(want);
  expect(leadIn({})(text)).toBe(text);
});

test.each([
  ['osapi-ops dlq ls --queue REQUESTS', true],
  ['nats stream info REQUESTS', true],
  ['start the workers, or look at their logs', false],
  ['natsome', false],
])('%s is a line to type: %s', (text, want) => {
  expect(isLine(text)).toBe(want);
});

test('of a plan the findings lead there, and what is saved and compared does not', () => {
  const finding = { code: 'RISK_REDELIVERY', severity: 'info', resource: 'stream A', message: 'm `nats a`' } as const;
  const plan = { system: 'x', findings: [finding, { ...finding, hint: 'first `osapi-ops dlq ls`' }] };
  expect(ledPlan(plan, { server: 'b:1' }).findings).toEqual([
    { ...finding, message: 'm `nats a --server b:1`' },
    { ...finding, message: 'm `nats a --server b:1`', hint: 'first `osapi-ops dlq ls --server b:1`' },
  ]);
  expect(plan.findings[0]).toBe(finding);
});

test('those that have no flag for a server are those that are known to have none', () => {
  const file = new URL('../../../schemas/commands.json', import.meta.url);
  const { commands } = JSON.parse(readFileSync(file, 'utf8')) as { commands: Record<string, { flags: object }> };
  const offline = Object.entries(commands).filter(([, { flags }]) => !Object.hasOwn(flags, 'server'));
  const topics = new Set(offline.map(([id]) => id.split(' ')[0]!));
  expect([...topics, 'help'].sort()).toEqual(OFFLINE);
  for (const [id, { flags }] of Object.entries(commands))
    expect([id, OFFLINE.includes(id.split(' ')[0]!)]).toEqual([id, !Object.hasOwn(flags, 'server')]);
});
