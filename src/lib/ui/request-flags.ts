import { Flags } from '@oclif/core';
import { fileFlag } from './spec-flags.ts';

/** Where requests and responses are, for every request command. */
export const requestFlags = {
  ...fileFlag,
  queue: Flags.string({ summary: 'the queue (its stream), where there are several' }),
  bucket: Flags.string({ summary: 'the bucket of the responses, where no spec names it' }),
};
