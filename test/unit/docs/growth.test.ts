import { describe, expect, test } from '@jest/globals';
import { brokenCodes } from '../../../scripts/generate/codes-file.ts';
import { lostKeys } from '../../../scripts/generate/result-files.ts';
import { breaks, type Snapshot } from '../../../scripts/generate/surface-file.ts';

type Command = Snapshot['commands'][string];

const plan: Command = {
  aliases: ['diff'],
  args: { spec: { multiple: true } },
  flags: {
    out: { type: 'option', char: 'o', env: 'OSAPI_OPS_OUT' },
    prune: { type: 'boolean' },
    format: { type: 'option', options: ['text', 'json'], default: 'text' },
  },
};
const withFlag = (name: string, flag: Command['flags'][string]): Command => ({
  ...plan,
  flags: { ...plan.flags, [name]: flag },
});
const withoutFlag = (name: string): Command => ({
  ...plan,
  flags: Object.fromEntries(Object.entries(plan.flags).filter(([key]) => key !== name)),
});

describe('a script that worked goes on working', () => {
  const cases: { name: string; after: Snapshot['commands']; want: string[] }[] = [
    { name: 'nothing changed', after: { plan }, want: [] },
    { name: 'a command more', after: { plan, apply: plan }, want: [] },
    { name: 'a flag more', after: { plan: withFlag('markdown', { type: 'boolean' }) }, want: [] },
    {
      name: 'a value more',
      after: { plan: withFlag('format', { type: 'option', options: ['text', 'json', 'junit'], default: 'text' }) },
      want: [],
    },
    { name: 'a command gone', after: {}, want: ['the command `plan` is gone'] },
    { name: 'an alias gone', after: { plan: { ...plan, aliases: [] } }, want: ['`plan`: the alias `diff` is gone'] },
    { name: 'a flag gone', after: { plan: withoutFlag('prune') }, want: ['`plan`: `--prune` is gone'] },
    { name: 'an argument gone', after: { plan: { ...plan, args: {} } }, want: ['`plan`: the argument `spec` is gone'] },
    {
      name: 'an argument for one where there were many',
      after: { plan: { ...plan, args: { spec: {} } } },
      want: ['`plan`: the argument `spec`: multiple was true, is none'],
    },
    {
      name: 'another letter',
      after: { plan: withFlag('out', { type: 'option', char: 'w', env: 'OSAPI_OPS_OUT' }) },
      want: ['`plan`: `--out`: char was o, is w'],
    },
    {
      name: 'another variable',
      after: { plan: withFlag('out', { type: 'option', char: 'o' }) },
      want: ['`plan`: `--out`: env was OSAPI_OPS_OUT, is none'],
    },
    {
      name: 'a switch that wants a value now',
      after: { plan: withFlag('prune', { type: 'option' }) },
      want: ['`plan`: `--prune`: type was boolean, is option'],
    },
    {
      name: 'a value gone',
      after: { plan: withFlag('format', { type: 'option', options: ['text'], default: 'text' }) },
      want: ['`plan`: `--format` does not take `json` any more'],
    },
    {
      name: 'another default',
      after: { plan: withFlag('format', { type: 'option', options: ['text', 'json'], default: 'json' }) },
      want: ['`plan`: `--format`: default was text, is json'],
    },
    {
      name: 'a flag that is required now',
      after: { plan: withFlag('out', { type: 'option', char: 'o', env: 'OSAPI_OPS_OUT', required: true }) },
      want: ['`plan`: the flag `out` is required now'],
    },
  ];
  test.each(cases)('$name', ({ after, want }) => {
    expect(breaks({ commands: { plan } }, { commands: after })).toEqual(want);
  });
});

describe('a result only grows', () => {
  const object = (properties: object, required: string[] = Object.keys(properties)) => ({ properties, required });
  const number = { type: 'number' };
  const cases: { name: string; before: object; after: object; want: string[] }[] = [
    { name: 'a key more', before: object({ a: number }), after: object({ a: number, b: number }), want: [] },
    { name: 'a key gone', before: object({ a: number }), after: object({}), want: ['r: `a` is gone'] },
    {
      name: 'a key gone within a list',
      before: { items: object({ a: number }) },
      after: { items: object({}) },
      want: ['r[]: `a` is gone'],
    },
    {
      name: 'a key gone within a key',
      before: object({ a: object({ b: number }) }),
      after: object({ a: object({}) }),
      want: ['r: a: `b` is gone'],
    },
    {
      name: 'a key that is not always there any more',
      before: object({ a: number }),
      after: object({ a: number }, []),
      want: ['r: `a` is no longer always there'],
    },
    {
      name: 'a key gone in one of several forms',
      before: { anyOf: [object({ a: number })] },
      after: { anyOf: [object({})] },
      want: ['r: `a` is gone'],
    },
  ];
  test.each(cases)('$name', ({ before, after, want }) => {
    expect(lostKeys(before as Record<string, unknown>, after as Record<string, unknown>, 'r')).toEqual(want);
  });
});

describe('a code goes on meaning what it meant', () => {
  const before = { exits: { done: 0, failed: 1 }, errors: { NOT_FOUND: 1 }, rules: { A: 'error', B: 'warning' } };
  const cases: { name: string; after: Partial<typeof before>; want: string[] }[] = [
    { name: 'nothing changed', after: {}, want: [] },
    { name: 'codes more', after: { errors: { NOT_FOUND: 1, CONN_TLS: 69 } as never }, want: [] },
    { name: 'a milder rule', after: { rules: { A: 'warning', B: 'warning' } }, want: [] },
    {
      name: 'another number',
      after: { exits: { done: 0, failed: 3 } },
      want: ['the meaning failed: exit code was 1, is 3'],
    },
    { name: 'an error gone', after: { errors: {} as never }, want: ['the error NOT_FOUND: exit code was 1, is gone'] },
    {
      name: 'an error that ends otherwise',
      after: { errors: { NOT_FOUND: 64 } },
      want: ['the error NOT_FOUND: exit code was 1, is 64'],
    },
    { name: 'a rule gone', after: { rules: { A: 'error' } as never }, want: ['the rule B: was warning, is gone'] },
    {
      name: 'a harder rule',
      after: { rules: { A: 'error', B: 'error' } },
      want: ['the rule B: was warning, is error'],
    },
  ];
  test.each(cases)('$name', ({ after, want }) => {
    expect(brokenCodes(before, { ...before, ...after })).toEqual(want);
  });
});
