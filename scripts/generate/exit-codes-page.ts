import { fileURLToPath } from 'node:url';
import { CODES, EXIT } from '../../src/lib/errors/codes.ts';
import { table } from './markdown.ts';

export const EXIT_CODES_PAGE_FILE = fileURLToPath(new URL('../../docs/exit-codes.md', import.meta.url));

const MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done; healthy; nothing to change',
  failed: 'failed, or refused for safety: the message says which, and what to do',
  pending:
    '`plan --detailed-exitcode`: changes pending; `status`: a warning or worse, drifted, or nothing there to judge; `request get`: no response yet',
  usage: 'the command line is wrong',
  invalidSpec: 'the spec (or a saved plan) is invalid',
  unavailable: 'the server cannot be reached, or has no JetStream or no leader',
  bug: 'a defect in osapi-ops itself; the message says how to report it',
  held: 'somebody else holds the lock (who, since when), or the saved plan is stale',
  denied: 'the server refused the credentials, or a permission is missing: the denied subject is named',
  interrupted: 'interrupted; what was done and what remains is printed',
};

/** The text of docs/exit-codes.md. */
export const exitCodesPageText = (): string => {
  const rows = (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name) => {
    const codes = Object.entries(CODES).filter(([, exit]) => exit === EXIT[name]);
    return [
      String(EXIT[name]),
      MEANING[name],
      codes.map(([code]) => `[${code}](errors.md#${code.toLowerCase()})`).join(' '),
    ];
  });
  return `# Exit codes

Stable, the same for all commands, and guarded by a test. With \`status --output nagios\` they are a plugin's instead: 0, 1, 2, 3.

${table(['code', 'means', 'errors'], rows)}

A command line that cannot be read is always 64, never 2, so that a pipeline can tell "you typed it wrong" from "changes are
pending". This page is made from the code by \`npm run docs\`.
`;
};
