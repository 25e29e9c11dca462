import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ROOT } from '../support/cli.ts';

test('the build carries the licence of every package that the sources import', () => {
  const imports = /(?:^(?:import|\}) .*from |import\()'((?:@[a-z-]+\/)?[a-z0-9-]+)(?:'|\/)/gm;
  const imported = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(imports)].map((match) => match[1]!),
  );
  const names = new Set(imported);
  // It only hands on what is in @inquirer/confirm and its like; nothing of itself remains.
  names.delete('@inquirer/prompts');
  const page = readFileSync(join(ROOT, 'dist', 'THIRD_PARTY_LICENSES'), 'utf8');
  expect([...names]).toEqual(expect.arrayContaining(['@oclif/core', '@nats-io/transport-node', 'yaml', 'zod']));
  expect([...names].filter((name) => !page.includes(`\n${name} `))).toEqual([]);
});
