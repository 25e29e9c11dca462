import { Chalk } from 'chalk';
import type { Action } from '../model/plan.ts';
import type { PageOf } from './code-pages.ts';

type Style = (text: string) => string;

/** The beginning of a link and its end (OSC 8). */
const LINK = /\u001b\]8;;[^\u0007]*\u0007/g;

/** For what shows colours and no links, as many a pager. */
export const withoutLinks = (text: string): string => text.replace(LINK, '');

/** Styles by meaning. Colour only underlines what symbols and words already say. */
export interface Theme {
  readonly colour: boolean;
  readonly create: Style;
  readonly update: Style;
  readonly replace: Style;
  readonly migrate: Style;
  readonly delete: Style;
  readonly good: Style;
  readonly warn: Style;
  readonly refuse: Style;
  readonly faint: Style;
  readonly strong: Style;
  /** A code, with its page behind it where the terminal shows links. */
  readonly code: Style;
}

export function createTheme({ colour, pageOf }: { colour: boolean; pageOf?: PageOf | undefined }): Theme {
  const chalk = new Chalk({ level: colour ? 1 : 0 });
  return {
    colour,
    create: chalk.green,
    update: chalk.yellow,
    replace: chalk.magenta,
    migrate: chalk.cyan,
    delete: chalk.red,
    good: chalk.green,
    warn: chalk.yellow,
    refuse: chalk.red.bold,
    faint: chalk.dim,
    strong: chalk.bold,
    code(code) {
      const page = pageOf?.(code);
      return page === undefined ? code : `\u001b]8;;${page}\u0007${code}\u001b]8;;\u0007`;
    },
  };
}

/** One sign for each action, readable without colour. */
export const SIGNS = { create: '+', update: '~', replace: '±', delete: '-', migrate: '±' } as const satisfies Record<
  Action,
  string
>;

/** Whether a stream should be coloured: NO_COLOR and FORCE_COLOR first, then whether it is a terminal that can. */
export function wantsColour(
  env: Readonly<Record<string, string | undefined>>,
  stream: { readonly isTTY?: boolean },
): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}
