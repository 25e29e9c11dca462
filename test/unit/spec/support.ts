import { loadSpec, type SpecLoad } from '../../../src/lib/spec/load.ts';

/** Loads a text as from standard input. */
export const loadText = (text: string, env: Record<string, string> = {}): Promise<SpecLoad> =>
  loadSpec('-', { cwd: '/nowhere', env, readStdin: async () => text });

/** `code line:column path`, in order. */
export const told = ({ problems }: SpecLoad): string[] =>
  problems.map(({ code, line, column, path }) => `${code} ${line}:${column}${path ? ` ${path}` : ''}`);

/** A whole spec around a queue's fields, indented as written. */
export const queue = (fields: string): string =>
  `version: 1\nname: shop\nqueues:\n  ORDERS:\n${fields.replace(/^\n/, '')}`;
