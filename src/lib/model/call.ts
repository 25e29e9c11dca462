import type { ConnectionFlags } from './context.ts';
import type { Event, Io } from './io.ts';
import type { ShownPlan } from './plan.ts';
import type { Target } from './resource.ts';
import { withoutUser } from './server-url.ts';
import { isLine, shellLine, shellWord } from './shell.ts';

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

/** These take a spec by a flag; others have it as an argument. */
const TAKES_FILE = /^osapi-ops (?:dlq|queue|request|worker) /;

/** Makes a line lead to the same server as the flags that were typed, and to a spec; what is no line stays as it is. */
export function leadTo(connection: ConnectionFlags, typed?: string): (line: string) => string {
  const words = serverWords(connection);
  // What was read from standard input is not there for the next line.
  const file = typed === '-' ? undefined : typed;
  if (words.length === 0 && file === undefined) return (line) => line;
  const ofNats = words.flatMap((word) => OF_NATS[word] ?? [word]);
  return (said) => {
    if (!isLine(said)) return said;
    const isOpen = TAKES_FILE.test(said) && !/ (?:-f|--file)[ =]/.test(said);
    const own = file !== undefined && isOpen ? [...words, '--file', file] : words;
    const flags = shellLine(said.startsWith('nats ') ? ofNats : own);
    // Names that begin with a dash come last.
    const [line, ...names] = said.split(' -- ');
    return [[line, flags].join(' ').trimEnd(), ...names].join(' -- ');
  };
}

/**
 * The same where the server may have been chosen by the spec that was named: lines that take no spec name that server.
 */
export function leadBack(
  connection: ConnectionFlags,
  { url, chosenBy }: Pick<Target, 'url' | 'chosenBy'>,
  file: string | undefined,
): (line: string) => string {
  if (file === undefined || !/\bconnection\./.test(chosenBy)) return leadTo(connection);
  const [bySpec, byUrl] = [leadTo(connection, file), leadTo({ ...connection, server: url })];
  return (line) => (TAKES_FILE.test(line) || line.includes(shellWord(file)) ? bySpec : byUrl)(line);
}

const NAMES_SERVER = / (?:-s|--server|--context)[ =]/;

/** The topics and commands that ask no server, and have no flag for one. */
export const OFFLINE: readonly string[] = [
  'autocomplete',
  'convert',
  'demo',
  'dev',
  'explain',
  'help',
  'monitoring',
  'schema',
  'validate',
];

/** The same for the lines in a text, which stand in backticks. */
export function leadIn(connection: ConnectionFlags, file?: string): (text: string) => string {
  const lead = leadTo(connection, file);
  return (text) =>
    text.replace(/`((?:osapi-ops|nats) [^`]+)`/g, (quoted, line: string) => {
      const [program, command = ''] = line.split(' ');
      const isOffline = program === 'osapi-ops' && (OFFLINE.includes(command) || command.startsWith('-'));
      return isOffline || NAMES_SERVER.test(line) ? quoted : `\`${lead(line)}\``;
    });
}

/** A host that is told lines to type as somebody can paste them. */
export const leading = (io: Io, lead: (text: string) => string): Io => ({
  ...io,
  tell: (event: Event) =>
    io.tell(event.type === 'note' || event.type === 'warning' ? { ...event, text: lead(event.text) } : event),
});

/** The same of a plan, for whoever reads it: what is compared and saved names no server. */
export const ledPlan = <P extends Pick<ShownPlan, 'findings'>>(plan: P, connection: ConnectionFlags): P => {
  const lead = leadIn(connection);
  return {
    ...plan,
    findings: plan.findings.map(({ message, hint, ...finding }) => ({
      ...finding,
      message: lead(message),
      ...(hint !== undefined && { hint: lead(hint) }),
    })),
  };
};
