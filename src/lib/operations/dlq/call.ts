import type { ConnectionFlags } from '../../model/context.ts';
import { withoutUser } from '../../nats/server-url.ts';

/** Flags whose values are secrets are not repeated: whoever goes on has them from where they had them before. */
const REPEATED = ['context', 'creds', 'nkey', 'user', 'tlscert', 'tlskey', 'tlsca', 'domain'] as const;

/** How a line begins that is about the same server and the same spec as this one. */
export function callWords(connection: ConnectionFlags, file: string | undefined, ...command: string[]): string[] {
  const servers = (connection.server ?? '').split(',').flatMap((url) => withoutUser(url.trim()) ?? []);
  return [
    'osapi-ops',
    ...command,
    ...(servers.length > 0 ? ['--server', servers.join(',')] : []),
    ...REPEATED.flatMap((name) => (connection[name] === undefined ? [] : [`--${name}`, connection[name]])),
    ...(connection['no-context'] ? ['--no-context'] : []),
    ...(connection.tlsfirst ? ['--tlsfirst'] : []),
    ...(file === undefined || file === '-' ? [] : ['--file', file]),
  ];
}
