import path from 'node:path';
import { keepSecret } from '../errors/conceal.ts';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { readWhole } from '../files/read.ts';
import type { Context } from '../model/context.ts';
import { SHORTEST_TOKEN } from './session.ts';

export const TOKEN_VARIABLE = 'OSAPI_OPS_CONSOLE_TOKEN';

/** A token of one's own, from a file or from its variable. It is remembered as a secret. @throws OpsError USAGE, USAGE_FILE */
export async function ownToken(
  { env, cwd }: Pick<Context, 'env' | 'cwd'>,
  file: string | undefined,
): Promise<string | undefined> {
  const where = file === undefined ? TOKEN_VARIABLE : '--token-file';
  const token = file === undefined ? env[TOKEN_VARIABLE] : await readToken(path.resolve(cwd, file));
  if (token === undefined || token === '') return undefined;
  keepSecret(token);
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= SHORTEST_TOKEN) return token;
  throw new OpsError('USAGE', `the token of ${where} is too short, or has blanks in it`, {
    where,
    why: `Whoever finds it may do all that this user may: it has ${SHORTEST_TOKEN} characters at the least.`,
    hints: ['make one with `openssl rand -base64 32`'],
  });
}

/** In bytes; more was named by mistake. */
const MOST_BYTES = 64 * 1024;

async function readToken(file: string): Promise<string> {
  try {
    return (await readWhole(file, MOST_BYTES)).toString('utf8').trim();
  } catch (error) {
    throw new OpsError('USAGE_FILE', `--token-file: ${file} cannot be read: ${systemReason(error)}`, {
      where: file,
      hints: ['name a file with the token in it'],
      cause: error,
    });
  }
}

/** Host names and addresses as a browser sends them. @throws OpsError USAGE */
export function remoteNames(names: readonly string[], token: string | undefined): readonly string[] {
  const odd = names.find((name) => !/^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])$/i.test(name));
  if (odd !== undefined) {
    throw new OpsError('USAGE', `--allow-remote: ${JSON.stringify(odd)} is no host`, {
      where: '--allow-remote',
      hints: ['write it as the browser has it, without a port: ops.example.com, 10.0.0.7 or [fd00::7]'],
    });
  }
  if (names.length === 0 || token !== undefined) return names.map((name) => name.toLowerCase());
  throw new OpsError('USAGE', '--allow-remote needs a token of your own', {
    where: '--allow-remote',
    why: 'Beyond this machine anybody may ask: who has the token may do all that the NATS user may, and what is sent is not encrypted.',
    hints: [
      `set ${TOKEN_VARIABLE}, or name a file with --token-file`,
      'better: leave it out, and forward the port with ssh -L',
    ],
  });
}
