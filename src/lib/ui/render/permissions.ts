import type { Permissions } from '../../model/permissions.ts';
import { clean } from '../sanitize.ts';

const comment = (lines: readonly string[]): string[] => lines.map((line) => `# ${clean(line)}`);

const head = ({ system, role, commands, notes }: Permissions): string[] =>
  comment([`${role} of ${system}: enough for ${commands.join(', ')}`, ...notes]);

const list = (subjects: readonly string[], indent: string): string =>
  `[\n${subjects.map((subject) => `${indent}  ${JSON.stringify(clean(subject))}`).join('\n')}\n${indent}]`;

/** A fragment of a nats-server's configuration: one user. The password comes from the server's environment. */
export function renderServerConfig(permissions: Permissions): string {
  const { user, publish, subscribe } = permissions;
  const variable = `${user.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase()}_PASSWORD`;
  return `${[
    ...head(permissions),
    '# Put the user where yours are: in authorization.users, or in users of an account.',
    'authorization {',
    '  users = [',
    '    {',
    `      user: ${JSON.stringify(clean(user))}`,
    `      password: $${variable}`,
    '      permissions: {',
    `        publish: { allow: ${list(publish, '        ')} }`,
    `        subscribe: { allow: ${list(subscribe, '        ')} }`,
    '      }',
    '    }',
    '  ]',
    '}',
  ].join('\n')}\n`;
}

/** A text in single quotes for a POSIX shell. */
const quoted = (text: string): string => `'${clean(text).replaceAll("'", "'\\''")}'`;

/** The same as commands of nsc, for servers with JWTs. */
export function renderNsc(permissions: Permissions): string {
  const { user, publish, subscribe } = permissions;
  const lines = [
    `nsc add user --name ${quoted(user)}`,
    ...publish.map((subject) => `--allow-pub ${quoted(subject)}`),
    ...subscribe.map((subject) => `--allow-sub ${quoted(subject)}`),
  ];
  return `${[...head(permissions), lines.join(' \\\n  '), `nsc generate creds --name ${quoted(user)} > ${quoted(`${user}.creds`)}`].join('\n')}\n`;
}
