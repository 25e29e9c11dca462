// One stream of events for all tabs of a browser, which has six connections to a host: the tab that holds the lock listens
// and tells the others. A tab that nobody sees does neither, and lets go of the lock.
import { keyHeader } from './client.ts';
import type { Events } from './wire.ts';

export type Connection = 'connecting' | 'live' | 'away' | 'stopped' | 'ended';

/** An event with the newest of its topic. */
export type Told = { readonly [E in keyof Events]: { readonly event: E; readonly data: Events[E] } }[keyof Events];

export interface Listener {
  tell(told: Told): void;
  connection(state: Connection): void;
}

const NAME = 'osapi-ops-events';
const SLOWEST = 5000;

/** Listens until it is stopped. */
export function listen({ tell, connection }: Listener): () => void {
  const ended = new AbortController();
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener(
    'message',
    ({ data }: MessageEvent<{ told?: Told; state?: Connection; wants?: unknown }>) => {
      if (data?.told) tell(data.told);
      if (data?.state) connection(data.state);
    },
  );
  const all: Listener = {
    tell: (told) => {
      tell(told);
      channel.postMessage({ told });
    },
    connection: (state) => {
      connection(state);
      channel.postMessage({ state });
    },
  };
  connection('connecting');
  const lead = () => leading(all, channel, ended.signal);
  // Plain HTTP from another machine has no locks: each tab listens for itself.
  if (!navigator.locks) void lead();
  else {
    channel.postMessage({ wants: 'newest' });
    navigator.locks.request(NAME, { signal: ended.signal }, lead).catch(() => {});
  }
  return () => {
    ended.abort();
    channel.close();
  };
}

/** Keeps a stream open, and opens it again where it ends. */
async function leading(all: Listener, channel: BroadcastChannel, signal: AbortSignal): Promise<void> {
  const newest = new Map<string, Told>();
  let state: Connection = 'connecting';
  const seen: Listener = {
    tell: (told) => {
      newest.set(told.event === 'run' ? `run ${told.data.id}` : told.event, told);
      all.tell(told);
    },
    connection: (next) => {
      state = next;
      all.connection(next);
    },
  };
  channel.addEventListener('message', ({ data }: MessageEvent<{ wants?: unknown }>) => {
    if (data?.wants !== 'newest') return;
    channel.postMessage({ state });
    for (const told of newest.values()) channel.postMessage({ told });
  });
  let last = '';
  for (let wait = 500; !signal.aborted; wait = Math.min(SLOWEST, wait * 2)) {
    try {
      const response = await fetch('/api/events?topics=queues,server,runs,replays', {
        credentials: 'same-origin',
        headers: { ...keyHeader(), accept: 'text/event-stream', ...(last !== '' && { 'last-event-id': last }) },
        signal,
      });
      if (response.status === 401) {
        seen.connection('ended');
        return;
      }
      if (response.ok && response.body) {
        wait = 500;
        seen.connection('live');
        for await (const { id, event, data } of eventsOf(response.body)) {
          if (id !== '') last = id;
          if (event === 'bye') {
            seen.connection('ended');
            return;
          }
          seen.tell({ event, data: JSON.parse(data) as unknown } as Told);
        }
      }
    } catch {
      // Closed by us, or lost: both are told below.
    }
    if (signal.aborted) return;
    seen.connection('away');
    await new Promise<void>((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', goOn);
        resolve();
      };
      const timer = setTimeout(goOn, wait);
      signal.addEventListener('abort', goOn);
    });
  }
}

async function* eventsOf(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ id: string; event: string; data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const fields = { id: '', event: '', data: '' };
      for (const line of block.split('\n')) {
        const [, name = '', text = ''] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
        if (name === 'data') fields.data += text;
        else if (name !== '') fields[name as 'id' | 'event'] = text;
      }
      if (fields.event !== '') yield fields;
    }
  }
}
