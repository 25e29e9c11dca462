import { createHash } from 'node:crypto';
import { OpsError } from '../errors/ops-error.ts';
import type { Transform } from './transform.ts';
import { readTransformed } from './transformed.ts';

/** What is to be otherwise in a message; what is left out stays. */
export interface WrittenEdit {
  readonly subject?: string;
  /** All of them, with their values in order. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly payload?: string;
  readonly payload_base64?: string;
}

/** An edit that is written down, as what makes another of a message: shown, checked and journalled like a module's. */
export const transformOf = (edit: WrittenEdit): Transform => ({
  file: 'an edit',
  digest: `sha256:${createHash('sha256').update(JSON.stringify(edit)).digest('hex')}`,
  isOver: false,
  async apply({ id, inner: { message } }) {
    const { payload_base64: base64, payload, ...rest } = edit;
    const bytes = base64 === undefined ? payload : Buffer.from(base64, 'base64');
    const edited = readTransformed({ ...rest, ...(bytes !== undefined && { payload: bytes }) }, message!);
    if (typeof edited !== 'string') return edited;
    throw new OpsError('USAGE', `${id}: ${edited.replace(/^its /, 'the edit: its ')}`, {
      where: 'the edit',
      why: 'Nothing was moved.',
      hints: ['a subject without wildcards, headers with names and texts, a payload'],
    });
  },
  end: async () => {},
});
