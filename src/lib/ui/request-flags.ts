import { Flags } from '@oclif/core';
import { OpsError } from '../errors/ops-error.ts';
import { parseDuration } from '../model/units.ts';
import { fileFlag } from './spec-flags.ts';

/** Where requests and responses are, for every request command. */
export const requestFlags = {
  ...fileFlag,
  queue: Flags.string({ summary: 'the queue (its stream), where there are several' }),
  bucket: Flags.string({ summary: 'the bucket of the responses, where no spec names it' }),
};

/** A length of time of at least zero, in milliseconds. @throws OpsError USAGE */
export function millisecondsOf(flag: string, text: string): number {
  const nanos = /[a-zµμ]/i.test(text) || text.trim() === '0' ? parseDuration(text) : undefined;
  if (nanos !== undefined && nanos >= 0) return nanos / 1e6;
  throw new OpsError('USAGE', `--${flag}: "${text}" is not a length of time`, {
    where: `--${flag}`,
    hints: ['write it as 500ms, 30s or 5m'],
  });
}
