import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Runner } from './job.ts';
import { createHandler, type HandlerOptions } from './supervise.ts';

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

export interface WatchedOptions extends HandlerOptions {
  /** Hears that the module was loaded anew, or why it was not: then the one before goes on. */
  readonly onReload: (problem?: Error) => void;
  /** Hears of a file that is looked at no more, as each reload changes it. */
  readonly onEcho: (name: string) => void;
}

/** What changes so soon after a reload, in milliseconds, and this often in a row, is written by the worker itself. */
const ECHO_MS = 1000;
const MOST_ECHOES = 3;

/** Finds the files that a worker writes in the folder of its module, such as a log called `out.json`. Pure. */
export class Echoes {
  readonly #own: string;
  readonly #onEcho: (name: string) => void;
  readonly #times = new Map<string, number>();

  /** `own`: the module's file, which its worker does not write. */
  constructor(own: string, onEcho: (name: string) => void) {
    this.#own = own;
    this.#onEcho = onEcho;
  }

  isEcho(name: string): boolean {
    return (this.#times.get(name) ?? 0) > MOST_ECHOES;
  }

  /** Whether these are worth a reload, so long after the last one. */
  isNews(names: readonly string[], sinceMs: number): boolean {
    for (const name of names) {
      if (name === this.#own || this.isEcho(name)) continue;
      const times = sinceMs > ECHO_MS ? 0 : (this.#times.get(name) ?? 0) + 1;
      this.#times.set(name, times);
      if (times > MOST_ECHOES) this.#onEcho(name);
    }
    return names.some((name) => !this.isEcho(name));
  }
}

/**
 * Whether a module may be made of a file: what the worker itself writes, as its log, would have it loaded again and again.
 * @param name below the module's folder
 * @param own the name of the module's file
 */
export const isSource = (name: string, own: string): boolean =>
  !/(^|[\\/])(\.|node_modules([\\/]|$))/.test(name) &&
  (name === own || /\.(?:[cm]?[jt]sx?|json|wasm|node)$/.test(name));

/**
 * A handler that is loaded anew whenever a module or JSON changes in its folder or below, but for hidden ones and node_modules. What
 * is being worked on ends with the module that began it.
 * @throws OpsError USAGE_FILE where it cannot be loaded at first
 */
export async function createWatchedHandler(options: WatchedOptions): Promise<Runner> {
  const runs = new Map<Runner, number>();
  let current = await createHandler(options);
  let isStopping = false;
  let pause: NodeJS.Timeout | undefined;
  let loading = Promise.resolve();

  /** One that is replaced ends with its last request. */
  const endIdle = async (runner: Runner): Promise<void> => {
    if (runner === current || (runs.get(runner) ?? 0) > 0) return;
    runs.delete(runner);
    await runner.stop();
  };

  const own = basename(options.file);
  const echoes = new Echoes(own, options.onEcho);
  const changed = new Map<string, number>();
  let loadedAt = Number.NEGATIVE_INFINITY;
  const reload = async (): Promise<void> => {
    const [first = 0] = changed.values();
    const names = [...changed.keys()];
    changed.clear();
    if (isStopping || !echoes.isNews(names, first - loadedAt)) return;
    try {
      const before = current;
      current = await createHandler(options);
      await endIdle(before);
      options.onReload();
    } catch (error) {
      options.onReload(error as Error);
    }
    loadedAt = performance.now();
  };
  const file = resolve(options.cwd, options.file);
  const watcher: FSWatcher = watch(dirname(file), { recursive: true }, (_, name) => {
    if (name !== null && (!isSource(name, own) || echoes.isEcho(name))) return;
    if (!changed.has(name ?? own)) changed.set(name ?? own, performance.now());
    clearTimeout(pause);
    pause = setTimeout(() => {
      loading = loading.then(reload);
    }, SETTLE_MS);
  });
  return {
    async run(job) {
      const runner = current;
      runs.set(runner, (runs.get(runner) ?? 0) + 1);
      try {
        return await runner.run(job);
      } finally {
        runs.set(runner, runs.get(runner)! - 1);
        void endIdle(runner);
      }
    },
    async stop() {
      isStopping = true;
      clearTimeout(pause);
      watcher.close();
      await loading;
      await Promise.all([...new Set([...runs.keys(), current])].map((runner) => runner.stop()));
    },
  };
}
