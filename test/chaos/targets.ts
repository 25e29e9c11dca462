import { setTimeout as sleep } from 'node:timers/promises';
import type { OpsError } from '../../src/lib/errors/ops-error.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { type ReplayOptions, replayDeadLetters } from '../../src/lib/operations/dlq/replay.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { makeDead, makeQueue, wipe } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { randomFrom } from './random.ts';
import { TAP } from './wiretap.ts';

export interface TargetsReport {
  /** What came to pass that must not, each with its round. */
  readonly faults: readonly string[];
  /** What was done to the target, and how the replay to it ended. */
  readonly ends: readonly string[];
}

const DEAD = 40;
const SIDE = { name: 'SIDE', subjects: ['side.x'], storage: 'memory', republish: { src: '>', dest: `${TAP}.>` } };

/** What becomes of the stream that `--to` means. */
const CHANGES: Readonly<Record<string, (nats: Nats) => Promise<void>>> = {
  async again(nats) {
    await nats.api('STREAM.DELETE.SIDE');
    await nats.api('STREAM.CREATE.SIDE', SIDE);
  },
  async another(nats) {
    await nats.api('STREAM.DELETE.SIDE');
    await nats.api('STREAM.CREATE.TAKER', { name: 'TAKER', subjects: ['side.>'], storage: 'memory' });
  },
  async moved(nats) {
    await nats.api('STREAM.UPDATE.SIDE', { ...SIDE, subjects: ['away.x'] });
    await nats.api('STREAM.CREATE.TAKER', { name: 'TAKER', subjects: ['side.>'], storage: 'memory' });
  },
  async gone(nats) {
    await nats.api('STREAM.DELETE.SIDE');
  },
};

/**
 * Replays to a subject whose stream is replaced at any moment, then into the queue. A request that has left the queue
 * was stored in the stream that was named; it is nowhere twice, and nothing came into a stream that nobody named.
 */
export async function playTargets({
  version,
  seed,
  rounds,
}: {
  readonly version: string;
  readonly seed: number;
  readonly rounds: number;
}): Promise<TargetsReport> {
  const random = randomFrom(seed);
  const server = await startServer({ version });
  const nats = await connectTo(server);
  const faults: string[] = [];
  const ends: string[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const names = Object.keys(CHANGES);
      const name = round < names.length ? names[(round + seed) % names.length]! : names[Math.floor(random() * 4)]!;
      await makeQueue(nats);
      await nats.api('STREAM.CREATE.SIDE', SIDE);
      await makeDead(nats, DEAD);
      const stored = new Set<string>();
      const tap = nats.nc.subscribe(`${TAP}.>`, {
        callback: (_, { data }) => void stored.add(Buffer.from(data).toString()),
      });
      const going = replay(server, { to: 'side.x', rate: 100, maxInFlight: [1, 4, 32][Math.floor(random() * 3)]! });
      while (stored.size === 0) await sleep(1);
      await sleep(random() * 200);
      await CHANGES[name]!(nats);
      ends.push(`${name}: ${await going}, then ${await replay(server, {})}`);
      tap.unsubscribe();
      const [queued, side, taken] = await Promise.all(
        ['REQUESTS', 'SIDE', 'TAKER'].map((stream) => payloads(nats, stream)),
      );
      const fault = (text: string) => faults.push(`${name}, round ${round} (seed ${seed}): ${text}`);
      if (taken!.length > 0) fault(`${taken!.length} came into a stream that nobody named`);
      for (let index = 0; index < DEAD; index++) {
        const payload = `{"id":"r${index}","query":"example.com"}`;
        const count = [...queued!, ...side!].filter((one) => one === payload).length;
        if (count > 1) fault(`r${index} is stored ${count} times`);
        if (count === 0 && !stored.has(payload)) fault(`r${index} is lost`);
      }
      await wipe(nats);
    }
  } finally {
    await nats.close();
    await server.stop();
  }
  return { faults, ends };
}

/** A replay, and how it ended: `done`, or its error's code. */
const replay = (server: TestServer, wanted: Partial<ReplayOptions['wishes']>): Promise<string> =>
  replayDeadLetters(contextFor(server), {
    filter: {},
    dryRun: false,
    edit: false,
    lockWaitMs: 1000,
    keepEntries: false,
    wishes: { maxInFlight: 256, maxReplays: 10, wait: false, waitMs: 0, ...wanted },
  }).then(
    () => 'done',
    ({ code, message }: OpsError) => code ?? message,
  );

async function payloads(nats: Nats, stream: string): Promise<string[]> {
  const { streams } = await nats.api('STREAM.NAMES');
  const found: string[] = [];
  if (!(streams as string[]).includes(stream)) return found;
  for await (const { payload } of getRange(nats, stream, 1)) found.push(Buffer.from(payload).toString());
  return found;
}
