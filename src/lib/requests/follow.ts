import { setTimeout as sleep } from 'node:timers/promises';
import { CAPTURES, dlqSubjects } from '../facts/names.ts';
import type { QueueRef } from '../model/entry.ts';
import type { Fetched, RequestStatus } from '../model/request.ts';
import type { Nats } from '../nats/connect.ts';
import { getMessage } from '../nats/messages.ts';
import { type FetchOptions, type Found, fetchRequest, fetchResponse, readRequestState } from './fetch.ts';
import { isRequestId } from './id.ts';

/** Both in milliseconds: how soon is looked again, and at most how late. */
const FIRST_MS = 20;
const SLOWEST_MS = 1000;
/** The state is several requests: asked for at most so often, in milliseconds. */
const STATE_EVERY_MS = 2000;

/** Wakes whoever waits when something was heard that may concern a request. What was heard counts for nothing else. */
export interface Ear {
  /** Resolves when something is heard, or after so many milliseconds. */
  next(ms: number): Promise<void>;
  close(): void;
}

/**
 * Listens to the response's subject and to deaths in these queues. Where a user may not subscribe nothing is heard,
 * and looking from time to time has to do.
 */
export function listenFor(nats: Nats, refs: readonly QueueRef[], buckets: readonly string[], id: string): Ear {
  let heard = false;
  let wake: (() => void) | undefined;
  const callback = () => {
    heard = true;
    wake?.();
  };
  const subjects = [
    ...(isRequestId(id) ? buckets.map((bucket) => `$KV.${bucket}.${id}`) : []),
    ...refs.flatMap(({ queue }) => dlqSubjects(queue, CAPTURES)),
  ];
  const subscriptions = subjects.map((subject) => nats.nc.subscribe(subject, { callback }));
  return {
    async next(ms) {
      if (!heard) {
        const timer = new AbortController();
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const signal = AbortSignal.any([timer.signal, nats.signal]);
        await Promise.race([woken, sleep(ms, undefined, { signal }).catch(() => {})]);
        timer.abort();
        wake = undefined;
      }
      heard = false;
      nats.signal.throwIfAborted();
    },
    close() {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

export interface FollowOptions extends FetchOptions {
  /** In milliseconds. */
  readonly timeoutMs: number;
  /** Where the message is, if that is known already. */
  readonly found?: Found;
  readonly ear: Ear;
  /** Hears each state that differs from the one before. */
  onState?(status: RequestStatus): void;
}

const isDecided = ({ status }: Fetched): boolean => status.state === 'answered' || status.state === 'dead';

/** Whether the very message is stored, and not another under its sequence. */
const isStill = async (nats: Nats, { ref, message }: Found): Promise<boolean> =>
  (await getMessage(nats, ref.queue, message.seq))?.time === message.time;

/**
 * Waits until a request is answered or dead, or the time is over; gives what is known then.
 * @throws OpsError CONN_*, DENIED_SUBJECT, INTERRUPTED
 */
export async function followRequest(
  nats: Nats,
  refs: readonly QueueRef[],
  id: string,
  options: FollowOptions,
): Promise<Fetched> {
  const { buckets, ear, onState } = options;
  const until = performance.now() + options.timeoutMs;
  let found = options.found;
  let latest: Fetched | undefined;
  let nextState = options.found ? performance.now() + STATE_EVERY_MS / 4 : 0;
  for (let wait = FIRST_MS; ; wait = Math.min(wait * 1.5, SLOWEST_MS)) {
    const answer = await fetchResponse(nats, buckets, id);
    if (answer) return answer;
    const isLast = performance.now() >= until;
    if (isLast || performance.now() >= nextState) {
      // A message that has left its queue was answered, or moved: it is looked for anew.
      if (found && !(await isStill(nats, found))) found = undefined;
      const now = found
        ? await readRequestState(nats, id, found, options.now())
        : await fetchRequest(nats, refs, id, options);
      if (now.status.state !== latest?.status.state || now.status.deliveries !== latest.status.deliveries) {
        onState?.(now.status);
      }
      latest = now;
      if (isDecided(now) || isLast) return (await fetchResponse(nats, buckets, id)) ?? now;
      nextState = performance.now() + STATE_EVERY_MS;
    }
    await ear.next(Math.max(1, Math.min(wait, until - performance.now())));
  }
}
