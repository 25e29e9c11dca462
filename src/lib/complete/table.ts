import { textOf, textsOf } from '../model/json.ts';

export interface FlagEntry {
  readonly name: string;
  readonly char?: string;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly multiple: boolean;
  readonly options: readonly string[];
}

export interface ArgEntry {
  readonly name: string;
  readonly multiple: boolean;
  readonly options: readonly string[];
}

export interface CommandEntry {
  /** As typed: `dlq replay`. */
  readonly id: string;
  readonly words: readonly string[];
  readonly summary: string;
  readonly args: readonly ArgEntry[];
  readonly flags: readonly FlagEntry[];
}

/** Every command as completion needs it. */
export interface Table {
  readonly commands: readonly CommandEntry[];
  /** What a topic is about, by its name. */
  readonly topics: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): readonly [string, Fields][] =>
  Object.entries((value ?? {}) as Readonly<Record<string, Fields>>);

/** The table in oclif's manifest and in the `oclif` section of package.json. */
export function readTable(manifest: Fields, section: Fields): Table {
  const commands = fieldsOf(manifest.commands)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([key, { summary, args, flags }]): CommandEntry => {
      const words = key.split(':');
      return {
        id: words.join(' '),
        words,
        summary: textOf(summary),
        args: fieldsOf(args).map(([name, { multiple, options }]) => ({
          name,
          multiple: multiple === true,
          options: textsOf(options),
        })),
        flags: fieldsOf(flags)
          .filter(([, { hidden }]) => hidden !== true)
          .map(([name, { char, summary: what, type, multiple, options }]) => ({
            name,
            ...(typeof char === 'string' && { char }),
            summary: textOf(what),
            takesValue: type === 'option',
            multiple: multiple === true,
            options: textsOf(options),
          })),
      };
    });
  const topics = fieldsOf(section.topics).map(([name, { description }]) => [name, textOf(description)] as const);
  return { commands, topics: Object.fromEntries(topics) };
}
