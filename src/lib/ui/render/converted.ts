import type { Problem } from '../../errors/ops-error.ts';
import { asSentences } from '../text.ts';

/** What of the foreign files is not in the spec, and what is wrong with the spec, a text each. */
export function convertWarnings(result: {
  readonly leftOut: readonly { readonly file: string; readonly path: string; readonly why: string }[];
  readonly problems: readonly Problem[];
}): string[] {
  const rest = result.leftOut.map(
    ({ file, path, why }) => `left out: ${[file, path].filter(Boolean).join(', ')}: ${why}`,
  );
  const wrong = result.problems.map(({ code, path, message, why, hint }) => {
    const sentences = asSentences([`${path ? `${path}: ` : ''}${message}`, ...(why ? [why] : [])]);
    return `${sentences}${hint ? ` Try: ${hint}` : ''} [${code}]`;
  });
  return [...rest, ...wrong];
}
