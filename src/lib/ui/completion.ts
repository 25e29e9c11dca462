import type { Choice } from '../complete/choices.ts';
import type { Current } from '../complete/words.ts';
import { ageOf } from './render/dlq.ts';
import { clean } from './sanitize.ts';

/** Shells that completion is written for. */
export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

export interface Offered {
  readonly choices: readonly Choice[];
  readonly stem: string;
  readonly files?: { readonly endings: readonly string[]; readonly folders: boolean };
}

/** A longer remark would push the next one off the line. */
const LONGEST_REMARK = 70;

/**
 * What can be inserted: begins with what is typed, and holds nothing that a terminal would obey or a command would take
 * for a flag. Names from a server may hold anything; the others are left out.
 */
export function usable(choices: readonly Choice[], partial: string): readonly Choice[] {
  const seen = new Set<string>();
  return choices.filter(({ value }) => {
    if (!value.startsWith(partial) || value === '' || clean(value) !== value || seen.has(value)) return false;
    seen.add(value);
    return true;
  });
}

/** What is said beside a choice: `requests.dns, 2h`. */
function remarkOf({ about = '', since }: Choice, now: Date): string {
  const text = [about, ...(since === undefined ? [] : [ageOf(since, now)])].filter((part) => part !== '').join(', ');
  const plain = clean(text);
  return plain.length > LONGEST_REMARK ? `${plain.slice(0, LONGEST_REMARK - 1)}…` : plain;
}

/**
 * The answer to a shell's script: a line that says what follows (`:values`, `:files yaml yml`, `:folders`), then a
 * line for each choice, its value and its remark with a tab between; for bash the value alone, quoted as it is inserted.
 */
export function renderReply(
  { choices, stem, files }: Offered,
  { shell, current, now }: { shell: Shell; current: Current; now: Date },
): string {
  const head = files ? (files.folders ? ':folders' : [':files', ...files.endings].join(' ')) : ':values';
  const rows = choices.map((choice) => {
    const word = `${stem}${choice.value}`;
    if (shell === 'bash') return quoteForBash(word, current);
    const remark = remarkOf(choice, now);
    return remark === '' ? word : `${word}\t${remark}`;
  });
  return `${[head, ...rows.filter((row) => row !== undefined)].join('\n')}\n`;
}

/**
 * The rest of a word as readline inserts it, in the quotes that are open. `undefined` for what cannot stand in them.
 * Inside quotes, bash adds the closing one.
 */
export function quoteForBash(word: string, { quote, kept }: Current): string | undefined {
  const rest = word.slice(kept);
  if (quote === "'") return rest.includes("'") ? undefined : rest;
  if (quote === '"') return rest.includes('!') ? undefined : rest.replace(/["\\$`]/g, '\\$&');
  return rest.replace(/[^\p{L}\p{N}_@%+=:,./-]/gu, '\\$&');
}
