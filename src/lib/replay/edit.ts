import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import type { Entry } from '../model/entry.ts';
import { type Edited, editorWords, parseEdited, printForEdit } from './edit-text.ts';
import { isBroken } from './transformed.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What an edit changed, for the history: digests of subject, headers and payload together. */
export interface EditRecord {
  readonly id: string;
  readonly before: string;
  readonly after: string;
}

const BROKEN = 'its payload was JSON, and as edited it is none: replay it so?';

/** The editor's command. @throws OpsError USAGE where none is set */
export function requireEditor(env: Env): string[] {
  const words = editorWords(env.VISUAL || env.EDITOR || '');
  if (words.length > 0) return words;
  throw new OpsError('USAGE', '--edit needs an editor, and none is set', {
    where: 'VISUAL, EDITOR',
    hints: ['set EDITOR, as in EDITOR=vi'],
  });
}

/**
 * Opens an entry's message in the editor. No shell is involved: what the message holds is never a command.
 * @param confirm asks whether that is what is meant
 * @returns what came of it, or `undefined` where the person left it
 * @throws OpsError USAGE where the editor fails or the text cannot be read
 */
export async function editEntry(
  env: Env,
  entry: Entry,
  onEdited: (edit: EditRecord) => void,
  confirm: (text: string) => Promise<boolean>,
): Promise<Edited | undefined> {
  const [command, ...args] = requireEditor(env);
  const message = entry.inner.message!;
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-edit-'));
  const file = join(dir, 'message.txt');
  const original = printForEdit(entry.id, message);
  try {
    writeFileSync(file, original, { mode: 0o600 });
    await runEditor(command!, [...args, file]);
    const edited = parseEdited(readFileSync(file, 'utf8'), message);
    if (typeof edited === 'string') {
      throw new OpsError('USAGE', `${entry.id}: ${edited}`, {
        where: 'the text from the editor',
        why: 'Nothing was done with this entry.',
        hints: ['run it again, and keep the form: subject, headers, an empty line, the payload'],
      });
    }
    if (edited && isBroken(message, edited) && !(await confirm(`${entry.id}: ${BROKEN}`))) return undefined;
    if (edited) {
      const unchanged = parseEdited(original, message) as Edited;
      onEdited({ id: entry.id, before: messageDigest(unchanged), after: messageDigest(edited) });
    }
    return edited;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function messageDigest({ subject, headers, payload }: Edited): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([subject, headers]))
    .update(payload);
  return `sha256:${hash.digest('hex')}`;
}

function runEditor(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(
        new OpsError('USAGE', `the editor ${command} failed`, { why, hints: ['set EDITOR to one that runs here'] }),
      );
    const child = spawn(command, args, { stdio: 'inherit' });
    child.on('error', (error) => fail(`${error.message}.`));
    child.on('close', (code, signal) => (code === 0 ? resolve() : fail(`It ended with ${signal ?? `code ${code}`}.`)));
  });
}
