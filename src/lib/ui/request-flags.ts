import { Flags } from '@oclif/core';
import { fileFlag, momentFlag } from './spec-flags.ts';

/** Where requests and responses are, for every request command. */
export const requestFlags = {
  ...fileFlag,
  queue: Flags.string({ summary: 'the queue (its stream), where there are several' }),
  bucket: Flags.string({ summary: 'the bucket of the responses, where no spec names it' }),
};

/** The same, for those that may have to search for a request. */
export const searchFlags = {
  ...requestFlags,
  since: Flags.string({
    summary: 'search only what was published at this time or later: 2h (ago), 03:10, yesterday, 2026-11-24T08:00Z',
  }),
};

/** @throws OpsError USAGE */
export const sinceFrom = ({ since }: { readonly since?: string }, now: Date): { readonly since?: number } =>
  since === undefined ? {} : { since: momentFlag('--since', since, now).getTime() };
