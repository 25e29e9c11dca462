import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CODES } from '../../src/lib/errors/codes.ts';
import { ACTING } from '../support/acting.ts';

/** Which rooms of src/lib a room may import. docs/architecture.md draws the same arrows. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  errors: ['model'],
  facts: ['model', 'errors'],
  spec: ['model', 'errors', 'facts'],
  desired: ['model', 'errors', 'facts'],
  canonical: ['model', 'errors', 'facts'],
  plan: ['model', 'errors', 'facts', 'canonical', 'risk'],
  risk: ['model', 'errors', 'facts', 'canonical'],
  nats: ['model', 'errors', 'facts'],
  observed: ['model', 'errors', 'facts', 'canonical', 'nats'],
  apply: ['model', 'errors', 'facts', 'canonical', 'nats'],
  ledger: ['model', 'errors', 'facts', 'nats'],
  convert: ['model', 'errors', 'facts', 'spec'],
  devserver: ['model', 'errors', 'facts', 'nats'],
  dlq: ['model', 'errors', 'facts', 'nats', 'ledger'],
  replay: ['model', 'errors', 'facts', 'nats', 'ledger', 'dlq'],
  requests: ['model', 'errors', 'facts', 'nats', 'ledger', 'dlq'],
  queue: ['model', 'errors', 'facts', 'nats'],
  worker: ['model', 'errors', 'facts', 'nats', 'ledger'],
  health: ['model', 'errors', 'facts', 'nats', 'ledger', 'observed', 'dlq'],
  permissions: ['model', 'errors', 'facts'],
  complete: ['model'],
  ui: ['model', 'errors', 'facts', 'plan', 'complete'],
  operations: [
    'model',
    'errors',
    'facts',
    'spec',
    'desired',
    'canonical',
    'plan',
    'risk',
    'nats',
    'observed',
    'apply',
    'ledger',
    'convert',
    'devserver',
    'dlq',
    'replay',
    'requests',
    'queue',
    'worker',
    'health',
    'permissions',
    'complete',
  ],
  commands: ['model', 'errors', 'operations', 'ui', 'plan', 'spec', 'complete'],
};

/** Rooms and doors where acting is the work. */
const DOORS =
  /^src\/(main|complete)\.ts$|^src\/lib\/(nats|devserver)\/|^src\/lib\/ui\/(base-command|host|host-tty|host-plain|pager)\.ts$/;
/** Operations that read or write a file the user named, or run a process for a person. */
const ACTING_OPERATIONS = /^src\/lib\/operations\//;
const MAY_ACT = (file: string): boolean => ACTING.test(file) || DOORS.test(file) || ACTING_OPERATIONS.test(file);

const PACKAGES: Readonly<Record<string, RegExp>> = {
  '@nats-io': /^src\/lib\/nats\//,
  chalk: /^src\/lib\/ui\//,
  listr2: /^src\/lib\/ui\//,
  '@inquirer': /^src\/lib\/ui\//,
  '@oclif': /^src\/(commands|lib\/ui|main\.ts)/,
};

const files = globSync('src/**/*.ts').map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const roomOf = (file: string): string => (file.startsWith('src/lib/') ? file.split('/')[2]! : 'commands');
const importsOf = (text: string): string[] =>
  [...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)/g)].map(
    (match) => (match[1] ?? match[2])!,
  );

describe('the house', () => {
  test('a room imports only the rooms its arrows point to', () => {
    const astray = files.flatMap(({ file, text }) =>
      importsOf(text)
        .filter((path) => path.startsWith('.'))
        .map((path) => normalize(join(dirname(file), path)))
        .filter((target) => target.startsWith('src/lib/') && roomOf(target) !== roomOf(file))
        .filter((target) => !MAY_IMPORT[roomOf(file)]?.includes(roomOf(target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(astray).toEqual([]);
  });

  test('a package that talks to the outside has one room', () => {
    const astray = files.flatMap(({ file, text }) =>
      importsOf(text)
        .filter((path) => !path.startsWith('.'))
        .filter((path) => Object.entries(PACKAGES).some(([name, room]) => path.startsWith(name) && !room.test(file)))
        .map((path) => `${file} imports ${path}`),
    );
    expect(astray).toEqual([]);
  });

  test('files, processes, timers and the clock are touched only where the name says so', () => {
    const acts =
      /from 'node:(fs|fs\/promises|child_process|net|tls)'|setTimeout\(|setInterval\(|Date\.now\(\)|new Date\(\)/;
    expect(files.filter(({ file, text }) => acts.test(text) && !MAY_ACT(file)).map(({ file }) => file)).toEqual([]);
  });

  test('a user never meets a bare Error, and nobody prints past the doors', () => {
    const bare = files.filter(({ text }) => /throw new Error\(|console\.(log|error|warn)/.test(text));
    expect(bare.map(({ file }) => file)).toEqual([]);
  });

  test('every error code has its paragraph in docs/errors.md', () => {
    const page = readFileSync('docs/errors.md', 'utf8');
    expect(Object.keys(CODES).filter((code) => !page.includes(`## ${code}\n`))).toEqual([]);
  });
});
