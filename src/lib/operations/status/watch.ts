import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../model/context.ts';
import { loadSystems, type SystemStatus, type SystemsChoice } from './several.ts';

/** Looks again and again, until Ctrl-C, which is its usual end. @throws what `loadSystems`, what it gives, and a look throw */
export async function watchStatus(
  context: Context,
  choice: SystemsChoice & { readonly everyMs: number },
  show: (systems: readonly SystemStatus[]) => void,
): Promise<void> {
  const { signal } = context.io;
  const open = await loadSystems(context, choice);
  const source = await open();
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
