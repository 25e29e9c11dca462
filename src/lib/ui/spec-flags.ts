import { Args, Flags } from '@oclif/core';

/** `-f/--file`, for commands that work on a spec. */
export const fileFlag = {
  file: Flags.string({
    char: 'f',
    summary: 'the spec, where none is named as argument',
    env: 'OSAPI_OPS_SPEC',
  }),
};

export const specArgs = (what: string) => ({
  spec: Args.string({ description: what, multiple: true, required: false }),
});

/** What oclif gives for an argument that may be repeated or absent. */
export const namesOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
