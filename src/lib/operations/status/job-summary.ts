import { appendFile } from 'node:fs/promises';
import { systemReason } from '../../errors/system-error.ts';
import type { Context } from '../../model/context.ts';

/** Adds to the summary of a GitHub job, where this is one. A summary that cannot be written is told, not fatal. */
export async function appendJobSummary(context: Context, markdown: string): Promise<void> {
  const file = context.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  try {
    await appendFile(file, `${markdown}\n`);
  } catch (error) {
    const text = `cannot write the job's summary to ${file}: ${systemReason(error)}`;
    context.io.tell({ type: 'warning', text });
  }
}
