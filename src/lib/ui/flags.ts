import { Flags } from '@oclif/core';

/** The environment variable of a flag, by one rule: `--allow-replace` is `OSAPI_OPS_ALLOW_REPLACE`. */
export const variableOf = (flag: string): string => `OSAPI_OPS_${flag.toUpperCase().replaceAll('-', '_')}`;

/** Gives every flag of a command its environment variable. Flags that name one of their own keep it. */
export function withEnv<T extends Record<string, { env?: string }>>(flags: T): T {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [name, { ...flag, env: flag.env ?? variableOf(name) }]),
  ) as T;
}

const GROUP = 'CONNECTION';

/**
 * The connection flags of the nats CLI. Their variables (NATS_URL, …) are read by nats/settings, which has to tell a
 * flag from a variable to say what chose the server; so they carry no `env` of their own here.
 */
export const connectionFlags = {
  server: Flags.string({ char: 's', summary: 'server URLs, with commas between (NATS_URL)', helpGroup: GROUP }),
  context: Flags.string({ summary: 'a context of the nats CLI, by name or file (NATS_CONTEXT)', helpGroup: GROUP }),
  'no-context': Flags.boolean({ summary: 'ignore the context that is selected on this machine', helpGroup: GROUP }),
  creds: Flags.string({ summary: 'credentials file (NATS_CREDS)', helpGroup: GROUP }),
  nkey: Flags.string({ summary: 'nkey seed file (NATS_NKEY)', helpGroup: GROUP }),
  user: Flags.string({ summary: 'user name, or a token where there is no password (NATS_USER)', helpGroup: GROUP }),
  password: Flags.string({
    summary: 'password; better by NATS_PASSWORD, which no process list shows',
    helpGroup: GROUP,
  }),
  token: Flags.string({ summary: 'token; better by NATS_TOKEN', helpGroup: GROUP }),
  tlscert: Flags.string({ summary: 'client certificate (NATS_CERT)', helpGroup: GROUP }),
  tlskey: Flags.string({ summary: 'client key (NATS_KEY)', helpGroup: GROUP }),
  tlsca: Flags.string({ summary: 'certificate authority to trust (NATS_CA)', helpGroup: GROUP }),
  tlsfirst: Flags.boolean({ summary: 'TLS from the first byte, where the server wants it so', helpGroup: GROUP }),
  timeout: Flags.string({ summary: 'how long to wait for an answer, as 5s (NATS_TIMEOUT)', helpGroup: GROUP }),
  domain: Flags.string({ summary: 'JetStream domain', helpGroup: GROUP }),
};

export const outputFlags = withEnv({
  json: Flags.boolean({ char: 'j', summary: 'print the result as JSON, also of a failure', helpGroup: 'OUTPUT' }),
  quiet: Flags.boolean({ char: 'q', summary: 'no notes and no progress on stderr', helpGroup: 'OUTPUT' }),
  'no-color': Flags.boolean({ summary: 'no colours (NO_COLOR works as well)', helpGroup: 'OUTPUT' }),
});
