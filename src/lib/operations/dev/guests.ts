import { once } from 'node:events';
import { spawnWatched } from '../../devserver/watchdog.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';

/** How this very program is started again: Node, then the script. */
export type Launcher = readonly [string, ...string[]];

/** A command of ours that works on the development server. It ends with us, however we end. */
export interface Guest {
  /** Stops it as Ctrl-C does, and waits. */
  end(): Promise<void>;
}

/** Commands of ours on the development server, as one would type them; what they say goes to stderr. */
export function guestsOf(context: Context, launcher: Launcher, url: string) {
  const start = (...line: string[]) => {
    const [program, ...script] = launcher;
    const child = spawnWatched(program, [...script, ...line, '--server', url, '--no-context'], {
      cwd: context.cwd,
      env: { ...context.env, OSAPI_OPS_JSON: undefined, OSAPI_OPS_DETACH: undefined },
      // A session of its own: Ctrl-C of the terminal is for us, and we stop it in order.
      detached: true,
      windowsHide: true,
      stdio: ['ignore', process.stderr, 'inherit'],
    });
    return { child, exited: once(child, 'exit') as Promise<[number | null]> };
  };
  return {
    /** @throws OpsError DEV_FAILED where it could not be applied; the reason was told */
    async apply(spec: string): Promise<void> {
      const { child, exited } = start('apply', spec, '--yes');
      const stop = () => child.kill('SIGTERM');
      context.io.signal.addEventListener('abort', stop);
      const [code] = await exited;
      context.io.signal.removeEventListener('abort', stop);
      context.io.signal.throwIfAborted();
      if (code === 0) return;
      throw new OpsError('DEV_FAILED', `${spec} could not be applied to the development server`, {
        where: spec,
        why: 'What `apply` said stands above.',
        hints: ['mend it and start again; `--fresh` starts without the data of the last time'],
      });
    },

    work(handler: string, spec: string | undefined): Guest {
      const { child, exited } = start(
        'worker',
        'run',
        ...(spec === undefined ? [] : [spec]),
        '--handler',
        handler,
        '--watch',
      );
      let isEnding = false;
      void exited.then(([code]) => {
        if (isEnding) return;
        const text = `the worker ended with exit code ${code}; the server runs on`;
        context.io.tell({ type: 'note', text });
      });
      return {
        async end() {
          isEnding = true;
          child.kill('SIGTERM');
          await exited;
        },
      };
    },
  };
}
