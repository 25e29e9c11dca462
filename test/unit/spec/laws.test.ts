import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SPEC_SCHEMA_FILE, specSchemaText } from '../../../scripts/generate/spec-schema.ts';
import type { Field, FieldType } from '../../../src/lib/facts/field.ts';
import { FIELDS } from '../../../src/lib/facts/fields.ts';
import type { Spec } from '../../../src/lib/model/spec.ts';
import { fixSpec } from '../../../src/lib/spec/fix.ts';
import { printSpec, withoutDefaults } from '../../../src/lib/spec/print.ts';
import { isError } from '../../../src/lib/spec/problem.ts';
import { anyText } from '../../support/any-text.ts';
import { loadText, readForm } from './support.ts';

/** Texts as people and attackers write them: dollars, quotes, colons, what YAML would take for something else. */
const text = fc.oneof(
  fc.constantFrom(
    '$JS.EVENT.>',
    `\${HOME}`,
    '$$',
    `$\${x}`,
    'yes',
    'null',
    '~',
    '3',
    '1e3',
    '- a',
    'a: b',
    '#x',
    '"',
    "'",
    '*a',
    '&a',
    '!t',
    'true',
    '0x10',
    `\${`,
    'ü',
    ' lead',
    'trail ',
  ),
  fc.string({ minLength: 1 }),
  fc.string({ unit: 'grapheme', minLength: 1 }),
);
const nanos = fc.integer({ min: 100, max: 400_000_000 }).map((ms) => ms * 1e6);

function anyValue(type: FieldType): fc.Arbitrary<unknown> {
  switch (type.type) {
    case 'text':
      return text;
    case 'flag':
      return fc.boolean();
    case 'count':
      return fc.integer({ min: type.min ?? (type.unlimited ? -1 : 0), max: type.max ?? 1e6 });
    case 'duration':
      return nanos.map((value) => Math.max(value, type.min ?? 0));
    case 'size':
      return fc.integer({ min: type.unlimited ? -1 : 0, max: 2 ** 31 - 1 });
    case 'time':
      return fc.constant('2030-01-31T12:00:00Z');
    case 'choice':
      return fc.constantFrom(...type.values);
    case 'texts':
      return fc.array(text, { maxLength: 3 });
    case 'durations':
      return fc.array(nanos, { maxLength: 4 });
    case 'map':
      return fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/), text, { maxKeys: 3 });
    case 'group':
      return config(type.fields);
    case 'groups':
      return fc.array(config(type.fields), { maxLength: 2 });
  }
}

const config = (fields: readonly Field[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(fields.map((field) => [field.name, anyValue(field.type)])), { requiredKeys: [] });

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/).filter((each) => !['__proto__', '<<'].includes(each));
const consumers = fc.dictionary(
  name,
  config(FIELDS.consumer).map((each) => ({ ack_policy: 'explicit', ...each })),
  { maxKeys: 2 },
);
const threshold = fc.record({
  warn: fc.option(fc.integer({ min: 1, max: 99 })),
  critical: fc.option(fc.integer({ min: 1, max: 99 })),
});
const health = fc.record({
  dead: threshold,
  backlog: threshold,
  usage: threshold,
  oldest: fc.record({ warn: fc.option(nanos), critical: fc.option(nanos) }),
});

/** Any spec at all: sensible or not, for its form. */
const spec = fc.record({
  version: fc.constant(1),
  name: fc.constant('shop'),
  description: text,
  min_server_version: fc.constantFrom('2.10', '2.12.1'),
  connection: fc.record(
    { context: text, servers: fc.array(text, { minLength: 1 }), timeout: nanos },
    { requiredKeys: [] },
  ),
  queues: fc.dictionary(
    name,
    fc.record(
      {
        config: config(FIELDS.stream).map((each) => ({ retention: 'workqueue', allow_direct: true, ...each })),
        consumers,
        dlq: fc.record({
          stream: text,
          capture: fc.constantFrom(['max_deliveries', 'terminated'], ['terminated']),
          config: config(FIELDS.stream),
        }),
        responses: fc.record({ bucket: text, config: config(FIELDS.bucket) }),
        health,
      },
      { requiredKeys: ['config', 'consumers', 'health'] },
    ),
    { maxKeys: 2 },
  ),
  streams: fc.dictionary(name, fc.record({ config: config(FIELDS.stream), consumers }), { maxKeys: 2 }),
  buckets: fc.dictionary(name, config(FIELDS.bucket), { maxKeys: 2 }),
}) as unknown as fc.Arbitrary<Spec>;

