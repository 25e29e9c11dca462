import { MONITOR_PREFIX, OWN_PREFIX } from '../facts/names.ts';
import type { Change, LastApplied } from '../model/plan.ts';
import { ownerOf, type Subject } from '../risk/subject.ts';

const OURS = [`metadata.${OWN_PREFIX}`, `metadata.${MONITOR_PREFIX}`];

/** Whether a change writes only the owner mark and the labels that go with it. */
export const isMarkOnly = ({ action, fields }: Pick<Change, 'action' | 'fields'>): boolean =>
  action === 'update' && fields.every(({ path }) => OURS.some((prefix) => path.startsWith(prefix)));

/**
 * Whether a resource is as the spec says and nobody's: it lacks the mark, and nobody says that it was ever applied. To
 * mark it is to adopt it, which apply wants to be told; it is neither a difference nor drift.
 */
export const isUnadopted = ({ change, observed, key }: Subject, lastApplied: LastApplied | undefined): boolean =>
  isMarkOnly(change) &&
  observed !== undefined &&
  ownerOf(observed.config) === undefined &&
  lastApplied?.configs[key] === undefined;
