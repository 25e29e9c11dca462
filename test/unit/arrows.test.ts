import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { findBreaches, findStale } from '../../scripts/arrows/breaches.ts';
import { ROOMS } from '../../scripts/arrows/rooms.ts';

const PURE = 'src/lib/plan/x.ts';
const found = (text: string, file = PURE): string[] => findBreaches([{ file, text }]);

describe('a pure file may not act', () => {
  test.each([
    ['the environment', 'const home = process.env.HOME;', 'acts, by process.env'],
    ['the environment by another name', "import { env } from 'node:process';", 'acts, by node:process'],
    ['the environment, computed', "const home = process['env'];", 'acts, by process'],
    ['the environment, taken apart', 'const { env } = process;', 'acts, by process'],
    ['the environment over everything', 'const home = globalThis.process.env;', 'acts, by globalThis.process'],
    ['its own place', 'const here = import.meta.url;', 'acts, by import.meta'],
    ['a request', "await fetch('http://x');", 'acts, by fetch'],
    ['a request, handed on', 'const ask = fetch;', 'acts, by fetch'],
    ['a server', "import { createServer } from 'node:http';", 'acts, by node:http'],
    ['a server, when it is needed', "const http = await import('node:http');", 'acts, by node:http'],
    ['a file', "import fs from 'node:fs';", 'acts, by node:fs'],
    ['a file, without a scheme', "import { readFile } from 'fs/promises';", 'acts, by node:fs/promises'],
    ['a file, handed on', "export { readFileSync } from 'node:fs';", 'acts, by node:fs'],
    ['a file, for its effect', "import 'node:fs';", 'acts, by node:fs'],
    ['a timer', 'setTimeout(() => {}, 1);', 'acts, by setTimeout'],
    ['a timer over everything', 'globalThis.setTimeout(() => {}, 1);', 'acts, by globalThis.setTimeout'],
    ['a timer, taken apart', 'const { setInterval: every } = globalThis;', 'acts, by globalThis'],
    [
      'a timer as a promise',
      "import { setTimeout as sleep } from 'node:timers/promises';",
      'acts, by node:timers/promises',
    ],
    ['a timer in a signal', 'AbortSignal.timeout(5);', 'acts, by AbortSignal.timeout'],
    ['the clock', 'Date.now();', 'acts, by Date.now'],
    ['the clock, computed', "Date['now']();", 'acts, by Date'],
    ['the clock, taken apart', 'const { now } = Date;', 'acts, by Date'],
    ['the clock as an object', 'new Date();', 'acts, by Date'],
    ['the clock as a text', 'Date();', 'acts, by Date'],
    ['the clock by another name', 'const D = Date; new D();', 'acts, by Date'],
    ['the clock, spread', 'new Date(...[]);', 'acts, by Date'],
    ['the clock, handed on', 'Reflect.construct(Date, []);', 'acts, by Date'],
    ['the clock in a format', 'new Intl.DateTimeFormat().format();', 'acts, by Intl.DateTimeFormat'],
    ['the other clock', 'performance.now();', 'acts, by performance.now'],
    [
      'the other clock from its module',
      "import { performance as p } from 'node:perf_hooks';",
      'acts, by node:perf_hooks',
    ],
    ['chance', 'Math.random();', 'acts, by Math.random'],
    ['chance, taken apart', 'const { random } = Math;', 'acts, by Math'],
    ['chance by an id', 'crypto.randomUUID();', 'acts, by crypto.randomUUID'],
    ['chance from its module', "import { createHash, randomBytes } from 'node:crypto';", 'acts, by node:crypto'],
    ['chance from its whole module', "import * as all from 'node:crypto';", 'acts, by node:crypto'],
  ])('%s', (_, text, want) => {
    expect(found(text)).toEqual([`${PURE}:1: ${want}`]);
  });

  test('what only computes passes, and so does what only looks alike', () => {
    const text = `
      import type { Socket } from 'node:net';
      import { type Stats } from 'node:fs';
      import { createHash } from 'node:crypto';
      import path from 'node:path';
      export const at = (text: string): Date => new Date(text);
      export const ms = (text: string, { now }: { now: number }) => Date.parse(text) - now + Math.max(1, 2);
      export const is = (value: unknown) => value instanceof Date || value instanceof Error;
      export const any = (signals: AbortSignal[]) => AbortSignal.any(signals);
      export const row = { process: 1, Date: 2, fetch: (socket: Socket, stats: Stats) => [socket, stats] };
      export const name = row.process + path.sep + createHash('sha256').digest('hex') + new Intl.Collator().compare('a', 'b');
    `;
    expect(found(text)).toEqual([]);
  });

  test('a file that may act may do all of it', () => {
    const text = "import fs from 'node:fs'; setTimeout(() => fs, Date.now() * Math.random());";
    expect(found(text, 'src/lib/apply/execute.ts')).toEqual([]);
    expect(found(text, 'src/lib/apply/other.ts')).toHaveLength(4);
    expect(found(text, 'src/lib/health/checks/collect.ts')).toHaveLength(4);
  });
});

