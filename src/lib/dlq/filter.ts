import { MOVING_PREFIX } from '../facts/names.ts';
import { subjectCovers } from '../facts/subjects.ts';
import { type Entry, TO_REPLAY } from '../model/entry.ts';
import type { EntryFilter } from '../model/entry-filter.ts';
import type { StoredMessage } from '../model/message.ts';
import { isAmong } from './id.ts';
import { payloadHas } from './match.ts';
import type { Told } from './told.ts';

const among = <T>(wanted: readonly T[] | undefined, value: T): boolean =>
  wanted === undefined || wanted.length === 0 || wanted.includes(value);

/** What is not gone, unless somebody names ids or states: then those that are gone are told apart. */
export const notGone = (filter: EntryFilter): EntryFilter =>
  filter.states?.length || filter.ids?.length ? filter : { ...filter, states: TO_REPLAY };

const matchesIds = (filter: EntryFilter, id: string): boolean =>
  filter.ids === undefined || filter.ids.length === 0 || isAmong(filter.ids, id);

function diedWithin({ since, until }: EntryFilter, time: string): boolean {
  const at = Date.parse(time);
  return !(since !== undefined && at < since) && !(until !== undefined && at >= until);
}

/** What the records alone tell, before the original is fetched: false where no original could make it match. */
export const mayMatch = (filter: EntryFilter, { deaths }: Told): boolean =>
  deaths.some(
    ({ id, queue, consumer }) =>
      matchesIds(filter, id) && among(filter.queues, queue) && among(filter.consumers, consumer),
  ) &&
  deaths.some(({ record }) => among(filter.reasons, record.reason)) &&
  deaths.some(({ record }) => diedWithin(filter, record.time));

/** A migration's own marker, which is given out where somebody resumes a consumer in the middle: nobody's request. */
export const isMarker = ({ subject }: Entry): boolean => subject?.startsWith(MOVING_PREFIX) === true;

/** Whether an entry is wanted. One without a time of death is judged by when it was published: it did not die before. */
export function matches(filter: EntryFilter, entry: Entry): boolean {
  const { subjects, match, requestIds, since, until, where } = filter;
  const time = entry.died_at ?? entry.published_at;
  return (
    (filter.markers === true || !isMarker(entry)) &&
    matchesIds(filter, entry.id) &&
    among(filter.queues, entry.queue) &&
    among(filter.consumers, entry.consumer) &&
    among(filter.reasons, entry.reason) &&
    among(filter.states, entry.state) &&
    (time === null ? since === undefined && until === undefined : diedWithin(filter, time)) &&
    (!subjects?.length || (entry.subject !== null && subjects.some((one) => subjectCovers(one, entry.subject!)))) &&
    (!requestIds?.length || (entry.request_id !== null && requestIds.includes(entry.request_id))) &&
    (match === undefined || (entry.inner.message !== undefined && payloadHas(entry.inner.message.payload, match))) &&
    (where === undefined || where.every((term) => term.holds(entry)))
  );
}

/**
 * Whether what no record speaks of can be among the wanted: an orphan, or one that is gone, for it was answered. Nobody
 * knows when one died: a filter by time leaves them out, unless it names orphans; then the time they were published counts.
 */
export function wantsOrphans({ states, reasons, since, until, recorded }: EntryFilter): boolean {
  const timed = since !== undefined || until !== undefined;
  const named = states?.includes('orphan') === true;
  const some = named || !states?.length || states.includes('gone');
  return recorded !== true && some && among(reasons, 'max_deliveries') && (!timed || named);
}

/** Whether only orphans are wanted: then nothing of the others has to be fetched. */
export const wantsOnlyOrphans = ({ states }: EntryFilter): boolean =>
  states !== undefined && states.length > 0 && states.every((state) => state === 'orphan');

/** What was removed in flight is no dead letter: only who asks for what is gone, by id, or for all there is, is told of it. */
export const isHidden = ({ inner }: Entry, { ids, states }: EntryFilter, raw: boolean | undefined): boolean =>
  inner.cause === 'removed_in_flight' && !raw && !ids?.length && !states?.includes('gone');

/** Whether, newest first, all that follows a message died too early to be wanted. */
export const endsBefore = ({ since }: EntryFilter, last: StoredMessage | undefined): boolean =>
  last !== undefined && since !== undefined && Date.parse(last.time) < since;
