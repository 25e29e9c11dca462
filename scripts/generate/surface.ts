// The command surface: what people type and scripts rely on, read from the command classes themselves.
import { globSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command, Interfaces } from '@oclif/core';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = 'osapi-ops';

export interface FlagSurface {
  readonly type: 'boolean' | 'option';
  readonly summary: string;
  readonly char?: string;
  readonly env?: string;
  readonly default?: string | number | boolean;
  readonly options?: readonly string[];
  readonly multiple?: true;
  readonly required?: true;
  readonly aliases?: readonly string[];
  readonly group?: string;
}

export interface ArgSurface {
  readonly summary: string;
  readonly required?: true;
  readonly multiple?: true;
  readonly default?: string;
}

export interface CommandSurface {
  /** As typed: `dlq replay`. */
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly aliases: readonly string[];
  readonly args: Readonly<Record<string, ArgSurface>>;
  readonly flags: Readonly<Record<string, FlagSurface>>;
}

/** Every command under src/commands, by id. Hidden commands and flags are left out: nobody is told of them. */
export async function readSurface(): Promise<readonly CommandSurface[]> {
  const dir = `${ROOT}src/commands`;
  const files = globSync('**/*.ts', { cwd: dir }).sort();
  const surfaces: CommandSurface[] = [];
  // One after the other: under jest on Node 22, imports at once that share modules fail.
  for (const file of files) {
    const id = relative('', file)
      .replace(/(?:\/?index)?\.ts$/, '')
      .replaceAll(/[\\/]/g, ' ');
    const { default: command } = (await import(pathToFileURL(`${dir}/${file}`).href)) as { default: Command.Class };
    if (!command.hidden) surfaces.push(surfaceOf(id, command));
  }
  return surfaces.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function surfaceOf(id: string, command: Command.Class): CommandSurface {
  const said = (text: string): string =>
    text.replaceAll('<%= config.bin %>', BIN).replaceAll('<%= command.id %>', id).trim();
  const flags: Record<string, Interfaces.Flag<unknown>> = { ...command.flags, ...command.baseFlags };
  const examples = (Array.isArray(command.examples) ? command.examples : []) as Command.Example[];
  return {
    id,
    summary: said(command.summary ?? ''),
    description: said(command.description ?? ''),
    examples: examples.map((example) => said(typeof example === 'string' ? example : example.command)),
    aliases: command.aliases ?? [],
    // Their order is the one they are typed in.
    args: fromEntries(Object.entries(command.args ?? {}), (arg) => ({
      summary: said(arg.description ?? ''),
      ...(arg.required ? { required: true } : {}),
      ...(arg.multiple ? { multiple: true } : {}),
      ...(typeof arg.default === 'string' ? { default: arg.default } : {}),
    })),
    flags: fromEntries(Object.entries(flags).sort(byName), (flag) => (flag.hidden ? undefined : flagOf(flag, said))),
  };
}

function flagOf(flag: Interfaces.Flag<unknown>, said: (text: string) => string): FlagSurface {
  const { default: value, options } = flag as { default?: unknown; options?: readonly string[] };
  const standard: unknown = Array.isArray(value) ? value.join(',') : value;
  const isPlain = ['string', 'number', 'boolean'].includes(typeof standard);
  return {
    type: flag.type,
    summary: said(flag.summary ?? flag.description ?? ''),
    ...(flag.char ? { char: flag.char } : {}),
    ...(flag.env ? { env: flag.env } : {}),
    ...(isPlain ? { default: standard as string } : {}),
    ...(options ? { options } : {}),
    ...('multiple' in flag && flag.multiple ? { multiple: true as const } : {}),
    ...(flag.required ? { required: true } : {}),
    ...(flag.aliases?.length ? { aliases: flag.aliases } : {}),
    ...(flag.helpGroup ? { group: flag.helpGroup } : {}),
  };
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

const fromEntries = <T, R>(
  given: readonly (readonly [string, T])[],
  make: (value: T) => R | undefined,
): Record<string, R> =>
  Object.fromEntries(
    given.flatMap(([name, value]) => {
      const made = make(value);
      return made === undefined ? [] : [[name, made]];
    }),
  );
