import { describe, expect, test } from '@jest/globals';
import type { AccountUsage } from '../../../src/lib/model/account.ts';
import { toAccountUsage } from '../../../src/lib/nats/account.ts';
import { usageWords } from '../../../src/lib/operations/doctor.ts';
import { makePlan } from '../../../src/lib/plan/make-plan.ts';
import { live, server, spec, want } from '../plan/builders.ts';
import { line } from './told.ts';

const MIB = 1024 ** 2;
const NONE = { max_storage: -1, max_memory: -1, max_streams: -1, max_consumers: -1 };

const account = (limits: Partial<AccountUsage['limits']>, used: Partial<AccountUsage> = {}): AccountUsage => ({
  storage: 0,
  memory: 0,
  reserved_storage: 0,
  reserved_memory: 0,
  streams: 0,
  consumers: 0,
  ...used,
  limits: { ...NONE, ...limits },
});

const A = { subjects: ['a'] };
const B = { subjects: ['b'] };
const old = live('stream A', { ...A, max_bytes: 2 * MIB });
const two = spec(want('stream A', { ...A, max_bytes: 3 * MIB }), want('bucket B'));

describe('what is over a limit of the account is refused before anything is touched', () => {
  const storage = (reserved: string, more: string): string =>
    `refuse RISK_SERVER_REFUSES: stream A: the account may use 3MiB of file storage: its streams reserve ${reserved} of it with max_bytes, and this plan reserves ${more} more (10047)`;
  const streams = (has: number, makes: string): string =>
    `refuse RISK_SERVER_REFUSES: bucket B: the account may have 2 streams: it has ${has}, and this plan makes ${makes} (10027)`;
  const memory = spec(want('stream A', { ...A, max_bytes: MIB, storage: 'memory' }));
  test.each([
    { name: 'no limits', of: account({}), says: [] },
    { name: 'just as much storage', of: account({ max_storage: 3 * MIB }), says: [] },
    {
      name: 'a byte less than other streams leave',
      of: account({ max_storage: 3 * MIB }, { reserved_storage: 1 }),
      says: [storage('1B', '3MiB')],
    },
    {
      name: 'a stream that grows within it',
      of: account({ max_storage: 3 * MIB }, { reserved_storage: 2 * MIB, streams: 1 }),
      observed: [old],
      says: [],
    },
    {
      name: 'a stream that grows beyond it',
      of: account({ max_storage: 3 * MIB }, { reserved_storage: 2 * MIB + 1, streams: 1 }),
      observed: [old],
      says: [storage('2097153B', '1MiB')],
    },
    {
      name: 'a stream that gets smaller, though it is over',
      of: account({ max_storage: MIB }, { reserved_storage: 3 * MIB }),
      desired: spec(want('stream A', { ...A, max_bytes: MIB })),
      observed: [old],
      says: [],
    },
    { name: 'memory', of: account({ max_memory: MIB, max_storage: 0 }), desired: memory, says: [] },
    {
      name: 'too little memory',
      of: account({ max_memory: MIB }, { reserved_memory: 1 }),
      desired: memory,
      says: [
        'refuse RISK_SERVER_REFUSES: stream A: the account may use 1MiB of memory: its streams reserve 1B of it with max_bytes, and this plan reserves 1MiB more (10028)',
      ],
    },
    { name: 'streams that are just enough', of: account({ max_streams: 2 }), says: [] },
    {
      name: 'one stream too many',
      of: account({ max_streams: 2 }, { streams: 1 }),
      says: [streams(1, '2 more')],
    },
    {
      name: 'the ledger’s bucket, which is one as well',
      of: account({ max_streams: 2 }),
      makesLedger: true,
      says: [streams(0, '3 more, one of them the bucket osapi_ops')],
    },
    {
      name: 'nothing to make, though it is over',
      of: account({ max_streams: 2 }, { streams: 3 }),
      desired: spec(want('stream A', { ...B, max_bytes: 2 * MIB })),
      observed: [old],
      says: [],
    },
  ])('$name', ({ of, desired = two, observed = [], makesLedger, says }) => {
    const plan = makePlan({ desired, observed: server(observed), account: of, makesLedger });
    expect(plan.findings.map(line).filter((each) => each.includes('account'))).toEqual(says);
  });
});

