import type { Io } from './io.ts';

/** The connection flags as given on the command line; what the environment and contexts add is nats/settings' matter. */
export interface ConnectionFlags {
  readonly server?: string;
  readonly context?: string;
  /** Ignores the context that is selected on this machine. */
  readonly 'no-context'?: boolean;
  readonly creds?: string;
  readonly nkey?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly tlsca?: string;
  /** TLS from the first byte, for servers with `handshake_first`. */
  readonly tlsfirst?: boolean;
  readonly timeout?: string;
  readonly domain?: string;
}

/** What an operation gets of the outside world. */
export interface Context {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly connection: ConnectionFlags;
  /** Those who have the same one have their connections in common. */
  readonly sharing?: object;
  /** The version of this tool, for what it writes into ledgers and saved plans. */
  readonly tool: string;
  now(): Date;
  /** The whole of standard input as text. Throws where it has more bytes than `most`. */
  readStdin(most: number): Promise<string>;
}
