import { fileURLToPath } from 'node:url';
import type { ArgSurface, CommandSurface, FlagSurface } from './surface.ts';

export const SURFACE_FILE = fileURLToPath(new URL('../../schemas/commands.json', import.meta.url));

/** What scripts rely on; words for people may change and are not in it. */
export interface Snapshot {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly aliases: readonly string[];
        readonly args: Readonly<Record<string, Omit<ArgSurface, 'summary'>>>;
        readonly flags: Readonly<Record<string, Omit<FlagSurface, 'summary' | 'group'>>>;
      }
    >
  >;
}

export function snapshotOf(surface: readonly CommandSurface[]): Snapshot {
  const map = <T, R>(given: Readonly<Record<string, T>>, make: (value: T) => R): Record<string, R> =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [name, make(value)]));
  const commands = surface.map(({ id, aliases, args, flags }) => [
    id,
    {
      aliases,
      args: map(args, ({ summary: _, ...arg }) => arg),
      flags: map(flags, ({ summary: _, group: __, ...flag }) => flag),
    },
  ]);
  return { commands: Object.fromEntries(commands) };
}

/** The text of schemas/commands.json. */
export const surfaceText = (surface: readonly CommandSurface[]): string =>
  `${JSON.stringify(snapshotOf(surface), null, 2)}\n`;

type Loose = Readonly<Record<string, unknown>>;

/** What would break a script that worked with `before`: names that are gone, meanings that changed. One sentence each. */
export function breaks(before: Snapshot, after: Snapshot): readonly string[] {
  const gone: string[] = [];
  for (const [id, command] of Object.entries(before.commands)) {
    const now = after.commands[id];
    if (!now) {
      gone.push(`the command \`${id}\` is gone`);
      continue;
    }
    for (const alias of command.aliases.filter((name) => !now.aliases.includes(name)))
      gone.push(`\`${id}\`: the alias \`${alias}\` is gone`);
    for (const [name, arg] of Object.entries(command.args)) {
      const found = now.args[name];
      gone.push(...changed(`\`${id}\`: the argument \`${name}\``, arg, found, ['multiple', 'default']));
    }
    for (const [name, flag] of Object.entries(command.flags)) {
      const found = now.flags[name];
      gone.push(...changed(`\`${id}\`: \`--${name}\``, flag, found, ['type', 'char', 'env', 'default', 'multiple']));
      for (const word of [...(flag.options ?? []), ...(flag.aliases ?? [])]) {
        const known = [...(found?.options ?? []), ...(found?.aliases ?? [])];
        if (found && !known.includes(word)) gone.push(`\`${id}\`: \`--${name}\` does not take \`${word}\` any more`);
      }
      if (found?.options && !flag.options) gone.push(`\`${id}\`: \`--${name}\` takes certain values only now`);
    }
    for (const [kind, was, is] of [
      ['argument', command.args, now.args],
      ['flag', command.flags, now.flags],
    ] as const) {
      for (const [name, each] of Object.entries<{ readonly required?: true }>(is))
        if (each.required && !(was as Record<string, { required?: true }>)[name]?.required)
          gone.push(`\`${id}\`: the ${kind} \`${name}\` is required now`);
    }
  }
  return gone;
}

function changed(what: string, was: object, is: object | undefined, keys: readonly string[]): string[] {
  if (!is) return [`${what} is gone`];
  return keys
    .filter((key) => (was as Loose)[key] !== undefined && (was as Loose)[key] !== (is as Loose)[key])
    .map((key) => `${what}: ${key} was ${(was as Loose)[key]}, is ${(is as Loose)[key] ?? 'none'}`);
}