describe('a room imports only the rooms its arrows point to, in any spelling', () => {
  const want = `${PURE}:1: imports src/lib/nats/kv.ts: the room plan may not import nats`;
  test.each([
    ["import { openKv } from '../nats/kv.ts';", want],
    ["import type { Kv } from '../nats/kv.ts';", want],
    ["import '../nats/kv.ts';", want],
    ["export { openKv } from '../nats/kv.ts';", want],
    ["export * from '../nats/kv.ts';", want],
    ["const kv = await import('../nats/kv.ts');", want],
    ['const kv = await import(`../nats/kv.ts`);', want],
    ["const kv = await import('../nats/kv.ts' as string);", want],
    ["export type Kv = import('../nats/kv.ts').Kv;", want],
    ["import kv = require('../nats/kv.ts');", want],
    ["const name = 'kv'; await import('../nats/' + name);", `${PURE}:1: imports what only its run can name`],
    ['await import(name);', `${PURE}:1: imports what only its run can name`],
    ["const kv = require('../nats/kv.ts');", `${PURE}:1: uses require, past which nobody sees`],
    ["import { createRequire } from 'node:module';", `${PURE}:1: uses node:module, past which nobody sees`],
  ])('%s', (text, breach) => {
    expect(found(text)).toContain(breach);
  });

  test.each([
    [
      'src/lib/ui/x.ts',
      "import '../../commands/apply.ts';",
      'imports src/commands/apply.ts: the room ui may not import commands',
    ],
    [
      'src/lib/ui/x.ts',
      "import '../operations/apply.ts';",
      'imports src/lib/operations/apply.ts: the room ui may not import operations',
    ],
    ['src/lib/model/x.ts', "import '../../main.ts';", 'imports src/main.ts: the room model may not import src/main.ts'],
    [
      'src/commands/x.ts',
      "import '../lib/nats/kv.ts';",
      'imports src/lib/nats/kv.ts: the room commands may not import nats',
    ],
    [
      'src/lib/ui/x.ts',
      "import '../../../test/support/io.ts';",
      'imports test/support/io.ts, which is no part of the program',
    ],
    ['src/lib/attic/x.ts', 'export {};', 'is in no room of scripts/arrows/rooms.ts'],
    ['src/lib/x.ts', 'export {};', 'is in no room of scripts/arrows/rooms.ts'],
    ['src/x.ts', 'export {};', 'is in no room of scripts/arrows/rooms.ts'],
  ])('%s: %s', (file, text, want) => {
    expect(found(text, file)).toEqual([`${file}:1: ${want}`]);
  });

  test('only the door names a module by what it is asked for', () => {
    const text = `export const load = (name: string) => import(\`./commands/\${name}.ts\`);`;
    expect(found(text, 'src/main.ts')).toEqual([]);
    expect(found(text, 'src/complete.ts')).toEqual(['src/complete.ts:1: imports what only its run can name']);
  });
});

