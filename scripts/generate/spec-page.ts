import { fileURLToPath } from 'node:url';
import { camelCase, type Field, type Loss } from '../../src/lib/facts/field.ts';
import { FIELDS } from '../../src/lib/facts/fields.ts';
import type { ResourceKind } from '../../src/lib/model/resource.ts';
import { CONSUMER_DEFAULTS, QUEUE_DEFAULTS } from '../../src/lib/spec/assemble.ts';
import { changeCases, defaultWords, line, slotType, typeWords } from '../../src/lib/spec/field-words.ts';
import {
  connectionShape,
  dlqShape,
  healthShape,
  type ObjectShape,
  responsesShape,
  specShape,
} from '../../src/lib/spec/shape.ts';

export const SPEC_PAGE_FILE = fileURLToPath(new URL('../../docs/spec.md', import.meta.url));

const HEAD = `# The spec

One YAML file (YAML 1.2; JSON is YAML too) is one system. \`osapi-ops init\` writes a first one, \`osapi-ops validate\`
judges it offline ([rules](rules.md)), and an editor completes it by the schema that its first line names:

\`\`\`yaml
# yaml-language-server: $schema=./spec.schema.json
version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    discard: new
    consumers:
      request-worker:
        max_deliver: 10
        backoff: [5s, 10s, 15s]
    dlq: { stream: requests_dlq }
    responses: { bucket: responses, ttl: 7d }
\`\`\`

Fields are called as in the JetStream API. The nats CLI's words and camelCase are understood; \`validate\` tells the
name here and \`validate --fix\` writes it.

This page is made from the code by \`npm run docs\`: from the same tables that validate, compare and judge.

## How values are written

| kind | written | read as |
| --- | --- | --- |
| duration | \`500ms\`, \`5s\`, \`1h30m\`, \`7d\`, \`2w\` | an integer without a unit is nanoseconds, as in the API |
| size | \`512MB\`, \`1GiB\`, \`64KiB\` | \`MB\` is 1000², \`MiB\` 1024²; an integer without a unit is bytes |
| no limit | \`unlimited\` or \`-1\` | where the server takes it |
| moment | \`2030-01-31T12:00:00Z\` | RFC 3339 |

A field that is left out means the server's default, so that drift in it shows. A field that the server has and this
build does not know is left alone and reported.

## Variables

| written | becomes |
| --- | --- |
| \`\${NAME}\` | the variable; a problem with its place where it is not set |
| \`\${NAME:-text}\` | the variable, or the text where it is not set or empty |
| \`\${NAME:?message}\` | the variable, or a problem that says the message |
| \`$$\` | one dollar |

They stand in values, never in keys. Subjects such as \`$JS.EVENT.>\` or \`$KV.responses.>\` need no escape. What a
variable puts into a stream, a consumer or a bucket is shown in plans like the rest of it; into the connection, it is not. See [secrets in a spec](how-to/secrets.md).

## extends

\`extends: ./base.yaml\` builds on another file, whose path is relative to this one. Maps merge; lists and scalars
replace. A file may extend one that extends; a circle is refused. See [several environments](how-to/environments.md).

`;

const LOSES: Readonly<Record<Loss, string>> = {
  age: 'lowering it deletes at once what is older',
  messages: 'lowering it below what is stored deletes the oldest at once, with `discard: old`',
  bytes: 'lowering it below what is stored deletes the oldest at once, with `discard: old`',
  'per-subject': 'lowering it deletes the oldest of each subject that has more',
};

/** A pipe inside a cell would end it. */
const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

/** In place, replaced, or it depends: the short form for the overview. */
function changeWord(field: Field): string {
  const impacts = new Set(changeCases(field).map(({ verdict }) => verdict.impact));
  const word = impacts.size > 1 ? 'depends' : impacts.has('replace') ? 'replaces' : 'in place';
  return field.loss ? `${word}, may delete` : word;
}

function changeLines(field: Field): string[] {
  const lines = changeCases(field).map(({ verdict: { impact, note }, when }) => {
    const what = impact === 'replace' ? '**refused in place**' : 'in place';
    return `- Changed${when ? ` (${when})` : ''}: ${what}${note ? ` – ${note}` : ''}.`;
  });
  return field.loss
    ? [...lines, `- Data: ${LOSES[field.loss]}; apply counts it and wants \`--allow-data-loss\`.`]
    : lines;
}

function availability({ since, until }: Field): string {
  return [...(since ? [`from ${line(since)}`] : []), ...(until ? [`up to ${until}`] : [])].join(', ');
}

/** A queue has some of its own. */
function shownDefault(field: Field, kind: ResourceKind, server: string): string {
  const own = kind === 'stream' ? QUEUE_DEFAULTS[field.name] : undefined;
  return own === undefined ? server : `\`${own}\` of a queue, of other streams ${server}`;
}

