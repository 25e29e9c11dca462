import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { loadTransform, type Transform } from '../../../src/lib/replay/transform.ts';
import { entry, stored } from '../dlq/builders.ts';

let dir: string;
let transform: Transform | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-transform-'));
  transform = undefined;
});
afterEach(async () => {
  await transform?.end();
  rmSync(dir, { recursive: true, force: true });
});

const never = new AbortController().signal;
const some = entry();
const one = { ...some, inner: { ...some.inner, message: stored({ payload: '{"n":1}' }) } };
const load = async (code: string, { signal = never, patienceMs = 10_000 } = {}) => {
  writeFileSync(join(dir, 'mend.mjs'), code);
  transform = await loadTransform(join(dir, 'mend.mjs'), signal, { patienceMs });
  return transform;
};
const returning = (value: string) => load(`export default (request) => (${value});`);

test.each([
  { value: '{ payload: { a: 1 } }', want: '{"a":1}' },
  { value: '{ payload: { at: { toJSON: () => "x" } } }', want: '{"at":"x"}' },
  { value: '{ payload: 7 }', want: '7' },
  { value: '{ payload: null }', want: 'null' },
  { value: '{ payload: Buffer.from("A") }', want: 'A' },
  { value: '{ payload: request.payload + " " }', want: '{"n":1} ' },
  { value: 'Promise.resolve(request)', want: '{"n":1}' },
  { value: '{ ...request, payload: String(request.headers.constructor) }', want: 'undefined' },
])('$value is a message with the payload $want', async ({ value, want }) => {
  const made = await (await returning(value)).apply(one, never);
  expect(Buffer.from(made!.payload).toString()).toBe(want);
});

test.each([
  { value: '((a) => (a.payload = a))({})', want: /payload cannot be written as JSON/ },
  { value: '{ payload: () => 1 }', want: /payload cannot be written as JSON/ },
  { value: '{ payload: 1n }', want: /payload cannot be written as JSON/ },
  { value: '() => 1', want: /returned a function/ },
  { value: '"x"', want: /returned a string/ },
  { value: '{ ...request, paylaod: 1 }', want: /returned a key "paylaod", which a request has not/ },
  { value: '{ ...request, id: "Q/w/9" }', want: /returned another id/ },
  { value: 'undefined', want: /returned nothing/ },
  { value: '{ headers: { A: () => 1 } }', want: /DataCloneError/ },
  { value: 'process.exit(3)', want: /exit code 3/ },
])('$value is a fault', async ({ value, want }) => {
  const made = (await returning(value)).apply(one, never);
  await expect(made).rejects.toMatchObject({ code: 'USAGE_FILE', message: expect.stringMatching(want) });
  await expect(made).rejects.toThrow(one.id);
});

describe.each([
  { name: 'loops', code: 'for (;;) {}' },
  { name: 'never resolves', code: 'return new Promise(() => {});' },
])('a module that $name', ({ code }) => {
  test('is ended after its time, and the entry is named', async () => {
    const { apply } = await load(`export default function (request) { ${code} }`, { patienceMs: 1500 });
    await expect(apply(one, never)).rejects.toMatchObject({
      code: 'USAGE_FILE',
      message: `--transform: ${one.id}: it gave nothing back within 1.5 s, and was ended`,
      where: join(dir, 'mend.mjs'),
    });
    expect(transform!.isOver).toBe(true);
  });

  test('is ended by who stops it, with the reason', async () => {
    const { apply } = await load(`export default function (request) { ${code} }`);
    const stop = new AbortController();
    const made = apply(one, stop.signal);
    stop.abort(new OpsError('INTERRUPTED', 'stopped by Ctrl-C'));
    await expect(made).rejects.toMatchObject({ code: 'INTERRUPTED' });
    await expect(apply(one, stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

test('a module that does not come to its end while it is loaded is ended after its time', async () => {
  await expect(load('for (;;) {}', { patienceMs: 500 })).rejects.toMatchObject({
    code: 'USAGE_FILE',
    message: '--transform: it gave nothing back within 0.5 s, and was ended',
  });
});

test('what fails beside its call is a fault, and the module is over', async () => {
  const code = 'export default () => new Promise(() => setTimeout(() => { throw new RangeError("late"); }));';
  const { apply } = await load(code);
  await expect(apply(one, never)).rejects.toMatchObject({ message: `--transform: ${one.id}: RangeError: late` });
  expect(transform!.isOver).toBe(true);
});

test('a file without an end is read no further than a module could go', async () => {
  await expect(loadTransform('/dev/zero', never)).rejects.toMatchObject({
    code: 'USAGE_FILE',
    message: expect.stringContaining('cannot be read'),
  });
});
