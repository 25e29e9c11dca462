// Command lines of osapi-ops within shell text, held against schemas/commands.json without running them.
import { hoistCommand } from '../../src/lib/complete/hoist.ts';

interface Flag {
  readonly type: 'boolean' | 'option';
  readonly char?: string;
  readonly options?: readonly string[];
}
type Commands = Readonly<Record<string, { readonly flags: Readonly<Record<string, Flag>> }>>;

/** What every command takes, though no command declares it. */
const EVERYWHERE = new Set(['--help', '--version']);

/** Words as a shell parts them, as far as documents go: quotes hold a word together, and an operator ends the command. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [token] of line.matchAll(/(?:[^\s'"|&;<>()`]+|'[^']*'|"(?:\\.|[^"\\])*")+|[|&;<>()`]/g)) {
    if (/^[|&;<>()`#]/.test(token)) break;
    words.push(token);
  }
  return words.at(-1) === '2' ? words.slice(0, -1) : words;
}

/** Where a command may begin: a line, a prompt, after an operator or a word of the shell, a step of a workflow. */
const CALL = /(?:^|[|;&(]|\$ |> |\b(?:do|then|npx|exec|sudo|run:|\w+=\S*) |- )\s*osapi-ops (?=[a-z-])(.*)/gm;

/** What is wrong with each call of osapi-ops in a shell text; empty where nothing is. */
export function faultsOf(text: string, commands: Commands): string[] {
  const joined = text.replace(/\\\n\s*/g, ' ').replace(/^\s*#.*$/gm, '');
  return [...joined.matchAll(CALL)].flatMap(([, rest]) =>
    faultsOfCall(commandFirst(wordsOf(rest!), commands), commands),
  );
}

/** Flags may stand before the command. */
function commandFirst(words: readonly string[], commands: Commands): string[] {
  if (!words[0]?.startsWith('-')) return [...words];
  const entries = Object.entries(commands).map(([id, { flags }]) => ({
    id,
    words: id.split(' '),
    summary: '',
    args: [],
    flags: Object.entries(flags).map(([name, { type, char, options = [] }]) => {
      return { name, summary: '', takesValue: type === 'option', multiple: false, options, ...(char && { char }) };
    }),
  }));
  const { path, flags, rest } = hoistCommand({ commands: entries, topics: {} }, words);
  return [...path, ...flags, ...rest];
}

function faultsOfCall(words: readonly string[], commands: Commands): string[] {
  const id = [3, 2, 1].map((count) => words.slice(0, count).join(' ')).find((name) => Object.hasOwn(commands, name));
  if (id === undefined) {
    const isTopic = Object.keys(commands).some((name) => name.startsWith(`${words[0]} `));
    return EVERYWHERE.has(words[0]!) || (isTopic && words[1] === '--help') ? [] : [`no command: ${words.join(' ')}`];
  }
  const { flags } = commands[id]!;
  return words.flatMap((word, index) => {
    const [, name, value] = /^(--?[\w-]+)(?:=(.*))?$/.exec(word) ?? [];
    if (!name || EVERYWHERE.has(name) || /^-\d/.test(name)) return [];
    const flag = name.startsWith('--')
      ? flags[name.slice(2)]
      : Object.values(flags).find(({ char }) => char === name.slice(1));
    if (!flag) return [`${id} has no ${name}`];
    const given = value ?? words[index + 1];
    if (flag.type === 'boolean') return value === undefined ? [] : [`${id}: ${name} takes no value`];
    if (given === undefined) return [`${id}: ${name} without a value`];
    return flag.options && /^[a-z]/.test(given) && !flag.options.includes(given)
      ? [`${id}: ${name} takes no "${given}"`]
      : [];
  });
}
