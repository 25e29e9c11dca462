import { conceal, concealAll } from '../errors/conceal.ts';
import type { Io } from '../model/io.ts';
import { createPlainHost } from './host-plain.ts';
import { createTtyHost } from './host-tty.ts';

export interface HostOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colour: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdout?: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  isHeld?(): boolean;
}

/** A terminal that a person sits at: not one that a CI system pretends to have, nor one that cannot move its cursor. */
export const isLively = (env: HostOptions['env']): boolean => !isSet(env.CI) && env.TERM !== 'dumb';
const isSet = (value: string | undefined): boolean => value !== undefined && !['', '0', 'false'].includes(value);

/** The host for this run: draws and asks where a person sits at a terminal, prints lines and takes fallbacks elsewhere. */
export function createHost(options: HostOptions): Io {
  const draws = options.stderr.isTTY === true && isLively(options.env);
  const host = draws
    ? createTtyHost({ ...options, interactive: options.stdin.isTTY === true })
    : createPlainHost({ ...options, now: () => performance.now() });
  return {
    ...host,
    tell: (event) => host.tell(concealAll(event)),
    ask: (question) => host.ask({ ...question, text: conceal(question.text) }),
  };
}
