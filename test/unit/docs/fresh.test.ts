import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv/dist/2020.js';
import { isStale, makeArtifacts } from '../../../scripts/generate/artifacts.ts';
import { RESULTS, resultFileOf } from '../../../scripts/generate/result-files.ts';
import { readSurface } from '../../../scripts/generate/surface.ts';
import { FIELDS } from '../../../src/lib/facts/fields.ts';

const artifacts = await makeArtifacts();
const surface = await readSurface();

describe('what is made from the code', () => {
  test('breaks nobody who scripts against it; where that is meant: npm run docs -- --accept', () => {
    expect(artifacts.flatMap(({ breaks }) => breaks)).toEqual([]);
  });

  test('is what the code says; else: npm run docs', () => {
    expect(artifacts.filter(isStale).map(({ file }) => `${file} is stale: npm run docs`)).toEqual([]);
  });

  test('is valid JSON Schema where it is one', () => {
    const schemas = artifacts.filter(({ file }) => /schemas\/(results|spec)/.test(file));
    expect(schemas.length).toBeGreaterThan(Object.keys(RESULTS).length);
    for (const { file, text } of schemas) {
      const ajv = new Ajv.default({ strict: false, validateFormats: false });
      expect({ file, isValid: ajv.validateSchema(JSON.parse(text)) }).toEqual({ file, isValid: true });
    }
  });

  test('has a schema for the JSON of every command', () => {
    const described = new Set(Object.keys(RESULTS));
    expect(surface.map(({ id }) => id).filter((id) => !described.has(id))).toEqual([]);
    expect([...described].filter((id) => !surface.some((command) => command.id === id))).toEqual([]);
    expect(artifacts.map(({ file }) => file)).toContain(`schemas/results/${resultFileOf('dlq replay')}`);
  });

  test('tells of every field of every resource', () => {
    const page = readFileSync('docs/spec.md', 'utf8');
    const missing = Object.entries(FIELDS).flatMap(([kind, fields]) =>
      fields.filter(({ name }) => !page.includes(`\n#### ${kind}: ${name}\n`)).map(({ name }) => `${kind} ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('help', () => {
  test.each(surface.map((command) => [command.id, command] as const))(
    'of %s is complete and in the house’s form',
    (_, command) => {
      expect(command.summary).toMatch(/^[a-z].*[^.]$/);
      expect(command.summary).not.toContain('\n');
      expect(command.description).toMatch(/\S/);
      expect(command.examples.length).toBeGreaterThan(0);
      const silent = Object.entries(command.flags).filter(([, { summary }]) => !summary);
      expect(silent.map(([name]) => name)).toEqual([]);
      const noVariable = Object.entries(command.flags).filter(([, { env, group }]) => !env && group !== 'CONNECTION');
      expect(noVariable.map(([name]) => name)).toEqual([]);
    },
  );
});
