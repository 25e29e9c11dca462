import { type Asked, type Kind, kindOfArg, kindOfFlag } from './kinds.ts';
import type { Situation } from './situation.ts';
import type { FlagEntry, Table } from './table.ts';

/** A word that can be typed, and what a person should know of it. */
export interface Choice {
  readonly value: string;
  readonly about?: string;
  /** RFC 3339: since when it is so. */
  readonly since?: string;
}

/** What completes the word under the cursor: words, or where others have to look for them. */
export interface Choices {
  readonly choices: readonly Choice[];
  /** Stands before each value: `--state=`, or what was chosen before a comma. */
  readonly stem: string;
  /** Files with one of these endings (any where there is none), or folders only: shells find those by themselves. */
  readonly files?: { readonly endings: readonly string[]; readonly folders: boolean };
  readonly contexts?: true;
  readonly asked?: Asked;
}

/** Answers all that needs neither the server nor the disk. */
export function chooseWords(table: Table, situation: Situation): Choices {
  const { wanted, stem, partial } = situation;
  switch (wanted.type) {
    case 'nothing':
      return { choices: [], stem };
    case 'command':
      return { choices: commandsAfter(table, wanted.after), stem };
    case 'flag':
      return { choices: wanted.flags.map(flagChoice).sort(byValue), stem };
    case 'value':
      return ofKind(kindOfFlag(wanted.of, wanted.flag), stem, partial);
    case 'argument': {
      const found = ofKind(kindOfArg(wanted.command.id, wanted.arg), stem, partial);
      const commands = wanted.orCommand ? commandsAfter(table, wanted.command.words) : [];
      const taken = new Set(situation.args);
      return { ...found, choices: [...commands, ...found.choices.filter(({ value }) => !taken.has(value))] };
    }
  }
}

const byValue = (a: Choice, b: Choice): number => (a.value < b.value ? -1 : 1);

const flagChoice = ({ name, summary }: FlagEntry): Choice => ({ value: `--${name}`, about: summary });

/** The words that can follow these in a command: each topic and each command once. */
function commandsAfter({ commands, topics }: Table, after: readonly string[]): readonly Choice[] {
  const found = new Map<string, Choice>();
  for (const { words, summary } of commands) {
    const value = words[after.length];
    if (value === undefined || !after.every((word, index) => words[index] === word)) continue;
    const isLast = words.length === after.length + 1;
    const about = isLast ? summary : (topics[words.slice(0, after.length + 1).join(':')] ?? '');
    if (isLast || !found.has(value)) found.set(value, { value, about });
  }
  return [...found.values()].sort(byValue);
}

function ofKind(kind: Kind, stem: string, partial: string): Choices {
  switch (kind.type) {
    case 'free':
      return { choices: [], stem };
    case 'files':
      return { choices: [], stem, files: { endings: kind.endings, folders: false } };
    case 'folders':
      return { choices: [], stem, files: { endings: [], folders: true } };
    case 'contexts':
      return { choices: [], stem, contexts: true };
    case 'server':
      return { choices: [], stem, asked: kind.asked };
    case 'words': {
      const before = kind.many ? partial.slice(0, partial.lastIndexOf(',') + 1) : '';
      const chosen = before.split(',');
      const left = kind.words.filter((word) => !chosen.includes(word));
      return { choices: left.map((value) => ({ value })), stem: stem + before };
    }
  }
}
