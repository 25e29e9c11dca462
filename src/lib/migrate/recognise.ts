import type { Migration, MigrationStep } from '../model/migration.ts';

/** A stream, as far as it tells how far a migration is. */
export interface FoundStream {
  /** RFC 3339. */
  readonly created: string;
  /** The stream that it is a mirror of. */
  readonly mirrorOf?: string;
  /** Whether nothing but our own marker can be published into it. */
  readonly parked: boolean;
}

export interface FoundConsumer {
  /** RFC 3339. */
  readonly created: string;
  readonly paused: boolean;
}

/** What is on the server under the names that a migration uses. */
export interface Found {
  /** Where it began, and where the first hop leads. */
  readonly from?: FoundStream;
  readonly to?: FoundStream;
  /** Of a consumer: the one that was there, and the one that is to be, where its name is another. */
  readonly oldConsumer?: FoundConsumer;
  readonly newConsumer?: FoundConsumer;
}

//   The stream that is moved ("old": made when the journal says) and its copy, and what they say of the step:
//
//   old              copy               step
//   open             none               intended
//   parked           none               parked       somebody took the copy away: it is made again
//   open             mirror             copying
//   parked           mirror, or parked  parked       parked: ids are being told to it
//   there            open               promoted
//   none             open               dropped, of one hop: done
//
//   and where the name stays, from then on, "new" has the old name and "copy" is what it is a mirror of:
//
//   new              copy               step
//   mirror           open               recopying
//   mirror, parked   parked             reparked
//   open             parked             repromoted
//   open             none               done

/** How far a migration is, by what is on the server; `undefined` where that is nothing that it leaves behind. */
export function recognise(migration: Migration, found: Found): MigrationStep | undefined {
  if (migration.kind === 'consumer') return ofConsumer(migration, found);
  const { hops, created } = migration;
  const isTwo = hops.length > 1;
  const { from, to } = found;
  if (from && from.created === created && !from.mirrorOf) {
    if (!to) return from.parked ? 'parked' : 'intended';
    if (!to.mirrorOf && !to.parked) return 'promoted';
    if (to.mirrorOf !== undefined && to.mirrorOf !== hops[0]?.from) return undefined;
    return from.parked ? 'parked' : to.mirrorOf ? 'copying' : undefined;
  }
  if (!from) {
    if (!to || to.mirrorOf || (to.parked && !isTwo)) return undefined;
    return isTwo ? 'dropped' : 'done';
  }
  if (!isTwo) return undefined;
  if (from.mirrorOf === undefined && !from.parked) {
    if (!to) return 'done';
    // One that is open is the stream still: whatever has its name by now is none of ours.
    return to.parked ? 'repromoted' : undefined;
  }
  if (!to || to.mirrorOf || (from.mirrorOf !== undefined && from.mirrorOf !== hops[1]?.from)) return undefined;
  return to.parked ? 'reparked' : from.mirrorOf ? 'recopying' : undefined;
}

//   old, as it was   none of that name, or another made since   step
//   there            none                                       intended
//   none             none                                       removed
//   none             paused                                     made
//   none             delivering                                 done

function ofConsumer({ consumers, created }: Migration, { from, oldConsumer, newConsumer }: Found) {
  const [moved] = consumers;
  if (!from || from.created !== created || !moved) return undefined;
  const isOld = oldConsumer !== undefined && oldConsumer.created === moved.created;
  if (isOld) return 'intended';
  const made = moved.from === moved.to ? oldConsumer : newConsumer;
  if (!made) return 'removed';
  return made.paused ? 'made' : 'done';
}

/** Subjects that have moved are not taken back: what was published since is in the copy only. */
const UNDONE: ReadonlySet<MigrationStep> = new Set(['intended', 'copying', 'parked']);

/** Whether the way back is open. A consumer that is gone took with it what it knew. */
export const canUndo = ({ kind }: Migration, step: MigrationStep): boolean =>
  kind === 'consumer' ? step === 'intended' : UNDONE.has(step);
