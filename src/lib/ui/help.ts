import { type Command, CommandHelp, Help } from '@oclif/core';
import { isYes, variableOf } from '../model/variables.ts';
import { isLively } from './host.ts';
import { createScreen } from './pager.ts';

type Section = ReturnType<CommandHelp['sections']>[number];

/** The order in which a reader asks: how is it called, what does it do, show me, and then every detail. */
const ORDER = ['USAGE', 'DESCRIPTION', 'EXAMPLES', 'ARGUMENTS', 'FLAGS'];

/** The groups of the flags that every command has. */
const SHARED = ['OUTPUT', 'CONNECTION'];

/** Descriptions are broken in the source where its lines end; a reader's terminal has its own width. */
const reflow = (text: string): string => text.trim().replace(/[ \t]*\n(?!\n)[ \t]*/g, ' ');

const isPlain = (value: unknown): boolean => ['string', 'number'].includes(typeof value);

class OpsCommandHelp extends CommandHelp {
  protected override sections(): Section[] {
    const sections = super.sections();
    const ordered = ORDER.flatMap((header) => sections.find((section) => section.header === header) ?? []);
    return [...ordered, { header: 'VARIABLES', generate: ({ flags }) => this.wrap(variablesOf(flags)) }];
  }

  /** A command's own flags first; those that every command has come last. */
  protected override groupFlags(flags: Command.Flag.Any[]): ReturnType<CommandHelp['groupFlags']> {
    const { flagGroups, mainFlags } = super.groupFlags(flags);
    const own = Object.keys(flagGroups).filter((group) => !SHARED.includes(group));
    const ordered = [...own, ...SHARED].flatMap((group) => (flagGroups[group] ? [[group, flagGroups[group]]] : []));
    return { mainFlags, flagGroups: Object.fromEntries(ordered) };
  }

  protected override defaultUsage(): string {
    const args = Object.values(this.command.args ?? {}).filter((arg) => !arg.hidden);
    return [this.command.id, ...args.map((arg) => this.arg(arg)), '[FLAGS]'].join(' ');
  }

  protected override arg(arg: Command.Arg.Any): string {
    const name = `${arg.name.toUpperCase()}${arg.multiple ? '...' : ''}`;
    return arg.required ? name : `[${name}]`;
  }

  protected override description(): string | undefined {
    return this.command.description ? this.wrap(reflow(this.render(this.command.description))) : undefined;
  }

  protected override examples(examples: Command.Example[] | string | undefined): string | undefined {
    const list = typeof examples === 'string' ? [examples] : (examples ?? []);
    return list
      .map((example) =>
        typeof example === 'string' ? `$ ${example}` : `# ${example.description}\n$ ${example.command}`,
      )
      .join('\n');
  }

  /** The variable of a flag follows from its name, which the last section says; only another is worth a word. */
  protected override flags(flags: Command.Flag.Any[]): Array<[string, string | undefined]> | undefined {
    return super.flags(
      flags.map((flag) => {
        const remarks = [
          ...(flag.type === 'option' && isPlain(flag.default) ? [`default ${flag.default}`] : []),
          ...(flag.env && flag.env !== variableOf(flag.name) ? [flag.env] : []),
        ];
        const summary = `${flag.summary ?? ''}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`;
        return { ...flag, summary, env: undefined, ...(flag.type === 'option' ? { default: undefined } : {}) };
      }),
    );
  }
}

/** The rule by which a flag has its variable, shown on one of these flags: the command's own where it has any. */
function variablesOf(flags: readonly Command.Flag.Any[]): string {
  const regular = flags.filter(({ name, env }) => env === variableOf(name)).map(({ name }) => name);
  const shown = regular.find((name) => name.includes('-') && !/^(allow|no)-/.test(name)) ?? regular[0] ?? 'json';
  return `Every flag has a variable: --${shown} is ${variableOf(shown)}=${
    flags.find(({ name }) => name === shown)?.type === 'option' ? '…' : '1'
  }. Where it goes by another name, that stands beside the flag.`;
}

/** Root commands and topics by what a person is about to do, in the order of a system's life. */
export const TASKS: readonly (readonly [string, readonly string[]])[] = [
  ['Provision', ['init', 'validate', 'plan', 'apply', 'destroy', 'export', 'convert', 'explain', 'schema']],
  ['Watch', ['status', 'console', 'doctor', 'history', 'monitoring', 'permissions']],
  ['Dead letters', ['dlq']],
  ['Requests and queues', ['request', 'queue', 'worker']],
  ['Development', ['dev', 'demo']],
  ['Shell', ['autocomplete']],
];

/** The help of all commands: grouped by task, details last, at the width of the terminal. */
export class OpsHelp extends Help {
  protected override CommandHelpClass = OpsCommandHelp;

  /** All that was asked for. */
  text = '';

  /** What stands under no header, such as a summary, oclif does not wrap. */
  protected override log(text: string): void {
    this.text += `${text.replace(/^\S.*$/gm, (line) => this.wrap(line, 0))}\n`;
  }

  protected override async showRootHelp(): Promise<void> {
    this.log(this.formatRoot());
    this.log('');
    for (const [task, rows] of this.groups()) {
      this.log(
        this.section(
          task.toUpperCase(),
          this.renderList(rows, { indentation: 2, spacer: '\n', stripAnsi: this.opts.stripAnsi ?? false }),
        ),
      );
      this.log('');
    }
    const advice = `Every flag has a variable: --allow-replace is ${variableOf('allow-replace')}=1. Exit codes: 0 done, 1 failed or refused, 2 changes pending, 64 wrong command line, 65 invalid spec, 69 no server, 75 held or stale, 77 denied, 130 interrupted.`;
    this.log(this.wrap(`${this.config.bin} COMMAND --help says more about a command. ${advice}`, 0));
  }

  /** Rows of the root's commands and topics. A command that has subcommands stands once; what no task names comes last. */
  private groups(): [string, [string, string | undefined][]][] {
    const topics = this.sortedTopics.map(({ name, description }) => [name, description?.split('\n', 1)[0]] as const);
    const commands = this.sortedCommands.map((command) => [command.id, this.summary(command)] as const);
    const roots = new Map([...topics, ...commands].filter(([name]) => name && !/[: ]/.test(name)));
    const named = new Set(TASKS.flatMap(([, names]) => names));
    const others = [...roots.keys()].filter((name) => !named.has(name));
    return [...TASKS, ['Others', others] as const]
      .map(([task, names]): [string, [string, string | undefined][]] => [
        task,
        names.filter((name) => roots.has(name)).map((name) => [name, roots.get(name)]),
      ])
      .filter(([, rows]) => rows.length > 0);
  }
}

/** Shows a text as a reading command does: on a terminal through a pager, where it is longer than the screen. */
export async function showPaged(text: string, { stdout, env }: Pick<NodeJS.Process, 'stdout' | 'env'>): Promise<void> {
  const screen = createScreen({ stdout, env, pages: isLively(env) && !isYes(env[variableOf('no-pager')]) });
  screen.write(text);
  await screen.end();
}
