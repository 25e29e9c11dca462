import { expect, test } from '@jest/globals';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

test.each([
  [
    ['queues.consumers.ack_wait'],
    /^queues\.NAME\.consumers\.NAME\.ack_wait\n {2}How long .*\n\n {2}type {5}duration.*\n {2}default {2}`30s`/,
  ],
  [['CONN_UNREACHABLE'], /^CONN_UNREACHABLE\n {2}No server answers [\s\S]*\n\n {2}type {5}an error’s code\n/],
  [['RISK_DATA_LOSS'], /type {5}a finding of a plan\n/],
  [['CHECK_DEAD'], /\n\n {4}osapi-ops dlq stats/],
  [['CHECK_DEAD'], /^CHECK_DEAD\n {2}[a-z ]+ · (?![\s\S]*\*\*)/],
  [['SPEC_YAML'], /\n {2}Bad:\n\n {4}version: 1\n {4}name: shop\n/],
  [[], /^spec\n[\s\S]*\n {2}queues +The work queues/],
])('explain %j', async (args, told) => {
  const { code, stdout, stderr } = await runCli(['explain', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(told);
});

test.each([
  ['backof', 'did you mean queues.NAME.consumers.NAME.backoff?'],
  ['dlq.max_agee', 'did you mean queues.NAME.dlq.max_age?'],
  ['queus.consumers.backoff', 'did you mean queues.NAME.consumers.NAME.backoff?'],
  ['RISK_DATA_LOS', 'did you mean RISK_DATA_LOSS?'],
  ['CHECK_DAED', 'did you mean CHECK_DEAD?'],
  ['conn_unreachable', 'did you mean CONN_UNREACHABLE?'],
  ['CONN_NOPE', 'codes stand behind `Code:` of an error'],
])('explain %s says what may be meant', async (word, hint) => {
  const { code, stderr } = await runCli(['explain', word]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(hint) });
});
