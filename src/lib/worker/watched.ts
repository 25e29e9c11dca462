import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Runner } from './job.ts';
import { createHandler, type HandlerOptions } from './supervise.ts';

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

export interface WatchedOptions extends HandlerOptions {
  /** Hears that the module was loaded anew, or why it was not: then the one before goes on. */
  readonly onReload: (problem?: Error) => void;
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

  const reload = async (): Promise<void> => {
    if (isStopping) return;
    try {
      const before = current;
      current = await createHandler(options);
      await endIdle(before);
      options.onReload();
    } catch (error) {
      options.onReload(error as Error);
    }
  };
  const file = resolve(options.cwd, options.file);
  const watcher: FSWatcher = watch(dirname(file), { recursive: true }, (_, name) => {
    if (name !== null && !isSource(name, basename(file))) return;
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
