import { stableText } from '../model/json.ts';
import { type ConnectIo, createNats, type Dialled, dialFor, type Nats, untilAborted } from './connect.ts';
import type { Settings } from './settings.ts';

/** So long a connection outlives its last user, in milliseconds. */
const IDLE_MS = 15_000;

interface Held {
  readonly dialled: Promise<Dialled>;
  users: number;
  /** Nobody new gets it. */
  isDropped: boolean;
  timer?: NodeJS.Timeout;
}

/** Connections of those who look: one for the same settings, opened by the first, ended a while after the last has left. */
export class Sharing {
  readonly #held = new Map<string, Held>();
  readonly #over = new AbortController();

  /** As `connect`; closing it leaves it to the others. */
  async connect(settings: Settings, io: ConnectIo): Promise<Nats> {
    const key = stableText(settings);
    const held = this.#held.get(key) ?? this.#dial(key, settings, io);
    clearTimeout(held.timer);
    held.users += 1;
    let isOut = false;
    const leave = async () => {
      if (isOut) return;
      isOut = true;
      held.users -= 1;
      if (held.users > 0) return;
      if (held.isDropped) await this.#end(held);
      else held.timer = setTimeout(() => this.#drop(key, held), IDLE_MS);
    };
    try {
      const { nc, account } = await untilAborted(held.dialled, io.signal);
      return createNats(nc, settings, io.signal, account, [], new Set(), leave);
    } catch (error) {
      await leave();
      throw error;
    }
  }

  #dial(key: string, settings: Settings, io: ConnectIo): Held {
    const dialled = dialFor(settings, { ...io, signal: this.#over.signal });
    const held: Held = { dialled, users: 0, isDropped: false };
    this.#held.set(key, held);
    const drop = () => this.#drop(key, held);
    // Whoever comes while it is lost dials anew, and learns why that fails.
    dialled.then(async ({ nc }) => {
      for await (const { type } of nc.status()) if (type === 'disconnect') drop();
      drop();
    }, drop);
    return held;
  }

  #drop(key: string, held: Held): void {
    if (this.#held.get(key) === held) this.#held.delete(key);
    held.isDropped = true;
    if (held.users === 0) void this.#end(held);
  }

  async #end(held: Held): Promise<void> {
    clearTimeout(held.timer);
    await held.dialled.then(({ nc }) => nc.close()).catch(() => {});
  }

  /** Whoever comes now dials anew. */
  drop(): void {
    for (const [key, held] of this.#held) this.#drop(key, held);
  }

  async close(): Promise<void> {
    this.#over.abort();
    const all = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(all.map((held) => this.#end(held)));
  }
}
