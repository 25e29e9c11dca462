// What a queue holds, in parts and in words. Pure.

import { full } from './format.ts';
import type { Queue } from './wire.ts';

interface Part {
  readonly name: 'waiting' | 'flight' | 'retrying' | 'dead';
  readonly word: string;
  readonly n: number;
}

export interface Holding {
  /** In the same order always, without those that are none. */
  readonly parts: readonly Part[];
  /** What the parts do not tell; empty where they tell all. */
  readonly note: string;
}

/** What is retrying is in flight for the server; here it is told apart. */
export function holdingOf(queue: Queue): Holding {
  const { ready, in_flight, dead, dead_least: least = 0, capacity } = queue;
  if (ready === null || in_flight === null) return { parts: [], note: 'the queue is not there' };
  const retrying = queue.retrying ?? 0;
  const all: Part[] = [
    { name: 'waiting', word: 'waiting', n: ready },
    { name: 'flight', word: 'in flight', n: Math.max(0, in_flight - retrying) },
    { name: 'retrying', word: 'retrying', n: retrying },
    { name: 'dead', word: dead === null ? 'dead at least' : 'dead', n: dead ?? least },
  ];
  const parts = all.filter(({ n }) => n > 0);
  if (dead === null) return { parts, note: `${full(capacity.messages ?? 0)} stored, how many are dead is not known` };
  return { parts, note: parts.length === 0 ? 'empty' : '' };
}
