import type { Problem } from '../../errors/ops-error.ts';
import { asSentences } from '../text.ts';

/** Whose the system is, where the files do not say it: what a server has of it may be another's. */
export function nameNote(name: string, owners: readonly string[]): string {
  const found = owners.length === 0 ? 'no owner mark' : `several owner marks (${owners.join(', ')})`;
  return `the name ${name} is a guess, for ${owners.length === 0 ? 'there is' : 'there are'} ${found} in the files: name the system with --name. What is on a server without its mark, \`osapi-ops apply\` takes over with --adopt only`;
}

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
