import { Flags } from '@oclif/core';
import { variableOf } from '../model/variables.ts';

/** Gives every flag of a command its environment variable. Flags that name one of their own keep it. */
export function withEnv<T extends Record<string, { env?: string }>>(flags: T): T {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, { ...flag, env: flag.env ?? variableOf(name) }]),
  ) as T;
}

const GROUP = 'CONNECTION';

/**
 * The connection flags of the nats CLI, with its variables. nats/settings reads those itself, since it has to tell a
 * flag from a variable to say what chose the server: here they are only named (see `leavingConnection`).
 */
export const connectionFlags = withEnv({
  server: Flags.string({ char: 's', summary: 'server URLs, with commas between', env: 'NATS_URL', helpGroup: GROUP }),
  context: Flags.string({
    summary: 'a context of the nats CLI, by name or file',
    env: 'NATS_CONTEXT',
    helpGroup: GROUP,
  }),
  'no-context': Flags.boolean({ summary: 'ignore the context that is selected on this machine', helpGroup: GROUP }),
  creds: Flags.string({ summary: 'credentials file', env: 'NATS_CREDS', helpGroup: GROUP }),
  nkey: Flags.string({ summary: 'nkey seed file', env: 'NATS_NKEY', helpGroup: GROUP }),
  user: Flags.string({
    summary: 'user name, or a token where there is no password',
    env: 'NATS_USER',
    helpGroup: GROUP,
  }),
  password: Flags.string({
    summary: 'password; better by its variable, which no process list shows',
    env: 'NATS_PASSWORD',
    helpGroup: GROUP,
  }),
  token: Flags.string({ summary: 'token; better by its variable', env: 'NATS_TOKEN', helpGroup: GROUP }),
  tlscert: Flags.string({ summary: 'client certificate', env: 'NATS_CERT', helpGroup: GROUP }),
  tlskey: Flags.string({ summary: 'client key', env: 'NATS_KEY', helpGroup: GROUP }),
  tlsca: Flags.string({ summary: 'certificate authority to trust', env: 'NATS_CA', helpGroup: GROUP }),
  tlsfirst: Flags.boolean({ summary: 'TLS from the first byte, where the server wants it so', helpGroup: GROUP }),
  timeout: Flags.string({ summary: 'how long to wait for an answer, as 5s', env: 'NATS_TIMEOUT', helpGroup: GROUP }),
  domain: Flags.string({ summary: 'JetStream domain', helpGroup: GROUP }),
});

/** The flags as a parser should see them that leaves the environment to nats/settings. */
export const leavingConnection = <T extends Record<string, { env?: string; helpGroup?: string }>>(flags: T): T =>
  Object.fromEntries(
    Object.entries(flags).map(([name, { env, ...flag }]) => [name, flag.helpGroup === GROUP ? flag : { ...flag, env }]),
  ) as unknown as T;

export const outputFlags = withEnv({
  json: Flags.boolean({ char: 'j', summary: 'print the result as JSON, also of a failure', helpGroup: 'OUTPUT' }),
  quiet: Flags.boolean({ char: 'q', summary: 'no notes and no progress on stderr', helpGroup: 'OUTPUT' }),
  'no-color': Flags.boolean({ summary: 'no colours (NO_COLOR works as well)', helpGroup: 'OUTPUT' }),
  'no-pager': Flags.boolean({
    summary: 'no pager ($PAGER, or less) for what is longer than the screen',
    helpGroup: 'OUTPUT',
  }),
});
