import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../model/context.ts';
import type { StatusReport } from '../../model/verdict.ts';
import type { SpecChoice } from '../spec-source.ts';
import { loadStatus, openStatus } from '../status.ts';

/** Looks again and again, until Ctrl-C, which is its usual end. @throws what `loadStatus`, `openStatus` and a look throw */
export async function watchStatus(
  context: Context,
  choice: SpecChoice & { readonly everyMs: number },
  show: (report: StatusReport) => void,
): Promise<void> {
  const { signal } = context.io;
  const source = await openStatus(context, await loadStatus(context, choice));
  try {
    while (!signal.aborted) {
      show(await source.look());
      await sleep(choice.everyMs, undefined, { signal }).catch(() => {});
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await source.close();
  }
}