describe('a package has its rooms', () => {
  test.each([
    [PURE, "import { parse } from 'yaml';", 'imports yaml, which is none of this room’s packages'],
    [PURE, "import type { Document } from 'yaml';", 'imports yaml, which is none of this room’s packages'],
    [PURE, "await import('@nats-io/kv/lib/kv.js');", 'imports @nats-io/kv, which is none of this room’s packages'],
    ['src/lib/nats/x.ts', "import 'chalk';", 'imports chalk, which is none of this room’s packages'],
  ])('%s: %s', (file, text, want) => {
    expect(found(text, file)).toEqual([`${file}:1: ${want}`]);
  });

  test('a part of a package is the package', () => {
    expect(found("import * as z from 'zod/mini';")).toEqual([]);
    expect(found("import 'zodiac';")).toHaveLength(1);
  });
});

describe('what nobody may do', () => {
  test.each([
    ["throw new Error('x');", 'makes a bare Error: throw an OpsError'],
    ["throw new TypeError('x');", 'makes a bare TypeError: throw an OpsError'],
    ["throw RangeError('x');", 'makes a bare RangeError: throw an OpsError'],
    ["const failure = new Error('x'); throw failure;", 'makes a bare Error: throw an OpsError'],
    ["Promise.reject(new Error('x'));", 'makes a bare Error: throw an OpsError'],
    ['const E = TypeError;', 'makes a bare TypeError: throw an OpsError'],
    ['class Own extends Error {}', 'makes a bare Error: throw an OpsError'],
    ["throw 'x';", 'throws what is no error'],
    ['throw `x`;', 'throws what is no error'],
    ["throw { code: 'x' };", 'throws what is no error'],
    ["console.log('x');", 'prints past the doors, by console'],
    ["new Function('return process')();", 'uses Function, past which nobody sees'],
    ["(0, eval)('1');", 'uses eval, past which nobody sees'],
    ['const D = new Date(0).constructor;', 'uses constructor, past which nobody sees'],
    ['const { constructor: D } = new Date(0);', 'uses constructor, past which nobody sees'],
    ["const D = new Date(0)['constructor'];", 'uses constructor, past which nobody sees'],
    ["import vm from 'node:vm';", 'uses node:vm, past which nobody sees'],
  ])('%s', (text, want) => {
    // In a room that may act, so that nothing else is wrong.
    expect(found(text, 'src/lib/nats/x.ts')).toEqual([`src/lib/nats/x.ts:1: ${want}`]);
  });

  test('a class of our own has a constructor, and the room of errors makes them of Error', () => {
    const text = "export class Own extends Error { constructor() { super('x'); } }";
    expect(found(text, 'src/lib/errors/x.ts')).toEqual([]);
  });
});

describe('what one place spells for all', () => {
  test.each([
    ['src/lib/plan/x.ts', "const ask = 'STREAM.INFO.REQUESTS';", 'a name of the JetStream API: STREAM.INFO.REQUESTS'],
    [
      'src/lib/ui/x.ts',
      `const ask = \`\${api}.CONSUMER.CREATE.\${name}\`;`,
      'a name of the JetStream API: .CONSUMER.CREATE.',
    ],
    ['src/lib/risk/x.ts', "const ask = '$JS.API';", 'a name of the JetStream API: $JS.API'],
    ['src/lib/replay/x.ts', "const ask = 'STREAM.MSG.DELETE.Q';", 'the removal of a message: STREAM.MSG.DELETE.Q'],
    ['src/lib/nats/x.ts', `const ask = \`STREAM.PURGE.\${stream}\`;`, 'the removal of a message: STREAM.PURGE.'],
  ])('%s: %s', (file, text, want) => {
    expect(found(text, file)).toContain(`${file}:1: spells ${want}`);
  });

  test.each([
    ['src/lib/plan/x.ts', "const told = 'needs STREAM.INFO.REQUESTS';"],
    ['src/lib/plan/x.ts', "const advisory = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES';"],
    ['src/lib/nats/x.ts', "const ask = 'STREAM.INFO.REQUESTS';"],
    ['src/lib/nats/removal.ts', `const ask = \`STREAM.PURGE.\${stream}\`;`],
  ])('%s may say %s', (file, text) => {
    expect(found(text, file)).toEqual([]);
  });
});