function section(field: Field, kind: ResourceKind): string {
  const streamTable = kind === 'consumer' ? FIELDS.stream : undefined;
  const words = [...new Set([...(field.aliases ?? []), camelCase(field.name)])].filter((word) => word !== field.name);
  const where = availability(field);
  return [
    `#### ${kind}: ${field.name}`,
    '',
    field.doc,
    '',
    `- Type: ${typeWords(field.type)}`,
    `- Default: ${shownDefault(field, kind, defaultWords(field, FIELDS[kind], streamTable))}`,
    ...(where ? [`- Servers: ${where}`] : []),
    ...changeLines(field),
    ...(words.length > 0 ? [`- Also understood: ${words.map((word) => `\`${word}\``).join(', ')}`] : []),
    `- Source: ${field.source}`,
    ...partsOf(field),
    '',
  ].join('\n');
}

/** The parts of a group, one level down at a time. */
function partsOf({ type }: Field): string[] {
  if (type.type !== 'group' && type.type !== 'groups') return [];
  const rows = (fields: readonly Field[], prefix: string): string[] =>
    fields.flatMap((part) => [
      row(`\`${prefix}${part.name}\``, typeWords(part.type), part.since ? `from ${line(part.since)}` : '', part.doc),
      ...(part.type.type === 'group' || part.type.type === 'groups'
        ? rows(part.type.fields, `${prefix}${part.name}.`)
        : []),
    ]);
  return ['', table(['part', 'type', 'servers', 'what'], rows(type.fields, ''))];
}

function resource(kind: ResourceKind, intro: string): string {
  const fields = FIELDS[kind];
  const overview = fields.map((field) =>
    row(
      `[\`${field.name}\`](#${kind}-${field.name})`,
      typeWords(field.type),
      shownDefault(
        field,
        kind,
        defaultWords(field, fields, kind === 'consumer' ? FIELDS.stream : undefined).split(';')[0]!,
      ),
      availability(field),
      changeWord(field),
    ),
  );
  return [
    `### Fields of a ${kind}`,
    '',
    intro,
    '',
    table(['field', 'type', 'default', 'servers', 'change'], overview),
    '',
    ...fields.map((field) => section(field, kind)),
  ].join('\n');
}

function ownKeys(shape: ObjectShape): string {
  const own = [...shape.slots.values()].filter(({ field }) => !field);
  const rows = own.map((slot) =>
    row(
      `\`${slot.name}\`${slot.required ? ' (required)' : ''}`,
      slotType(slot),
      slot.doc,
      slot.aliases.map((word) => `\`${word}\``).join(', '),
    ),
  );
  return table(['key', 'type', 'what', 'also understood'], rows);
}

const pairs = (config: object): string =>
  Object.entries(config)
    .map(([name, value]) => `\`${name}: ${value}\``)
    .join(', ');

/** The text of docs/spec.md. */
export const specPageText = (): string =>
  [
    HEAD,
    `## The keys of a spec\n\n${ownKeys(specShape)}\n\nKeys that begin with \`x-\` mean nothing: they hold YAML anchors to share.\n`,
    `## queues\n\nA queue is a stream with all of [its fields](#fields-of-a-stream), its consumers and what belongs to it. Where the spec
does not say otherwise a queue has ${pairs(QUEUE_DEFAULTS)}, and its
DLQ and responses bucket have its \`num_replicas\`.\n`,
    `### consumers\n\nBy name, with all [fields of a consumer](#fields-of-a-consumer). Durable; a pull consumer unless \`deliver_subject\` is
set; ${pairs(CONSUMER_DEFAULTS)} where the spec does not say otherwise.\n`,
    `### dlq\n\nThe stream of the server's advisories about dead messages: pointers, not payloads. Its subjects follow from the queue
and \`capture\`. It takes every field of a stream besides.\n\n${ownKeys(dlqShape)}\n`,
    `### responses\n\nThe bucket where workers put responses. It takes every [field of a bucket](#fields-of-a-bucket) besides.\n\n${ownKeys(responsesShape)}\n`,
    `### health\n\nThresholds of \`status\`, each with \`warn\` and \`critical\`; \`off\` never fires. A value at the threshold fires.\n\n${ownKeys(healthShape)}\n`,
    `## streams\n\nOther streams of the same owner: all fields of a stream, and \`consumers\`. No composite, the server's defaults.\n`,
    `## buckets\n\nOther KV buckets: all fields of a bucket.\n`,
    `## moved_from\n\n\`moved_from: OLD\` on a stream (a queue, a DLQ), a consumer or a bucket says that it had another name. Where OLD is on the
server and the name is not, \`plan\` shows the move and \`apply --migrate\` carries it out, without losing or doubling a
message ([how](how-to/immutable-field.md)); a consumer's old name is one of the same stream. Where neither is there, the
resource is created. When all servers have it under its name, \`moved_from\` may go.\n`,
    `## connection\n\nWhere to connect and as whom. Flags win over the environment, the environment over the spec. Paths are relative to the
spec's file.\n\n${ownKeys(connectionShape)}\n`,
    `## Fields

*Default* is what the server fills in. *Change* says how the server takes another value on a live resource: in place;
or it refuses, and the resource must be deleted and made again (\`replaces\`: apply wants \`--allow-replace\`); or it
depends. \`may delete\`: a lower value can delete messages, and apply wants \`--allow-data-loss\`.
`,
    resource('stream', 'In `queues`, `streams` and `dlq`. The stream’s name is the key.'),
    resource('consumer', 'In `consumers`. The consumer’s name is the key.'),
    resource(
      'bucket',
      'In `buckets` and `responses`. A bucket is a stream `KV_<bucket>`; these are the words of the KV API.',
    ),
  ].join('\n');
