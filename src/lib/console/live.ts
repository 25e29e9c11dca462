import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { leadIn } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { Target } from '../model/resource.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Action, May, Queues, ServerState } from '../model/wire.ts';
import { listReplays } from '../operations/dlq/replays/ls.ts';
import { ACTION_NAMES, readMay } from '../operations/may.ts';
import { type LiveSource, openLive, type Rates } from '../operations/status/live.ts';
import { failureJson } from './answer.ts';
import type { Hub } from './hub.ts';

/** Between two looks, and of the time at most so much is spent on looking. */
const EVERY_MS = 2000;
const SHARE = 0.25;
const RETRY_MS = 2000;
/** So often it is asked what this user may do: a system may have been applied, or the user changed. */
const MAY_MS = 30_000;

export const everyAction = (may: May): Record<Action, May> =>
  Object.fromEntries(ACTION_NAMES.map((action) => [action, may])) as unknown as Record<Action, May>;

/** Looks at the server again and again while somebody watches; a server that is away is a state, and comes back. */
export class Live {
  readonly #context: Context;
  readonly #specs: readonly LoadedSpec[];
  readonly #file: string | undefined;
  readonly #hub: Hub;
  readonly #onAway: () => void;
  readonly #rates: Rates = new Map();
  #watchers = 0;
  #wake = Promise.withResolvers<void>();
  #state: ServerState;
  target: Target | null = null;
  may: Readonly<Record<Action, May>> = everyAction({ allowed: true, missing: [] });
  /** Why the server is away. */
  fault: unknown;

  constructor(
    context: Context,
    {
      specs,
      file,
      hub,
      onAway,
    }: { specs: readonly LoadedSpec[]; file: string | undefined; hub: Hub; onAway: () => void },
  ) {
    this.#context = context;
    this.#specs = specs;
    this.#file = file;
    this.#hub = hub;
    this.#onAway = onAway;
    this.#state = { state: 'starting', since: context.now().toISOString() };
    hub.tell('server', this.#state);
  }

  get state(): ServerState {
    return this.#state;
  }

  /** What is seen next. @throws what keeps it from being seen: an OpsError where the server is away */
  async latest(): Promise<Queues> {
    const { promise, resolve, reject } = Promise.withResolvers<Queues>();
    const away = () => {
      const { state, fault } = this;
      if (state.state === 'away' || state.state === 'denied') reject(fault);
    };
    const unlisten = this.#hub.listen(({ event, data }) => {
      if (event === 'queues') resolve(JSON.parse(data) as Queues);
      else if (event === 'server') away();
    });
    try {
      away();
      return await promise;
    } finally {
      unlisten();
    }
  }

  /** Somebody watches from now on, until what is given back is called. */
  watch(): () => void {
    this.#watchers += 1;
    this.#wake.resolve();
    let isOver = false;
    return () => {
      if (!isOver) this.#watchers -= 1;
      isOver = true;
    };
  }

  #become(state: ServerState['state'], more: Pick<ServerState, 'error' | 'retry_in_ms'> = {}): void {
    const isSame = this.#state.state === state;
    this.#state = { state, since: isSame ? this.#state.since : this.#context.now().toISOString(), ...more };
    this.#hub.tell('server', this.#state);
  }

  /** Until the console ends. It looks once at the start, so that the first page has what it needs. */
  async run(): Promise<void> {
    const { signal } = this.#context.io;
    let source: LiveSource | undefined;
    let asked = Number.NEGATIVE_INFINITY;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      if (!isFirst && this.#watchers === 0) {
        this.#wake = Promise.withResolvers();
        const stop = () => this.#wake.resolve();
        signal.addEventListener('abort', stop);
        await this.#wake.promise;
        signal.removeEventListener('abort', stop);
        if (signal.aborted) break;
      }
      const began = performance.now();
      let pause = EVERY_MS;
      try {
        if (!source) {
          // Its own: a look that fails says that this one is lost.
          source = await openLive({ ...this.#context, sharing: undefined }, this.#specs, this.#rates);
          this.target = source.target;
          asked = Number.NEGATIVE_INFINITY;
        }
        if (performance.now() - asked > MAY_MS) {
          this.may = await readMay(source.nats, this.#specs);
          asked = performance.now();
        }
        await this.#look(source);
        this.#become('connected');
        pause = Math.max(EVERY_MS, (performance.now() - began) / SHARE);
      } catch (error) {
        if (signal.aborted) break;
        await source?.close().catch(() => {});
        this.#onAway();
        source = undefined;
        this.fault = error;
        const isDenied = error instanceof OpsError && error.code.startsWith('DENIED');
        this.#become(isDenied ? 'denied' : 'away', {
          error: failureJson(error, leadIn(this.#context.connection)).error,
          retry_in_ms: RETRY_MS,
        });
        pause = RETRY_MS;
      }
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    await source?.close().catch(() => {});
  }

  async #look(source: LiveSource): Promise<void> {
    this.#hub.tell('queues', await source.look());
    const replays = await listReplays(
      { ...this.#context, io: { ...this.#context.io, tell: () => {} } },
      { file: this.#file, limit: 20 },
    ).catch((error: unknown) => {
      if (error instanceof OpsError && (error.code.startsWith('DENIED') || error.code === 'NOT_FOUND')) return [];
      throw error;
    });
    this.#hub.tell('replays', replays);
  }
}
