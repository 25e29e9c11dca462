import { isConsumerName, isSeq, isStreamName } from './names.ts';

/** An id or a shorthand of one: `REQUESTS/worker/17`, `worker/17`, `17`. What is left out may be anything. */
export interface IdPattern {
  readonly text: string;
  readonly queue?: string;
  readonly consumer?: string;
  readonly seq: number;
}

/** Reads an id from its end, where the parts cannot hold a slash; `undefined` for what is none. */
export function parseId(text: string): IdPattern | undefined {
  const parts = text.trim().split('/');
  const last = parts.pop() ?? '';
  const seq = /^[1-9]\d{0,15}$/.test(last) ? Number(last) : 0;
  if (!isSeq(seq)) return undefined;
  const consumer = parts.pop();
  if (consumer === undefined) return { text, seq };
  if (!isConsumerName(consumer)) return undefined;
  if (parts.length === 0) return { text, consumer, seq };
  const queue = parts.join('/');
  return isStreamName(queue) ? { text, queue, consumer, seq } : undefined;
}

/** Whether an entry of this id is meant. */
export function matchesId(pattern: IdPattern, id: string): boolean {
  const slash = id.lastIndexOf('/');
  if (Number(id.slice(slash + 1)) !== pattern.seq) return false;
  if (pattern.consumer === undefined) return true;
  const before = id.slice(0, slash);
  return pattern.queue === undefined
    ? before.endsWith(`/${pattern.consumer}`)
    : before === `${pattern.queue}/${pattern.consumer}`;
}
