import { expect, test } from '@jest/globals';
import { lacksLeader } from '../../../src/lib/nats/copies.ts';

const replica = { name: 'n2', current: true, offline: false, lag: 0 };

test.each([
  { leader: undefined, replicas: [], isLong: false, want: true },
  { leader: undefined, replicas: [replica], isLong: true, want: true },
  { leader: 'n1', replicas: [replica], isLong: false, want: false },
  { leader: 'n1', replicas: [replica], isLong: true, want: true },
  { leader: 'n1', replicas: [], isLong: true, want: false },
])('where nobody answers, a leader is missing: %j', ({ leader, replicas, isLong, want }) => {
  expect(lacksLeader({ ...(leader && { leader }), replicas }, isLong)).toBe(want);
});
