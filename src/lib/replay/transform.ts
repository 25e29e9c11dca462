import { spawnSync } from 'node:child_process';
import { Console } from 'node:console';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import type { Entry } from '../model/entry.ts';
import { isObject } from '../model/json.ts';
import type { Edited } from './edit-text.ts';
import { readTransformed, transformInput } from './transformed.ts';

/** A module that makes another message of each. */
export interface Transform {
  readonly file: string;
  /** Of the module's text. */
  readonly digest: string;
  /** What comes of an entry; null where it is skipped. @throws OpsError USAGE_FILE with the line of a fault */
  apply(entry: Entry): Promise<Edited | null>;
}

/** Loads a module whose default export takes a request and gives one. @throws OpsError USAGE_FILE */
export async function loadTransform(file: string): Promise<Transform> {
  let digest: string;
  try {
    digest = `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
  } catch (error) {
    throw faultOf(file, `it cannot be read: ${systemReason(error)}`, error);
  }
  // What it prints for a person is no part of our result.
  globalThis.console = new Console(process.stderr);
  let transform: unknown;
  try {
    const found = ((await import(file)) as { default?: unknown }).default;
    // In the bundle an import is a require, which puts the module itself there.
    transform = isObject(found) ? found.default : found;
  } catch (error) {
    throw faultOf(file, reasonOf(error), error, error instanceof SyntaxError ? whereUnread(file) : undefined);
  }
  if (typeof transform !== 'function') throw faultOf(file, 'it has no function as its default export');
  const call = transform as (...args: unknown[]) => unknown;
  return {
    file,
    digest,
    async apply({ id, inner: { message } }) {
      let made: unknown;
      try {
        made = await call(transformInput(id, message!));
      } catch (error) {
        throw faultOf(file, `${id}: ${reasonOf(error)}`, error);
      }
      const edited = readTransformed(made, message!);
      if (typeof edited === 'string') throw faultOf(file, `${id}: ${edited}`);
      return edited;
    },
  };
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);

/** A module that cannot be read has no place in its stack; Node says it where it is asked only to read. */
function whereUnread(file: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', env: {} });
  return /^.+:\d+$/m.exec(stderr)?.[0];
}

/** The first place in a stack that is a file's: where a module failed, or cannot be read. */
function placeIn(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const [, url, line] = /(file:\/\/[^\s()]+?)(:\d+(?::\d+)?)(?=[\s)]|$)/m.exec(stack) ?? [];
  try {
    return url && `${fileURLToPath(url)}${line}`;
  } catch {
    return undefined;
  }
}

const faultOf = (file: string, what: string, cause?: unknown, place = placeIn(cause)): OpsError =>
  new OpsError('USAGE_FILE', `--transform: ${what}`, {
    where: place ?? file,
    why: 'The module is asked for all of them before anything moves: nothing was moved.',
    hints: ['its default export takes {id, subject, headers, payload} and returns such a request, or null to skip it'],
    cause,
  });
