import { fileURLToPath } from 'node:url';
import { TASKS } from '../../src/lib/ui/help.ts';
import { cell } from './markdown.ts';
import type { CommandSurface, FlagSurface } from './surface.ts';

export const COMMANDS_PAGE_FILE = fileURLToPath(new URL('../../docs/commands.md', import.meta.url));

const HEAD = `# Commands

Data goes to stdout, notes, progress and prompts to stderr. With \`--json\` stdout is one JSON document, of a failure as
well; its shape is in [schemas/results](../schemas/results). Prompts appear on a terminal only: elsewhere safe work just
runs, and what destroys refuses unless its flag names it. [Exit codes](exit-codes.md) are the same for all commands;
[every error](errors.md) has a code and a paragraph.

Flags may stand before the command, too: \`osapi-ops -s nats://prod:4222 status\`. Standard input is read only where \`-\`
stands: a script that a shell reads from a pipe keeps its other lines. Where the reader of the output goes, as \`head\`
does, a command that only looks ends without a word, and one that changes something goes on to its end.

A value is taken from the flag, else from its variable, else it is the default. This page is made from the code by
\`npm run docs\`; the tests run every example.
`;

/** Descriptions are broken where the source's lines end. */
const reflow = (text: string): string => text.replace(/[ \t]*\n(?!\n)[ \t]*/g, ' ');
const anchor = (id: string): string => `osapi-ops-${id.replaceAll(' ', '-')}`;

/** Commands by what a person is about to do; what no task names comes last. */
function grouped(surface: readonly CommandSurface[]): [string, CommandSurface[]][] {
  const topic = ({ id }: CommandSurface): string => id.split(' ')[0]!;
  const named = TASKS.flatMap(([, topics]) => topics);
  const rest = surface.filter((command) => !named.includes(topic(command)));
  const groups = TASKS.map(([task, topics]): [string, CommandSurface[]] => [
    task,
    topics.flatMap((name) => surface.filter((command) => topic(command) === name)),
  ]);
  return [...groups, ['Others', rest] as [string, CommandSurface[]]].filter(([, commands]) => commands.length > 0);
}

function usage({ id, args }: CommandSurface): string {
  const words = Object.entries(args).map(([name, { required, multiple }]) => {
    const word = `${name.toUpperCase()}${multiple ? '...' : ''}`;
    return required ? word : `[${word}]`;
  });
  return ['osapi-ops', id, ...words, '[FLAGS]'].join(' ');
}

function flagRow(name: string, flag: FlagSurface): string {
  const value = flag.type === 'option' ? ` ${flag.options ? flag.options.join('\\|') : 'VALUE'}` : '';
  const remarks = [
    ...(flag.required ? ['required'] : []),
    ...(flag.multiple ? ['may be repeated'] : []),
    ...(flag.default === undefined || flag.default === false ? [] : [`default \`${flag.default}\``]),
  ];
  const names = [`--${name}${value}`, ...(flag.char ? [`-${flag.char}`] : [])].map((text) => `\`${text}\``);
  const what = `${cell(flag.summary)}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`;
  return `| ${names.join(', ')} | ${flag.env ? `\`${flag.env}\`` : ''} | ${what} |`;
}

const flagTable = (flags: readonly (readonly [string, FlagSurface])[]): string =>
  ['| flag | variable | |', '| --- | --- | --- |', ...flags.map(([name, flag]) => flagRow(name, flag))].join('\n');

/** The flags every command has, or every command that connects; told once. */
const SHARED = ['CONNECTION', 'OUTPUT'];
const isShared = ([name, flag]: readonly [string, FlagSurface], shared: ReadonlyMap<string, FlagSurface>): boolean =>
  JSON.stringify(shared.get(name)) === JSON.stringify(flag);

function section(command: CommandSurface, shared: ReadonlyMap<string, FlagSurface>): string {
  const own = Object.entries(command.flags).filter((entry) => !isShared(entry, shared));
  const connects = 'server' in command.flags;
  const args = Object.entries(command.args);
  return [
    `### osapi-ops ${command.id}`,
    '',
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    '',
    '```',
    usage(command),
    '```',
    '',
    reflow(command.description),
    '',
    '```sh',
    ...command.examples,
    '```',
    '',
    ...(args.length > 0
      ? [
          '| argument | |',
          '| --- | --- |',
          ...args.map(([name, arg]) => `| \`${name.toUpperCase()}\` | ${cell(arg.summary)} |`),
          '',
        ]
      : []),
    ...(own.length > 0 ? [flagTable(own), ''] : []),
    connects
      ? 'Besides: [connection flags](#connection-flags), [output flags](#output-flags).'
      : 'Connects to no server of yours. Besides: [output flags](#output-flags).',
    '',
  ].join('\n');
}

/** The text of docs/commands.md. */
export function commandsPageText(surface: readonly CommandSurface[]): string {
  const everywhere = new Map<string, FlagSurface>();
  for (const { flags } of surface.filter(({ id }) => id === 'plan'))
    for (const [name, flag] of Object.entries(flags)) if (SHARED.includes(flag.group ?? '')) everywhere.set(name, flag);
  const of = (group: string) => [...everywhere].filter(([, flag]) => flag.group === group);
  const groups = grouped(surface);
  return [
    HEAD,
    ...groups.map(([task, commands]) =>
      [
        `**${task}**`,
        '',
        '| command | |',
        '| --- | --- |',
        ...commands.map(({ id, summary }) => `| [\`${id}\`](#${anchor(id)}) | ${cell(summary)} |`),
        '',
      ].join('\n'),
    ),
    `## Connection flags\n\nAs in the nats CLI, with its variables and its precedence: flag, variable, \`--context\` or the selected context, the
spec's \`connection\`. Every plan says which of them chose the server.\n\n${flagTable(of('CONNECTION'))}\n`,
    `## Output flags\n\n${flagTable(of('OUTPUT'))}\n`,
    ...groups.flatMap(([task, commands]) => [
      `## ${task}\n`,
      ...commands.map((command) => section(command, everywhere)),
    ]),
  ].join('\n');
}
