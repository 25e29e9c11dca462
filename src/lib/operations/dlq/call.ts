import type { ConnectionFlags } from '../../model/context.ts';
import { shellLine } from '../../model/shell.ts';
import type { StatusReport } from '../../model/verdict.ts';
import { withoutUser } from '../../nats/server-url.ts';

/**
 * Flags whose values are secrets are not repeated: whoever goes on has them from where they had them before. A user without
 * a password is a token, as the nats CLI has it.
 */
const REPEATED = ['context', 'creds', 'nkey', 'tlscert', 'tlskey', 'tlsca', 'domain'] as const;

/** What leads to the same server as the flags that were typed. */
function serverWords(connection: ConnectionFlags): string[] {
  const servers = (connection.server ?? '').split(',').flatMap((url) => withoutUser(url.trim()) ?? []);
  return [
    ...(servers.length > 0 ? ['--server', servers.join(',')] : []),
    ...REPEATED.flatMap((name) => (connection[name] === undefined ? [] : [`--${name}`, connection[name]])),
    ...(connection['no-context'] ? ['--no-context'] : []),
    ...(connection.tlsfirst ? ['--tlsfirst'] : []),
  ];
}

/** How a line begins that is about the same server and the same spec as this one. */
export function callWords(connection: ConnectionFlags, file: string | undefined, ...command: string[]): string[] {
  return [
    'osapi-ops',
    ...command,
    ...serverWords(connection),
    ...(file === undefined || file === '-' ? [] : ['--file', file]),
  ];
}

/** What the nats CLI calls otherwise, or has not. */
const OF_NATS: Readonly<Record<string, readonly string[]>> = { '--domain': ['--js-domain'], '--no-context': [] };

/** A line of osapi-ops or nats in what is said of the next step, up to where its names come that begin with a dash. */
const LINE = /(?<=^|, then |; or )(osapi-ops|nats) .*?(?= -- |; or |$)/g;

/** Makes a line lead to the same server as the flags that were typed. */
export function leadTo(connection: ConnectionFlags): (line: string) => string {
  const words = serverWords(connection);
  if (words.length === 0) return (line) => line;
  const ofNats = words.flatMap((word) => OF_NATS[word] ?? [word]);
  return (said) =>
    said.replace(LINE, (line, program) => [line, shellLine(program === 'nats' ? ofNats : words)].join(' ').trimEnd());
}

/** The same report with next steps that lead to the same server. */
export function withServer(report: StatusReport, connection: ConnectionFlags): StatusReport {
  const lead = leadTo(connection);
  return {
    ...report,
    checks: report.checks.map((check) => (check.next === undefined ? check : { ...check, next: lead(check.next) })),
  };
}
