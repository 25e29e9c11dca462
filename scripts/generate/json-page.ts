import { fileURLToPath } from 'node:url';
import { table } from './markdown.ts';
import { errorSchema, RESULTS, resultFileOf, resultSchema } from './result-files.ts';

export const JSON_PAGE_FILE = fileURLToPath(new URL('../../docs/json.md', import.meta.url));

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
}

/** A type in a few words. */
function typeWords(schema: Schema): string {
  const { type, items, anyOf } = schema;
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (anyOf) return [...new Set(anyOf.map(typeWords))].join(' or ');
  if (type === 'array') return `list of ${items?.properties ? 'objects' : items ? typeWords(items) : 'anything'}`;
  return [type ?? 'any'].flat().join(' or ');
}

/** The keys of an object, and of the objects in its lists, one level down. */
function rowsOf({ properties = {}, required = [] }: Schema, prefix = ''): string[][] {
  return Object.entries(properties).flatMap(([key, part]) => [
    [
      `\`${prefix}${key}\``,
      typeWords(part),
      [required.includes(key) ? '' : 'not always', part.description ?? ''].filter(Boolean).join('; '),
    ],
    ...(prefix === '' && part.items?.properties ? rowsOf(part.items, `${key}[].`) : []),
    ...(prefix === '' && part.properties ? rowsOf(part, `${key}.`) : []),
  ]);
}

function section(title: string, file: string, schema: Schema): string {
  const forms = schema.anyOf ?? [schema];
  const isListOfAnother = ({ items }: Schema): boolean =>
    forms.some((form) => items !== undefined && JSON.stringify(form) === JSON.stringify(items));
  const tables = forms.map((form) => {
    if (isListOfAnother(form)) return 'a list of such.';
    const keys = form.type === 'array' ? form.items : form;
    const said = form.description ? `${form.description}:\n\n` : '';
    return keys?.properties
      ? `${said}${form.type === 'array' ? 'A list; each of its entries has:\n\n' : ''}${table(['key', 'type', ''], rowsOf(keys))}`
      : `${said}A ${typeWords(form)}.`;
  });
  return `## ${title}\n\nSchema: [${file}](../schemas/results/${file})\n\n${tables.join('\n\nor\n\n')}\n`;
}

/** The text of docs/json.md. */
export const jsonPageText = (): string =>
  [
    `# JSON

With \`--json\` (or \`OSAPI_OPS_JSON=1\`) stdout is one JSON document, of a failure as well. Results only grow: a key that is there
stays, and stays what it is; a test compares each schema with the one before. Times are RFC 3339.

The schemas are [JSON Schema 2020-12](https://json-schema.org/draft/2020-12/schema) files of the package, besides the one of [the
spec](../schemas/spec.schema.json), which \`osapi-ops schema\` prints. This page is made from them by \`npm run docs\`, and shows two levels.
`,
    section('Failures', 'error.json', errorSchema(false) as Schema),
    ...Object.keys(RESULTS)
      .sort()
      .map((command) => section(`osapi-ops ${command}`, resultFileOf(command), resultSchema(command, false) as Schema)),
  ].join('\n');
