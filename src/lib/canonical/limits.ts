import type { Field, Loss } from '../facts/field.ts';
import { FIELDS } from '../facts/fields.ts';
import type { Config } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';

/** A limit that the change lowers so that stored messages go. Nanoseconds, bytes, or messages. */
export interface LoweredLimit {
  readonly field: string;
  readonly loss: Loss;
  readonly from: number;
  readonly to: number;
}

const NONE = Number.POSITIVE_INFINITY;
const limitOf = (value: unknown): number => (Number(value) > 0 ? Number(value) : NONE);

/**
 * The limits under which stored messages are deleted, from two canonical configurations. `max_msgs` and `max_bytes`
 * delete with `discard: old` only (and begin to, where discard changes to it), which no bucket has; the others delete
 * with either.
 */
export function loweredLimits(kind: ResourceKind, before: Config, after: Config): LoweredLimit[] {
  return FIELDS[kind].flatMap((field: Field) => {
    if (!field.loss) return [];
    const [from, to] = [limitOf(before[field.name]), limitOf(after[field.name])];
    const ofStream = field.loss === 'messages' || field.loss === 'bytes';
    if (ofStream && after.discard !== 'old') return [];
    const lowered = to < from || (ofStream && before.discard === 'new' && to < NONE);
    return lowered ? [{ field: field.name, loss: field.loss, from, to }] : [];
  });
}
