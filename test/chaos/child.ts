// A replay as a process of its own, to be killed at any moment. Its arguments: url, name of the protocol, in flight,
// queue, the number of steps after which it kills itself (0: never), the length of its lock (0: the real one), and
// messages a second (0: as many as go).
import { setTimeout as sleep } from 'node:timers/promises';
import { withQueueLocks } from '../../src/lib/dlq/lock.ts';
import { LEASE, type Lease } from '../../src/lib/ledger/turn.ts';
import { TO_REPLAY } from '../../src/lib/model/entry.ts';
import type { EntryFilter } from '../../src/lib/model/entry-filter.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { locateQueues } from '../../src/lib/places/queues.ts';
import { PROTOCOL, type Protocol, type Step } from '../../src/lib/replay/protocol.ts';
import { replayQueue } from '../../src/lib/replay/queue.ts';
import { Tally } from '../../src/lib/replay/tally.ts';
import { roomForLock } from '../../src/lib/replay/want.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';

/** The protocol, and what it would be with a step taken out or moved: those the checker has to see through. */
export const PROTOCOLS = {
  real: PROTOCOL,
  'removes-first': { ...PROTOCOL, room: ['remove-original', 'publish', 'remove-records'] },
  'no-journal': { ...PROTOCOL, full: ['remove-original', 'publish', 'remove-records'] },
  'keeps-original': { ...PROTOCOL, room: ['publish', 'remove-records'] },
  // At its end, removes by the bare sequence what it saw dead at its beginning, whatever lies there by then.
  'by-number': PROTOCOL,
} as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof PROTOCOLS;

/** The same steps; says when the first message takes the first of them, and dies after the last that it may take. */
function watched(steps: readonly Step[], life: { left: number; isSaid: boolean }): readonly Step[] {
  return Object.assign([...steps], {
    *[Symbol.iterator]() {
      if (!life.isSaid) process.stdout.write('moving\n');
      life.isSaid = true;
      for (const step of steps) {
        yield step;
        life.left -= 1;
        if (life.left === 0) process.kill(process.pid, 'SIGKILL');
      }
    },
  });
}

/** A lock of another length, in the proportions of the real one. */
function leaseOf(lengthMs: number): Lease {
  const by = lengthMs / LEASE.lengthMs;
  return { lengthMs, renewMs: LEASE.renewMs * by, giveUpMs: LEASE.giveUpMs * by };
}

async function main([url, name, inFlight, queue, steps, lockMs, rate]: readonly string[]): Promise<void> {
  const server = { url: url! };
  const nats = await connectTo(server, { timeout: '20s' });
  const context = contextFor(server);
  const tally = new Tally(false);
  const responses = 'responses';
  const { room, full }: Protocol = PROTOCOLS[name as ProtocolName];
  const life = { left: Number(steps), isSaid: false };
  const numbers: number[] = [];
  if (name === 'by-number') {
    for await (const { payload } of getRange(nats, 'requests_dlq', 1)) {
      if (Buffer.from(payload).includes('stream_seq'))
        numbers.push(Number(JSON.parse(Buffer.from(payload).toString()).stream_seq));
    }
  }
  const protocol: Protocol = { room: watched(room, life), full: watched(full, life) };
  const filter: EntryFilter = { states: TO_REPLAY };
  try {
    const refs = await locateQueues(nats, { queues: [queue!] });
    for (const ref of refs) {
      const lease = Number(lockMs) > 0 ? leaseOf(Number(lockMs)) : LEASE;
      await withQueueLocks(
        context,
        nats,
        [ref.queue],
        { verb: 'replay', lockWaitMs: 20_000, lease, makeRoom: roomForLock(nats, ref, filter, Date.now()) },
        async (signal, held) => {
          await replayQueue({
            nats: held,
            ref: { ...ref, responses },
            filter,
            wishes: {
              maxInFlight: Number(inFlight),
              maxReplays: 1_000_000,
              wait: false,
              waitMs: 0,
              ...(Number(rate) > 0 && { rate: Number(rate) }),
            },
            tally,
            signal,
            now: Date.now(),
            protocol,
            onProgress: () => {},
            tellNote: (text) => process.stdout.write(`${text}\n`),
            tellWarning: (text) => process.stdout.write(`${text}\n`),
          });
        },
      );
    }
  } finally {
    // Late enough for a stream that was made anew to have messages of these sequences.
    if (numbers.length > 0) await sleep(200);
    await Promise.all(numbers.map((seq) => nats.api(`STREAM.MSG.DELETE.${queue}`, { seq }).catch(() => {})));
    await nats.close();
  }
  process.stdout.write(`done ${JSON.stringify(tally.result())}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const { code, message, where = '' } = error as { code?: string; message: string; where?: string };
  process.stdout.write(`failed ${code} ${message} [${where}]\n`);
  process.exitCode = (error as { exitCode?: number }).exitCode ?? 1;
});