describe('the laws of a spec', () => {
  test('reading what was printed gives the same spec', () => {
    fc.assert(
      fc.property(spec, (given) => {
        const printed = printSpec(given);
        const read = readForm(printed);
        expect(read.problems).toEqual([]);
        expect(read.spec).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  test('leaving defaults out keeps what a spec decides itself', () => {
    const full: Spec = {
      version: 1,
      name: 'shop',
      connection: {},
      queues: {
        ORDERS: {
          config: {
            retention: 'workqueue',
            allow_direct: true,
            subjects: ['orders.*'],
            max_msgs: -1,
            num_replicas: 3,
            discard: 'new',
          },
          consumers: { packer: { ack_policy: 'explicit', max_deliver: 5, ack_wait: 30e9, replay_policy: 'instant' } },
          dlq: {
            stream: 'dead',
            capture: ['max_deliveries', 'terminated'],
            config: { retention: 'limits', allow_direct: true, max_age: 604_800e9, num_replicas: 1, storage: 'file' },
          },
          health: {
            dead: { warn: 1, critical: 100 },
            backlog: { warn: 1000, critical: 10_000 },
            oldest: { warn: 300e9, critical: 3600e9 },
            usage: { warn: 70, critical: 90 },
          },
        },
      },
      streams: {},
      buckets: {},
    };
    expect(printSpec(withoutDefaults(full, '2.15.1'))).toMatchInlineSnapshot(`
"# yaml-language-server: $schema=./spec.schema.json
version: 1
name: shop
queues:
  ORDERS:
    subjects: ["orders.*"]
    num_replicas: 3
    discard: new
    consumers:
      packer:
        max_deliver: 5
    dlq:
      stream: dead
      num_replicas: 1
      max_age: 7d
"
`);
  });

  test('random text never crashes it and is always explained', async () => {
    const garbage = fc.oneof(
      fc.string(),
      anyText(),
      fc.string({ unit: fc.constantFrom(...'{}[]:,-&*!|>#\'"%@`?\n\t $ab1'), maxLength: 60 }),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (given) => {
        const { loaded, problems } = await loadText(given);
        expect(loaded).toBeUndefined();
        for (const { message, why, hint } of problems) expect([message, why, hint].every(Boolean)).toBe(true);
        expect(problems.some(isError)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('a spec with any piece cut out, doubled or exchanged never crashes it, and mends never make it worse', async () => {
    const whole = readFileSync('config/base.yaml', 'utf8')
      .replace('workqueue', 'workq')
      .replace('max_deliver', 'maxDeliver');
    const piece = fc.constantFrom(
      '',
      ':',
      '- ',
      '[',
      '}',
      '"',
      "'",
      '\t',
      '*x',
      '&x ',
      `\${`,
      `\${X}`,
      '\n',
      '  ',
      '1',
      '~',
      '!!binary ',
      '|',
      '<<: ',
      '\u0000',
      '\ufeff',
      '---\n',
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), fc.nat(40), piece, async (at, length, put) => {
        const mutated = whole.slice(0, at) + put + whole.slice(at + length);
        const { problems, loaded } = await loadText(mutated);
        expect(Boolean(loaded) || problems.some(isError)).toBe(true);
        const { text: mended } = fixSpec(mutated, problems);
        const after = await loadText(mended);
        expect(after.problems.filter(isError).length).toBeLessThanOrEqual(problems.filter(isError).length);
      }),
      { numRuns: 500 },
    );
  });

  test('mends touch nothing but what they mend', async () => {
    const text = [
      'version: 1   # the format',
      'name: shop',
      'queues:',
      "  'ORDERS':   # all of them",
      '    subjects:   [ "orders.*" ]',
      '    retention: "workq"  # words',
      '    replicas: 3',
      '',
      '    metadata:',
      '      osapi-ops.owner: me   # who?',
      '      team:   shop',
      '    consumers: {packer: {deliverPolicy: new, max_deliver: "5"}}',
      '',
    ].join('\r\n');
    const first = fixSpec(text, (await loadText(text)).problems).text;
    const second = fixSpec(first, (await loadText(first)).problems).text;
    expect((await loadText(second)).problems).toEqual([]);
    expect(second.split('\r\n')).toEqual([
      'version: 1   # the format',
      'name: shop',
      'queues:',
      "  'ORDERS':   # all of them",
      '    subjects:   [ "orders.*" ]',
      '    retention: "workqueue"  # words',
      '    num_replicas: 3',
      '',
      '    metadata:',
      '      # who?',
      '      team:   shop',
      '    consumers: {packer: {deliver_policy: all, max_deliver: 5}}',
      '',
    ]);
  });

  test('the JSON Schema is fresh (mend: npm run docs)', () => {
    expect(readFileSync(SPEC_SCHEMA_FILE, 'utf8')).toBe(specSchemaText());
  });
});
