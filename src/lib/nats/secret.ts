import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { keepSecret, looksSecret } from '../errors/conceal.ts';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { readWholeSync } from '../files/read.ts';

/** A bundle of all authorities that there are has a quarter of it. */
const MOST_BYTES = 1024 * 1024;

/** Longer ones are bundles of certificates. */
const LONGEST_SECRET = 16 * 1024;

type Env = Readonly<Record<string, string | undefined>>;

/** Where paths are relative to. */
interface Base {
  readonly env: Env;
  readonly cwd: string;
  /** The file that says the path. */
  readonly base?: string | undefined;
}

/** Expands a leading `~` and `$VAR` or `${VAR}`, as the nats CLI does in paths of contexts. */
export function expandPath(text: string, env: Env): string {
  return text
    .replace(/^~(?=[/\\]|$)/, homedir())
    .replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => env[(braced ?? bare)!] ?? '');
}

/** The absolute path of a file named in a flag, a context or a spec; relative to the spec's folder, else to `cwd`. */
function resolvePath(text: string, place: Base): string {
  const from = place.base && place.base !== '-' ? path.dirname(path.resolve(place.cwd, place.base)) : place.cwd;
  return path.resolve(from, expandPath(text, place.env));
}

const ENDINGS = /\.(cer|cert|creds|crt|jwt|key|nk|nkey|pem|seed|txt)$/i;

/** Whether a text has nothing that no path has. */
export const mayBePath = (text: string): boolean =>
  text.length <= 1024 && !/\p{Cc}/u.test(text) && !text.startsWith('data:') && !looksSecret(text);

/**
 * A path as it may be shown; undefined for what is perhaps none, but the secret itself where a path belongs: it is no
 * file, lies in no folder that is there, and is not named as such files are.
 */
function shownPath(text: string, place: Base): string | undefined {
  if (!mayBePath(text)) return undefined;
  const file = resolvePath(text, place);
  const folder = path.dirname(file);
  const isPlaced = /[\\/]/.test(text) && folder !== path.parse(folder).root && existsSync(folder);
  const isPath = isPlaced || ENDINGS.test(text) || existsSync(file);
  // What a variable puts into it is not ours to show.
  return isPath ? (text.includes('$') ? text : file) : undefined;
}

/** A reference as it may be shown: where to look, never what is there. */
export function shownReference(reference: string, place: Base): string {
  if (reference.startsWith('data:')) return '(inline)';
  const [scheme] = /^(?:env|op|nsc):\/\/(?=[\w./-]{1,100}$)/.exec(reference) ?? [];
  return scheme
    ? reference
    : (shownPath(reference.replace(/^file:\/\//, ''), place) ?? '(not shown: it is no file here)');
}

/**
 * Reads a credential by its reference: a path, `file://PATH`, `env://NAME`, or inline `data:;base64,…`.
 * @throws OpsError USAGE_FILE where it cannot be read; the credential itself is in no message
 */
export function readSecret(reference: string, what: string, place: Base): string {
  const text = readReference(reference, what, place);
  if (text.length <= LONGEST_SECRET) keepSecret(text);
  return text;
}

function readReference(reference: string, what: string, place: Base): string {
  const match = /^(file|env|op|nsc):\/\/(.*)/s.exec(reference);
  const rest = match ? match[2]! : reference;
  if (reference.startsWith('data:')) return readInline(reference, what);
  switch (match?.[1]) {
    case 'env': {
      const value = place.env[rest];
      const name = /^[A-Za-z_]\w*$/.test(rest) ? `the variable ${rest}` : 'the variable that it names';
      if (!value) throw secretError(`${what}: ${name} is not set`);
      return value;
    }
    case 'op':
    case 'nsc':
      throw secretError(`${what}: ${match![1]}:// references are not read by this build`);
    default: {
      try {
        return readWholeSync(resolvePath(rest, place), MOST_BYTES).toString('utf8');
      } catch (error) {
        const file = shownPath(rest, place);
        if (file === undefined) throw noPath(what, rest);
        throw secretError(`${what}: ${file} cannot be read: ${systemReason(error)}`, error);
      }
    }
  }
}

/** A password, token, JWT or seed: itself, or read where it is written as one of the references above. */
export function readLiteral(text: string, what: string, place: Base): string {
  return /^(?:(?:file|env|op|nsc):\/\/|data:)/.test(text)
    ? readSecret(text, what, place).replace(/[\r\n]+$/, '')
    : text;
}

/**
 * The JWT and the seed of a credentials file. The client's own reader wants every line break in its place; a secret of a
 * CI system has often lost the last of them, or all.
 * @throws OpsError USAGE_FILE where it is none; nothing of it is in the message
 */
export function parseCreds(text: string): { readonly jwt: string; readonly seed: string } {
  const jwt = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(text)?.[0];
  const seed = /SU[A-Z2-7]{56}/.exec(text.replace(jwt ?? '', ''))?.[0];
  if (jwt && seed) return { jwt, seed };
  throw new OpsError('USAGE_FILE', 'creds: this is no credentials file', {
    why: `It has no ${[...(jwt ? [] : ['user JWT']), ...(seed ? [] : ['user seed'])].join(' and no ')}.`,
    hints: ['give the whole file, as `nsc generate creds` prints it; for a seed alone there is --nkey'],
  });
}

/**
 * The seed in a file of `nsc` or `nk`, which may carry comments; of a user where `what` says nothing else.
 * @throws OpsError USAGE_FILE where there is none; nothing of the text is in the message
 */
export function parseSeed(text: string, what: string): string {
  const seed = /S[OAUNCX][A-Z2-7]{56}/.exec(text)?.[0];
  if (seed) return seed;
  throw secretError(`${what}: this is no nkey seed`);
}

function readInline(reference: string, what: string): string {
  const match = /^data:([^,]*),(.*)/s.exec(reference);
  if (!match || !match[1]!.split(';').some((part) => part.trim() === 'base64')) {
    throw secretError(`${what}: inline data must be written as data:;base64,…`);
  }
  return Buffer.from(match[2]!, 'base64').toString('utf8');
}

const noPath = (what: string, text: string): OpsError =>
  new OpsError(
    'USAGE_FILE',
    `${what}: ${looksSecret(text) ? 'the secret itself stands where a path belongs' : 'it names no file that is here'}`,
    {
      why: 'What it holds is not shown: it may be a secret.',
      hints: ['give the path of a file, env://NAME for what is in a variable, or data:;base64,…'],
    },
  );

const secretError = (message: string, cause?: unknown): OpsError =>
  new OpsError('USAGE_FILE', message, {
    why: 'The credentials are needed to connect.',
    hints: ['give a file that can be read, env://NAME, or data:;base64,…'],
    cause,
  });
