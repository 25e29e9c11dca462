import type { Permissions } from '../../model/permissions.ts';
import { shellWord } from '../../model/shell.ts';
import { clean } from '../sanitize.ts';

const comment = (lines: readonly string[]): string[] => lines.map((line) => `# ${clean(line)}`);

const head = ({ system, role, commands, notes }: Permissions): string[] =>
  comment([`${role} of ${system}: enough for ${commands.join(', ')}`, ...notes]);

const list = (subjects: readonly string[], indent: string): string =>
  `[\n${subjects.map((subject) => `${indent}  ${JSON.stringify(clean(subject))}`).join('\n')}\n${indent}]`;

const userBlock = ({ user, publish, subscribe }: Permissions, indent: string): string[] =>
  [
    '{',
    `  user: ${JSON.stringify(clean(user))}`,
    `  password: $${variableOf(user)}_PASSWORD`,
    '  permissions: {',
    `    publish: { allow: ${list(publish, `${indent}    `)} }`,
    `    subscribe: { allow: ${list(subscribe, `${indent}    `)} }`,
    '  }',
    '}',
  ].map((line) => indent + line);

const variableOf = (user: string): string => user.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase();

/** A fragment of a nats-server's configuration: one user. The password comes from the server's environment. */
export function renderServerConfig(permissions: Permissions): string {
  return `${[
    ...head(permissions),
    ...(reads(permissions) ? comment([ONE_ACCOUNT]) : []),
    '# Put the user where yours are: in authorization.users, or in users of an account.',
    'authorization {',
    '  users = [',
    ...userBlock(permissions, '    '),
    '  ]',
    '}',
  ].join('\n')}\n`;
}

/** What the server answers more than once: a pull, a batch of direct gets. */
const MANY = /\.(?:CONSUMER\.MSG\.NEXT|DIRECT\.GET)\./;

/**
 * What another account must import; who one is, every account is told by the server itself. An account without JetStream
 * of its own that does not import INFO gets a second answer to all it asks the API, which says that it has none
 * (2.10.26, 2.15.1).
 */
const servicesOf = ({ publish }: Permissions): string[] => [
  ...new Set(['$JS.API.INFO', ...publish.filter((subject) => !subject.startsWith('$SYS.'))]),
];

/** Whether answers carry what the asker may have chosen: then, in one account, it may send them anywhere. */
const reads = ({ publish }: Permissions): boolean => publish.some((subject) => subject.includes('.API.'));

const ONE_ACCOUNT =
  'In one account with the streams this is no fence: no permission is checked for where an answer goes, so that whoever may ask may aim an answer at $JS.API.STREAM.DELETE or at any subject. An account of its own is: --format server-account.';

/** An account of its own for the role, which reaches the streams by imports of what it needs and by nothing else. */
export function renderServerAccount(permissions: Permissions): string {
  const [streams, own] = [variableOf(permissions.system), variableOf(permissions.user)];
  const services = servicesOf(permissions).map((subject) => JSON.stringify(clean(subject)));
  return `${[
    ...head(permissions),
    `# ${streams} stands for the account that has the streams: add the exports to it. Roles may share an export.`,
    'accounts {',
    `  ${streams}: {`,
    '    exports = [',
    ...services.map((subject) => `      { service: ${subject}${MANY.test(subject) ? ', response_type: stream' : ''} }`),
    '    ]',
    '  }',
    `  ${own}: {`,
    '    users = [',
    ...userBlock(permissions, '      '),
    '    ]',
    '    imports = [',
    ...services.map((subject) => `      { service: { account: ${streams}, subject: ${subject} } }`),
    '    ]',
    '  }',
    '}',
  ].join('\n')}\n`;
}

/** A text for a shell, in quotes in any case. */
function quoted(text: string): string {
  const word = shellWord(text);
  return /^['$]/.test(word) ? word : `'${word}'`;
}

const nscUser = ({ user, publish, subscribe }: Permissions, account: string): string[] => [
  [
    `nsc add user --name ${quoted(user)}${account}`,
    ...publish.map((subject) => `--allow-pub ${quoted(subject)}`),
    ...subscribe.map((subject) => `--allow-sub ${quoted(subject)}`),
  ].join(' \\\n  '),
  `nsc generate creds --name ${quoted(user)}${account} > ${quoted(`${user}.creds`)}`,
];

/** The same as commands of nsc, for servers with JWTs. */
export const renderNsc = (permissions: Permissions): string =>
  `${[
    ...head(permissions),
    ...(reads(permissions) ? comment([ONE_ACCOUNT.replace('server-', 'nsc-')]) : []),
    ...nscUser(permissions, ''),
  ].join('\n')}\n`;

/** The account of its own as commands of nsc. */
export function renderNscAccount(permissions: Permissions): string {
  const own = ` --account ${quoted(permissions.user)}`;
  return `${[
    ...head(permissions),
    '# STREAMS names the account that has the streams. Its exports are public here: where accounts of others share the server,',
    '# add --private to each, and import with activations (nsc generate activation).',
    `STREAMS=${quoted(permissions.system)}`,
    `nsc add account --name ${quoted(permissions.user)}`,
    ...servicesOf(permissions).flatMap((subject) => {
      const many = MANY.test(subject) ? ' --response-type Stream' : '';
      return [
        `nsc add export --account "$STREAMS" --service --subject ${quoted(subject)}${many}`,
        `nsc add import${own} --service --src-account "$STREAMS" --remote-subject ${quoted(subject)} --local-subject ${quoted(subject)}`,
      ];
    }),
    ...nscUser(permissions, own),
  ].join('\n')}\n`;
}
