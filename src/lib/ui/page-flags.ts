import { Flags } from '@oclif/core';

/** Which records of the history. */
export const historyFlags = {
  system: Flags.string({ summary: 'only of this system; a named spec’s own where there is one' }),
  since: Flags.string({ summary: 'from this time on: 2h (ago), 2026-11-24, 2026-11-24T08:00Z' }),
  verb: Flags.string({ summary: 'only these: apply, destroy, replay, purge, pause, …', multiple: true }),
};

/** How much of a list is shown at once. */
export const pageFlags = (usual: number, most: number) => ({
  limit: Flags.integer({ summary: 'at most so many', min: 1, max: most, default: usual }),
});
