import type { Spec } from '../../../src/lib/model/spec.ts';
import { assembleSpec } from '../../../src/lib/spec/assemble.ts';
import { check, type Written } from '../../../src/lib/spec/check.ts';
import { parseText } from '../../../src/lib/spec/document.ts';
import { interpolate } from '../../../src/lib/spec/interpolate.ts';
import { loadSpec, type SpecLoad } from '../../../src/lib/spec/load.ts';
import { specShape } from '../../../src/lib/spec/shape.ts';
import type { Node } from '../../../src/lib/spec/tree.ts';
import { translate } from '../../../src/lib/spec/words.ts';

/** Loads a text as from standard input. */
export const loadText = (text: string, env: Record<string, string> = {}): Promise<SpecLoad> =>
  loadSpec('-', { cwd: '/nowhere', env, readStdin: async () => text });

/** `code line:column path`, in order. */
export const told = ({ problems }: SpecLoad): string[] =>
  problems.map(({ code, line, column, path }) => `${code} ${line}:${column}${path ? ` ${path}` : ''}`);

/** A whole spec around a queue's fields, indented as written. */
export const queue = (fields: string): string =>
  `version: 1\nname: shop\nqueues:\n  ORDERS:\n${fields.replace(/^\n/, '')}`;

/** What a text says, whether or not the rules would let it through; with every problem of form. */
export function readForm(text: string): {
  spec?: Spec;
  written?: Written;
  root?: Node;
  problems: readonly { code: string; message: string }[];
} {
  const parsed = parseText('x', text);
  if (!parsed.root) return { problems: parsed.problems };
  const filled = interpolate(parsed.root, {});
  const words = translate(filled.root, specShape);
  const checked = check(words.root);
  return {
    spec: assembleSpec(checked.written),
    written: checked.written,
    root: words.root,
    problems: [...filled.problems, ...words.problems, ...checked.problems],
  };
}
