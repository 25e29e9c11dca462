/** Faults of form, found before the rules: code, what it says, a file that has it, the same file mended. */
export interface FormFault {
  readonly id: string;
  readonly severity: 'error' | 'warning';
  readonly title: string;
  readonly why: string;
  readonly bad: string;
  readonly good: string;
}

const spec = (rest: string): string => `version: 1\nname: shop\n${rest}`;
const GOOD = spec('queues:\n  ORDERS:\n    subjects: ["orders.*"]\n');

export const FORM_FAULTS: readonly FormFault[] = [
  {
    id: 'SPEC_YAML',
    severity: 'error',
    title: 'The file is valid YAML 1.2 (JSON is YAML too).',
    why: `Nothing after a syntax error can be trusted, so it is the only thing told. In \`[…]\` and \`{…}\` a value with \`\${…}\` needs quotes.`,
    bad: spec('queues:\n  ORDERS:\n    subjects: ["orders.*"\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_TAB',
    severity: 'error',
    title: 'Lines are indented with spaces.',
    why: 'YAML takes no tabs there.',
    bad: spec('queues:\n\tORDERS:\n\t\tsubjects: ["orders.*"]\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_TAG',
    severity: 'error',
    title: 'No tags of other programs.',
    why: 'What `!vault`, `!Sub` or `!env` stands for is filled in by other programs; applied, the text behind it would stand as it is.',
    bad: spec('description: !env TEAM\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_EMPTY',
    severity: 'error',
    title: 'The file holds something.',
    why: 'A spec needs at least version, name and one queue, stream or bucket.',
    bad: '# nothing yet\n',
    good: GOOD,
  },
  {
    id: 'SPEC_MULTIPLE_DOCUMENTS',
    severity: 'error',
    title: 'One file holds one YAML document.',
    why: 'One file is one system; what stands after `---` would be ignored by one reader and used by another.',
    bad: `${GOOD}---\nversion: 1\n`,
    good: GOOD,
  },
  {
    id: 'SPEC_DUPLICATE_KEY',
    severity: 'error',
    title: 'A key stands once, in one spelling.',
    why: 'Only one of the two could count, and readers disagree about which.',
    bad: spec('queues:\n  ORDERS:\n    subjects: ["orders.*"]\n    subjects: ["order.*"]\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_KEY',
    severity: 'error',
    title: 'A key is a single word or name.',
    why: 'Keys name fields, streams, consumers and buckets.',
    bad: spec('queues:\n  ? [ORDERS]\n  : subjects: ["orders.*"]\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_ALIAS_BOMB',
    severity: 'error',
    title: 'Aliases do not multiply into millions of values.',
    why: 'Aliases of aliases of aliases would fill the memory; no real system is that large.',
    bad: spec(
      `x-a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n${['b', 'c', 'd', 'e', 'f', 'g']
        .map((name, at) => {
          const last = 'abcdef'[at];
          return `x-${name}: &${name} [${Array(10).fill(`*${last}`).join(', ')}]\n`;
        })
        .join('')}`,
    ),
    good: GOOD,
  },
  {
    id: 'SPEC_ALIAS_CYCLE',
    severity: 'error',
    title: 'No alias points to a value that contains it.',
    why: 'Written out it would never end.',
    bad: spec('x-loop: &loop\n  again: *loop\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_TOO_DEEP',
    severity: 'error',
    title: 'The file is not nested without end.',
    why: 'A spec is at most a dozen levels deep.',
    bad: `x-deep: ${'['.repeat(60)}${']'.repeat(60)}\n`,
    good: GOOD,
  },
  {
    id: 'SPEC_EXTENDS',
    severity: 'error',
    title: 'extends names one file that can be read, and no file extends itself.',
    why: 'The path is relative to the file that extends.',
    bad: spec('extends: ./missing.yaml\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_VARIABLE',
    severity: 'error',
    title: 'Every variable is set, or has a default.',
    why: `Variables are written \`\${NAME}\`, \`\${NAME:-default}\` or \`\${NAME:?message}\`; \`$$\` is a dollar.`,
    bad: spec(`queues:\n  ORDERS:\n    subjects: ["orders.*"]\n    num_replicas: \${SHOP_REPLICAS}\n`),
    good: spec(`queues:\n  ORDERS:\n    subjects: ["orders.*"]\n    num_replicas: \${SHOP_REPLICAS:-3}\n`),
  },
  {
    id: 'SPEC_UNKNOWN_KEY',
    severity: 'error',
    title: 'Every key is one a spec knows.',
    why: 'A misspelt key would silently leave its field at the server’s default.',
    bad: spec('queues:\n  ORDERS:\n    subject: ["orders.*"]\n'),
    good: GOOD,
  },
  {
    id: 'SPEC_MISSING',
    severity: 'error',
    title: 'version and name are there, and the names of a DLQ’s stream and a responses bucket.',
    why: 'The name is the owner mark on every resource.',
    bad: 'version: 1\nqueues:\n  ORDERS:\n    subjects: ["orders.*"]\n',
    good: GOOD,
  },
  {
    id: 'SPEC_TYPE',
    severity: 'error',
    title: 'Every value has the form of its field.',
    why: 'Durations are written 500ms, 5s, 1h30m, 7d; sizes 512MB, 1GiB; no limit is -1 or unlimited.',
    bad: spec('queues:\n  ORDERS:\n    subjects: ["orders.*"]\n    max_age: seven days\n'),
    good: spec('queues:\n  ORDERS:\n    subjects: ["orders.*"]\n    max_age: 7d\n'),
  },
  {
    id: 'SPEC_OTHER_WORD',
    severity: 'warning',
    title: 'Names and words are those of the JetStream API.',
    why: 'The nats CLI’s words (`workq`, `replicas`) and camelCase are understood; `--fix` writes the API’s.',
    bad: spec('queues:\n  ORDERS:\n    subjects: ["orders.*"]\n    retention: workq\n'),
    good: spec('queues:\n  ORDERS:\n    subjects: ["orders.*"]\n    retention: workqueue\n'),
  },
  {
    id: 'SPEC_FOREIGN',
    severity: 'error',
    title: 'The file is a spec, not a configuration of the nats CLI or a NACK manifest.',
    why: '`osapi-ops convert` makes a spec of those.',
    bad: '{"durable_name": "packer", "ack_policy": "explicit"}\n',
    good: GOOD,
  },
];
