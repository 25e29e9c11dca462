import { readdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { readWholeSync } from '../files/read.ts';
import { isObject, jsonIn } from '../model/json.ts';
import { mayBePath } from './secret.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The fields of a nats CLI context that bear on a connection; all others are ignored, as the nats CLI does. */
export interface ContextFields {
  readonly url?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly creds?: string;
  readonly nkey?: string;
  readonly user_jwt?: string;
  readonly user_seed?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly tls_first?: boolean;
  readonly nsc?: string;
  readonly socks_proxy?: string;
  readonly inbox_prefix?: string;
  readonly jetstream_domain?: string;
  readonly jetstream_api_prefix?: string;
}

/** Where contexts come from: the selected one's name, and a reader by name or path. */
export interface Contexts {
  /** The name in context.txt; absent where none is selected. */
  readonly selected: string | undefined;
  /** @throws OpsError CONN_CONTEXT where it does not exist or cannot be read. */
  read(name: string): ContextFields;
}

/** The home of the passwd entry: the nats CLI asks the system, not $HOME. */
function passwdHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

/** `$XDG_CONFIG_HOME/nats`, else `.config/nats` in the home directory of the passwd entry. */
export function contextDirectory(env: Env): string {
  return path.join(env.XDG_CONFIG_HOME || path.join(passwdHome(), '.config'), 'nats');
}

/** A context has some hundred. */
const MOST_BYTES = 64 * 1024;

const readText = (file: string): string => readWholeSync(file, MOST_BYTES).toString('utf8');

/** The name in context.txt, if there is one. */
function selectedIn(directory: string): string | undefined {
  try {
    return readText(path.join(directory, 'context.txt')).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Names of all contexts in the directory, sorted; none where it cannot be read. */
export function contextNames(env: Env): string[] {
  try {
    return readdirSync(path.join(contextDirectory(env), 'context'))
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  } catch {
    return [];
  }
}

function contextError(name: string, what: string, env: Env): OpsError {
  const names = contextNames(env);
  // A URL or a secret that was set as the context by mistake is not shown.
  const shown =
    /^[\w .-]{1,100}$/.test(name) || (name.endsWith('.json') && mayBePath(name)) ? `context ${name}` : 'context';
  return new OpsError('CONN_CONTEXT', `${shown}: ${what}`, {
    where: path.join(contextDirectory(env), 'context'),
    why: 'A context is a file of the nats CLI that says where to connect and as whom.',
    hints: [
      names.length > 0 ? `use one of: ${names.join(', ')}` : 'there are no contexts here; give --server instead',
      'make one with `nats context add`',
    ],
  });
}

/** Contexts of the nats CLI, read from its directory. A name that ends in `.json` and names a path is that file. */
export function readContexts(env: Env, cwd: string): Contexts {
  const directory = contextDirectory(env);
  return {
    selected: selectedIn(directory),
    read(name) {
      const isPath = name.endsWith('.json');
      // A name is a file's name and nothing else: `../x` must not walk out of the directory.
      if (!isPath && /[\\/]/.test(name)) throw contextError(name, 'a name holds no slash', env);
      const file = isPath ? path.resolve(cwd, name) : path.join(directory, 'context', `${name}.json`);
      let text: string;
      try {
        text = readText(file);
      } catch (error) {
        const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        throw contextError(name, isMissing ? 'not found' : `it cannot be read: ${systemReason(error)}`, env);
      }
      // The parser's own words quote the text around the fault, which can be a password.
      const parsed = jsonIn(text);
      if (!isObject(parsed)) throw contextError(name, 'it is not a JSON object', env);
      return parsed as ContextFields;
    },
  };
}
