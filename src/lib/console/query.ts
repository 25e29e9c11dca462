import { OpsError } from '../errors/ops-error.ts';
import type { EntryChoice } from '../model/entry-filter.ts';
import { choiceFrom, dlqFilterFlags, type WrittenFilter } from '../ui/dlq-flags.ts';
import { parseFlags } from '../ui/parse-line.ts';

// What a page asks for is a command line: the same names, the same values, read by the same parser. Only what names files of
// this machine is not taken from it.

const { file: _file, ids: _ids, ...FILTERS } = dlqFilterFlags;

/** Values by name, as a query has them or a body. */
export type Given = ReadonlyMap<string, readonly string[]>;

export const givenOf = (query: URLSearchParams): Given =>
  new Map([...new Set(query.keys())].map((name) => [name, query.getAll(name)]));

/** The values of a body: texts, numbers and booleans, or lists of them. @throws OpsError USAGE */
export function givenIn(value: unknown, where: string): Given {
  if (value === undefined) return new Map();
  const fault = () => new OpsError('USAGE', `${where} is no object of names and values`, { where });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fault();
  const isPlain = (one: unknown) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean';
  return new Map(
    Object.entries(value).map(([name, each]) => {
      const all: unknown[] = Array.isArray(each) ? each : [each];
      if (!all.every(isPlain)) throw fault();
      return [name, all.map(String)];
    }),
  );
}

/** The values as words of a line; `true` is a flag alone, `false` none. */
export const wordsOf = (given: Given, definitions: object): string[] =>
  [...given].flatMap(([name, values]) => {
    const isSwitch = (definitions as Record<string, { type?: string } | undefined>)[name]?.type === 'boolean';
    return values.flatMap((value) => (isSwitch ? (value === 'false' ? [] : [`--${name}`]) : [`--${name}=${value}`]));
  });

/** Reads values as the flags of a command. @throws OpsError USAGE */
export async function readFlags<T>(
  command: string,
  definitions: object,
  given: Given,
): Promise<{ flags: T; words: string[] }> {
  const odd = [...given.keys()].find((name) => !/^[a-z][a-z-]{0,40}$/.test(name));
  if (odd !== undefined)
    throw new OpsError('USAGE', `there is no ${JSON.stringify(odd.slice(0, 40))}`, { where: command });
  const words = wordsOf(given, definitions);
  return { flags: (await parseFlags(command, definitions, words)) as T, words };
}

/** The values but for those of these names. */
export const but = (given: Given, names: readonly string[]): Given =>
  new Map([...given].filter(([name]) => !names.includes(name)));

/** What a dlq verb is about, and how it is typed. @throws OpsError USAGE */
export async function readChoice<T = object>(
  command: string,
  given: Given,
  { now, file, more = {} }: { readonly now: Date; readonly file: string | undefined; readonly more?: object },
): Promise<{ choice: EntryChoice; flags: T; words: readonly string[] }> {
  const ids = given.get('id') ?? [];
  const { flags, words } = await readFlags<WrittenFilter & { where?: string[] } & T>(
    command,
    { ...FILTERS, ...more },
    // What names ids is no flag.
    but(given, ['id']),
  );
  const choice = choiceFrom({ ...flags, ...(file !== undefined && { file }) }, ids, now);
  return { choice, flags, words: [...ids, ...words] };
}
