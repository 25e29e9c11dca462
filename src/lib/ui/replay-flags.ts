import { Flags } from '@oclif/core';
import { rateOf } from './dlq-write-flags.ts';
import { durationMs } from './spec-flags.ts';

/** How a replay is to go. */
export const replayFlags = {
  rate: Flags.string({ summary: 'at most so many, as 100/s or 30/m' }),
  'max-in-flight': Flags.integer({
    summary: 'how many are moved at once; left out, 1,000 with a server that is 5 ms away or more',
    default: 256,
    min: 1,
    max: 4096,
  }),
  'max-pending': Flags.integer({ summary: 'hold while the queue has more than this waiting', min: 1 }),
  'max-replays': Flags.integer({ summary: 'leave what was replayed so often and died again', default: 3, min: 1 }),
  wait: Flags.boolean({ summary: 'follow each to its response, its ack or its next death, and report' }),
  'wait-timeout': Flags.string({ summary: 'how long to follow them', default: '5m' }),
  canary: Flags.integer({ summary: 'send so many ahead, and the others only if these live', min: 1 }),
  to: Flags.string({ summary: 'publish on this subject instead of their own' }),
  'allow-redelivery': Flags.boolean({
    summary: 'go on where other consumers of the stream get the messages again (limits, interest)',
  }),
};

export interface WrittenWishes {
  readonly rate?: string;
  readonly 'max-in-flight': number;
  readonly 'max-pending'?: number;
  readonly 'max-replays': number;
  readonly wait: boolean;
  readonly 'wait-timeout': string;
  readonly canary?: number;
  readonly to?: string;
  readonly 'allow-redelivery': boolean;
}

/** The flags as what is wished of a replay. @throws OpsError USAGE */
export const wishesFrom = (flags: WrittenWishes, isWindowLeftOut = false) => ({
  ...(!isWindowLeftOut && { maxInFlight: flags['max-in-flight'] }),
  maxReplays: flags['max-replays'],
  wait: flags.wait,
  waitMs: durationMs('--wait-timeout', flags['wait-timeout'], 1),
  ...(flags.rate !== undefined && { rate: rateOf('--rate', flags.rate) }),
  maxPending: flags['max-pending'],
  canary: flags.canary,
  to: flags.to,
  allowRedelivery: flags['allow-redelivery'],
});
