import type { Io } from './io.ts';

/** The connection flags as given on the command line; what the environment and contexts add is nats/settings' matter. */
export interface ConnectionFlags {
  readonly server?: string;
  readonly context?: string;
  readonly creds?: string;
  readonly nkey?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly tlsca?: string;
  readonly timeout?: string;
  readonly domain?: string;
}

/** What an operation gets of the outside world. */
export interface Context {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly connection: ConnectionFlags;
  now(): Date;
  /** The whole of standard input as text. */
  readStdin(): Promise<string>;
}
