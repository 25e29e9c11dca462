import type { Made, Migration, MigrationStep } from '../model/migration.ts';

/** A stream, as far as it tells how far a migration is. */
export interface FoundStream {
  /** RFC 3339. */
  readonly created: string;
  /** The stream that it is a mirror of. */
  readonly mirrorOf?: string;
  /** Whether nothing but our own marker can be published into it. */
  readonly parked: boolean;
  /** What its label says of the stream that it is a copy of. */
  readonly label?: string;
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

/** Whether a stream of one of its names is the one that is moved, or one that was made for it. */
export function isOurs(
  { hops, created }: Migration,
  made: Made,
  name: string,
  found: Pick<FoundStream, 'created' | 'label'>,
): boolean {
  if (found.created === created && name === hops[0]?.from) return true;
  const known = Object.hasOwn(made, name) ? made[name] : undefined;
  // Whoever made it may have been killed before he wrote that down.
  return known === undefined ? found.label === created : found.created === known;
}

/** The names under which somebody else's streams are found. */
export function strangersIn(migration: Migration, { from, to }: Found, made: Made): string[] {
  const [hop] = migration.hops;
  if (migration.kind === 'consumer' || !hop) return [];
  return [
    ...(from && !isOurs(migration, made, hop.from, from) ? [hop.from] : []),
    ...(to && !isOurs(migration, made, hop.to, to) ? [hop.to] : []),
  ];
}

/** Whether a copy that was made is not there any more: somebody removed it, and no step of ours. */
export const isCopyLost = ({ hops, created }: Migration, { from, to }: Found, made: Made): boolean =>
  hops[0] !== undefined && from?.created === created && !to && Object.hasOwn(made, hops[0].to);

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
//
//   What has one of the names and was not made for it is nobody's business here, and nothing goes on beside it; but for
//   one that came before any copy was made: then nothing is touched yet.

/** How far a migration is, by what is on the server; `undefined` where that is nothing that it leaves behind. */
export function recognise(migration: Migration, found: Found, made: Made): MigrationStep | undefined {
  if (migration.kind === 'consumer') return ofConsumer(migration, found);
  const { hops, created } = migration;
  const [hop] = hops;
  const isTwo = hops.length > 1;
  const { from, to } = found;
  const isOld = from?.created === created;
  if (strangersIn(migration, found, made).length > 0) {
    return isOld && !from.parked && hop && !Object.hasOwn(made, hop.to) ? 'intended' : undefined;
  }
  if (isOld) {
    if (!to) return from.parked ? 'parked' : 'intended';
    if (!to.mirrorOf && !to.parked) return 'promoted';
    if (to.mirrorOf !== undefined && to.mirrorOf !== hop?.from) return undefined;
    return from.parked ? 'parked' : to.mirrorOf ? 'copying' : undefined;
  }
  if (!from) {
    if (!to || to.mirrorOf || (to.parked && !isTwo)) return undefined;
    return isTwo ? 'dropped' : 'done';
  }
  if (from.mirrorOf === undefined && !from.parked) {
    if (!to) return 'done';
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
