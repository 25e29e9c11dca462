import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../../errors/ops-error.ts';
import { GOALS, type Goal, whyNotYet } from '../../health/goals.ts';
import type { Context } from '../../model/context.ts';
import { loadSystems, type SystemStatus, type SystemsChoice, type SystemsSource } from './several.ts';

export interface WaitOptions extends SystemsChoice {
  readonly goals: readonly Goal[];
  /** In milliseconds. */
  readonly waitMs: number;
}

export interface Waited {
  readonly systems: readonly SystemStatus[];
  /** What was not reached, with the reason; empty where every system reached all goals. */
  readonly open: readonly { readonly goal: Goal; readonly why: string }[];
}

/** `synced,drained` as goals. @throws OpsError USAGE */
export function parseGoals(text: string): Goal[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const strange = names.find((name) => !GOALS.some((goal) => goal === name));
  if (strange !== undefined || names.length === 0) {
    throw new OpsError('USAGE', `--for: "${strange ?? text}" is nothing to wait for`, {
      hints: [`name some of ${GOALS.join(', ')}`],
    });
  }
  return names as Goal[];
}

const POLL_MS = 500;
/** A server that is being deployed may not be up yet. */
const NOT_UP_YET: readonly string[] = ['CONN_UNREACHABLE', 'CONN_TIMEOUT', 'CONN_NO_JETSTREAM', 'CONN_NO_LEADER'];

/** Why systems have not reached a goal; of several, each by its name and its server. */
function whyNot(goal: Goal, systems: readonly SystemStatus[]): string | undefined {
  const whys = systems.flatMap(({ report, error }) => {
    const why = error?.message ?? whyNotYet(goal, report);
    if (why === undefined) return [];
    const { system, target } = report;
    return [systems.length === 1 ? why : `${[system, target && `at ${target.url}`].filter(Boolean).join(' ')}: ${why}`];
  });
  return whys.join('; ') || undefined;
}

/**
 * Looks until every system has reached every goal at the same time, or the time is over.
 * @throws OpsError what `loadSystems` and what it gives throw; CONN_* only once the time is over
 */
export async function waitForStatus(context: Context, { goals, waitMs, ...choice }: WaitOptions): Promise<Waited> {
  const deadline = performance.now() + waitMs;
  const atAnyCost = goals.some((goal) => goal === 'dlq-empty' || goal === 'healthy');
  const openSystems = await loadSystems(context, { ...choice, atAnyCost });
  let source: SystemsSource | undefined;
  let last: Waited | undefined;
  let told = '';
  try {
    for (;;) {
      try {
        source ??= await openSystems();
        const systems = await source.look();
        const open = goals.flatMap((goal) => {
          const why = whyNot(goal, systems);
          return why === undefined ? [] : [{ goal, why }];
        });
        last = { systems, open };
        if (open.length === 0) return last;
        const text = open.map(({ goal, why }) => `not ${goal} yet (${why})`).join('; ');
        if (text !== told) context.io.tell({ type: 'note', text });
        told = text;
      } catch (error) {
        if (!(error instanceof OpsError) || !NOT_UP_YET.includes(error.code) || performance.now() >= deadline)
          throw error;
        if (told !== error.message) context.io.tell({ type: 'note', text: `${error.message}; trying again` });
        told = error.message;
      }
      if (performance.now() >= deadline && last) return last;
      await sleep(Math.max(1, Math.min(POLL_MS, deadline - performance.now())));
      context.io.signal.throwIfAborted();
    }
  } finally {
    await source?.close();
  }
}