describe('an account with tiers has the limits of each', () => {
  const tiered = (tiers: Record<string, AccountUsage>): AccountUsage => ({ ...account({}), tiers });
  const of = (fields: object, before?: object) => ({
    desired: spec(want('stream A', { ...A, ...fields })),
    observed: before ? [live('stream A', { ...A, ...before })] : [],
  });
  const roomy = account({ max_storage: 3 * MIB, max_streams: 1 });
  const over = (tier: string) =>
    `refuse RISK_SERVER_REFUSES: stream A: the account may use 3MiB of file storage of tier ${tier}: its streams reserve 1B of it with max_bytes, and this plan reserves 3MiB more (10047)`;
  const used = { ...roomy, reserved_storage: 1 };
  test.each<{ name: string; tiers: Record<string, AccountUsage>; plan: ReturnType<typeof of>; says: string[] }>([
    { name: 'just enough', tiers: { R1: roomy }, plan: of({ max_bytes: 3 * MIB }), says: [] },
    { name: 'a byte too much', tiers: { R1: used }, plan: of({ max_bytes: 3 * MIB }), says: [over('R1')] },
    {
      name: 'another tier that is full',
      tiers: { R1: roomy, R3: account({ max_storage: 1, max_streams: 1 }, { streams: 1 }) },
      plan: of({ max_bytes: 3 * MIB }),
      says: [],
    },
    {
      name: 'what comes from another tier is new to it',
      tiers: { R1: roomy, R3: used },
      plan: of({ max_bytes: 3 * MIB, num_replicas: 3 }, { max_bytes: 3 * MIB }),
      says: [over('R3')],
    },
    {
      name: 'no tier for so many replicas',
      tiers: { R1: roomy },
      plan: of({ num_replicas: 3 }),
      says: [
        'refuse RISK_SERVER_REFUSES: stream A: the account has limits for R1 only, and may have no stream of R3 (10120)',
      ],
    },
    {
      name: 'one stream too many of it',
      tiers: { R1: { ...roomy, streams: 1 } },
      plan: of({}),
      says: [
        'refuse RISK_SERVER_REFUSES: stream A: the account may have 1 stream of tier R1: it has 1, and this plan makes 1 more (10027)',
      ],
    },
  ])('$name', ({ tiers, plan: { desired, observed }, says }) => {
    const plan = makePlan({ desired, observed: server(observed), account: tiered(tiers) });
    expect(plan.findings.map(line).filter((each) => each.includes('account'))).toEqual(says);
  });

  test('and doctor tells each', () => {
    expect(usageWords(tiered({ R1: account({ max_streams: 2 }, { streams: 1 }), R3: account({}) }))).toBe(
      '1 of 2 streams, 0 consumers, 0 bytes used of tier R1; 0 streams, 0 consumers, 0 bytes used, no limit of the account of tier R3',
    );
  });

  test('as the server tells them: its limits of the whole are then none', () => {
    const none = { max_memory: 0, max_storage: 0, max_streams: 0, max_consumers: 0 };
    const tier = {
      storage: 5,
      streams: 1,
      limits: { max_storage: 9, max_memory: 0, max_streams: 4, max_consumers: -1 },
    };
    expect(toAccountUsage({ storage: 5, streams: 1, limits: none, tiers: { R1: tier } })).toMatchObject({
      storage: 5,
      limits: NONE,
      tiers: { R1: { storage: 5, streams: 1, limits: { max_storage: 9, max_streams: 4 } } },
    });
    expect(toAccountUsage({ limits: none })).toEqual(account(none));
  });
});

test.each([
  [account({}, { streams: 2, storage: 5 }), '2 streams, 0 consumers, 5 bytes used, no limit of the account'],
  [account({ max_streams: 2 }, { streams: 2 }), '2 of 2 streams, 0 consumers, 0 bytes used'],
  [account({ max_consumers: 1 }), '0 streams, 0 of 1 consumers, 0 bytes used'],
  [account({ max_memory: 7 }), '0 streams, 0 consumers, 0 bytes used, 0 of 7 bytes of memory'],
  [
    account({ max_storage: 9 }, { reserved_storage: 8 }),
    '0 streams, 0 consumers, 0 of 9 bytes used and 8 reserved by max_bytes',
  ],
])('doctor tells each limit of an account: %j', (usage, words) => expect(usageWords(usage)).toBe(words));
