import { expect, test } from '@jest/globals';
import type { Config } from '../../../src/lib/model/json.ts';
import { retrySchedule } from '../../../src/lib/plan/schedule.ts';

const S = 1e9;

const cases: { name: string; config: Config; want: string }[] = [
  {
    name: 'a backoff whose last step repeats',
    config: { max_deliver: 10, backoff: [5 * S, 10 * S, 15 * S] },
    want: 'a failing request is tried at 0s, 5s, 15s, 30s, … (10 times) and dies after 2m15s',
  },
  {
    name: 'no backoff: ack_wait each time',
    config: { max_deliver: 3, ack_wait: 10 * S },
    want: 'a failing request is tried at 0s, 10s and 20s, and dies after 30s',
  },
  { name: 'one try', config: { max_deliver: 1 }, want: 'a failing request is tried once and dies after 30s' },
  {
    name: 'no limit',
    config: { backoff: [S, 60 * S] },
    want: 'a failing request is tried at 0s, 1s, 1m1s, 2m1s, … and then every 1m for ever',
  },
  {
    name: 'more tries than are shown',
    config: { max_deliver: 1000, ack_wait: S },
    want: 'a failing request is tried at 0s, 1s, 2s, 3s, … (1000 times) and dies after 16m40s',
  },
];

test.each(cases)('$name', ({ config, want }) => {
  expect(retrySchedule(config)?.text).toBe(want);
});

test('a backoff longer than what is shown is summed to its end', () => {
  const backoff = Array.from({ length: 20 }, (_, at) => (at + 1) * S);
  expect(retrySchedule({ max_deliver: 25, backoff })?.diesAt).toBe((210 + 5 * 20) * S);
});

test('a consumer that acknowledges nothing has no retries', () => {
  expect(retrySchedule({ ack_policy: 'none' })).toBeUndefined();
});