describe('files do not go round in a circle', () => {
  const file = (name: string, ...imports: string[]) => ({
    file: `src/lib/dlq/${name}.ts`,
    text: imports.map((one) => `import '${one}';`).join('\n'),
  });

  test('inside a room', () => {
    expect(findBreaches([file('a', './b.ts'), file('b', './c.ts'), file('c', './b.ts')])).toEqual([
      'src/lib/dlq/b.ts → src/lib/dlq/c.ts → src/lib/dlq/b.ts: a circle',
    ]);
  });

  test('with itself, by a type, or later', () => {
    const by = (text: string) => findBreaches([{ file: 'src/lib/dlq/a.ts', text }, file('b', './a.ts')]);
    expect(by("import './a.ts';")).toEqual(['src/lib/dlq/a.ts → src/lib/dlq/a.ts: a circle']);
    expect(by("import type { B } from './b.ts';")).toHaveLength(1);
    expect(by("await import('./b.ts');")).toHaveLength(1);
  });

  test('two ways to one file are no circle', () => {
    expect(findBreaches([file('a', './b.ts', './c.ts'), file('b', './d.ts'), file('c', './d.ts'), file('d')])).toEqual(
      [],
    );
  });
});

describe('the table', () => {
  test('is no wider than the code', () => {
    const sources = [
      { file: 'src/lib/queue/a.ts', text: "import '../model/a.ts'; import '../errors/a.ts'; import '../facts/a.ts';" },
      { file: 'src/lib/spec/read.ts', text: "import 'zod'; import 'yaml/cst'; import '../files/a.ts';" },
      { file: 'src/lib/apply/execute.ts', text: "import type { Stats } from 'node:fs'; import '../nats/a.ts';" },
    ];
    const breaches = findBreaches(sources, { whole: true });
    const idle = breaches.filter((one) => /: (queue|spec|apply) does/.test(one));
    expect(idle).toEqual(
      ['spec does not need model', 'spec does not need errors', 'spec does not need facts']
        .concat('apply does not need model', 'apply does not need errors')
        .concat('apply does not need facts', 'apply does not need execute', 'queue does not need nats')
        .map((what) => `scripts/arrows/rooms.ts: ${what}: take it out`),
    );
    const silent = 'src/lib/nats does not spell a name of the JetStream API: take it out';
    expect(breaches).toContain(`scripts/arrows/rooms.ts: ${silent}`);
    const spelt = { file: 'src/lib/nats/a.ts', text: "export const ask = 'STREAM.INFO.X';" };
    expect(findBreaches([...sources, spelt], { whole: true })).not.toContain(`scripts/arrows/rooms.ts: ${silent}`);
  });

  test('stands in docs/architecture.md', () => {
    const page = readFileSync('docs/architecture.md', 'utf8');
    expect(findStale(page)).toEqual([]);
    const row = /^\| `replay` .*\n/m;
    const other = page.replace(row, (line) => line.replace(/\| [^|]* \|\n$/, '| model |\n'));
    for (const wrong of [other, page.replace(row, '')]) {
      expect(findStale(wrong)).toEqual([expect.stringMatching(/in this order: replay: model errors facts /)]);
    }
    const [queue = ''] = /^\| `queue`.*\n/m.exec(page)!;
    expect(findStale(page.replace(queue, '').replace(row, (line) => queue + line))).toHaveLength(1);
  });

  test('goes one way: a room imports only rooms that stand above it', () => {
    const names = Object.keys(ROOMS);
    for (const [at, { imports }] of Object.values(ROOMS).entries()) {
      expect(names.slice(0, at)).toEqual(expect.arrayContaining([...imports]));
      expect(new Set(imports).size).toBe(imports.length);
    }
  });
});
