import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../../../errors/ops-error.ts';
import { identifyActor } from '../../../ledger/actor.ts';
import { readRuns, stopRun } from '../../../ledger/replays.ts';
import type { Context } from '../../../model/context.ts';
import type { ReplayRunJson } from '../../../model/replay-run.ts';
import { toType } from '../../../model/shell.ts';
import { withPlaces } from '../../places.ts';
import { oneRun } from './show.ts';

const POLL_MS = 250;

/**
 * Ends a replay as Ctrl-C in its own terminal does, and waits until it has; one that does not run any more is left as it is.
 * @throws OpsError NOT_FOUND, DLQ_UNFINISHED where it goes on, SPEC_*, CONN_*, DENIED_*, INTERRUPTED
 */
export const stopReplay = (
  context: Context,
  { file, id, waitMs }: { file?: string; id: string; waitMs: number },
): Promise<ReplayRunJson> =>
  withPlaces(context, { file }, async ({ nats }) => {
    const { who, host } = identifyActor(context.env);
    let run = await oneRun(nats, id);
    if (run.state !== 'running') {
      context.io.tell({ type: 'note', text: `it does not run any more, and nothing was stopped: it is ${run.state}` });
      return run;
    }
    await stopRun(nats, id, `${who} on ${host}`);
    for (const start = performance.now(); performance.now() - start < waitMs; ) {
      await sleep(POLL_MS, undefined, { signal: context.io.signal }).catch(() => context.io.signal.throwIfAborted());
      run = (await readRuns(nats, id))[0] ?? run;
      if (run.state !== 'running') return run;
    }
    throw new OpsError('DLQ_UNFINISHED', `the replay ${id} was told to stop, and has not yet`, {
      where: `${run.who} on ${run.host}, pid ${run.pid}`,
      why: 'It finishes what it has begun first: a page of messages.',
      hints: [`look again with \`${toType`osapi-ops dlq replays show ${id}`}\``, 'or wait longer with --wait 5m'],
      result: run,
    });
  });
