import type { DlqRecord } from '../model/entry.ts';
import type { StoredMessage } from '../model/message.ts';
import { compareTimes } from './time.ts';

/** The latest that a record's time can mean: clients write milliseconds where the server has nanoseconds. */
export const latest = ({ kind, time }: DlqRecord): string =>
  kind === 'advisory' ? time : time.replace(/(\.\d{3})Z$/, '$1999999Z');

/** Whether a record can speak of what is stored under its sequence: the message, and its stream, were there before it. */
export const isAsOld = (record: DlqRecord, stored: Pick<StoredMessage, 'time'>, created: string): boolean =>
  compareTimes(stored.time, latest(record)) <= 0 && (created === '' || compareTimes(created, latest(record)) <= 0);
