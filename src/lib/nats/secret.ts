import { homedir } from 'node:os';
import path from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { readWholeSync } from '../files/read.ts';

/** A bundle of all authorities that there are has a quarter of it. */
const MOST_BYTES = 1024 * 1024;

type Env = Readonly<Record<string, string | undefined>>;

/** Expands a leading `~` and `$VAR` or `${VAR}`, as the nats CLI does in paths of contexts. */
export function expandPath(text: string, env: Env): string {
  return text
    .replace(/^~(?=[/\\]|$)/, homedir())
    .replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => env[(braced ?? bare)!] ?? '');
}

/** The absolute path of a file named in a flag, a context or a spec; relative to the spec's folder, else to `cwd`. */
export function resolvePath(text: string, place: { env: Env; cwd: string; base?: string }): string {
  const from = place.base && place.base !== '-' ? path.dirname(path.resolve(place.cwd, place.base)) : place.cwd;
  return path.resolve(from, expandPath(text, place.env));
}

/**
 * Reads a credential by its reference: a path, `file://PATH`, `env://NAME`, or inline `data:;base64,…`.
 * @throws OpsError USAGE_FILE where it cannot be read; the credential itself is in no message
 */
export function readSecret(reference: string, what: string, place: { env: Env; cwd: string; base?: string }): string {
  const [, scheme, rest = ''] = /^(file|env|op|nsc):\/\/(.*)$/s.exec(reference) ?? [];
  if (reference.startsWith('data:')) return readInline(reference, what);
  switch (scheme) {
    case 'env': {
      const value = place.env[rest];
      if (!value) throw secretError(`${what}: the variable ${rest} is not set`);
      return value;
    }
    case 'op':
    case 'nsc':
      throw secretError(`${what}: ${scheme}:// references are not read by this build`);
    default: {
      const file = resolvePath(scheme === 'file' ? rest : reference, place);
      try {
        return readWholeSync(file, MOST_BYTES).toString('utf8');
      } catch (error) {
        throw secretError(`${what}: ${file} cannot be read: ${systemReason(error)}`, error);
      }
    }
  }
}

/** A password, token, JWT or seed: itself, or read where it is written as one of the references above. */
export function readLiteral(text: string, what: string, place: { env: Env; cwd: string; base?: string }): string {
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

function readInline(reference: string, what: string): string {
  const [, header = '', payload = ''] = /^data:([^,]*),(.*)$/s.exec(reference) ?? [];
  if (!header.split(';').some((part) => part.trim() === 'base64')) {
    throw secretError(`${what}: inline data must be written as data:;base64,…`);
  }
  return Buffer.from(payload, 'base64').toString('utf8');
}

const secretError = (message: string, cause?: unknown): OpsError =>
  new OpsError('USAGE_FILE', message, {
    why: 'The credentials are needed to connect.',
    hints: ['give a file that can be read, env://NAME, or data:;base64,…'],
    cause,
  });
