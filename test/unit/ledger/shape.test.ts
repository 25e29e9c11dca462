import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isBody, isHead, isHistory, isHolder } from '../../../src/lib/ledger/shape.ts';

const actor = { who: 'ada', host: 'h', pid: 1 };
const limit = { warn: 1, critical: null };
const health = { dead: limit, backlog: limit, oldest: limit, usage: limit };
const queue = {
  config: {},
  consumers: { w: {} },
  health,
  dlq: { stream: 'D', capture: ['terminated'], config: {} },
  responses: { bucket: 'r', config: {} },
};
const good: Record<string, { is: (value: unknown) => boolean; value: object }> = {
  head: {
    is: isHead,
    value: {
      ...actor,
      system: 's',
      digest: 'd',
      at: 't',
      tool: '1',
      server: '2',
      previous: [{ digest: 'd', at: 't', who: 'w' }],
      parts: 1,
      write: '0af',
    },
  },
  body: {
    is: isBody,
    value: {
      spec: {
        name: 's',
        connection: {},
        queues: { Q: queue },
        streams: { S: { config: {}, consumers: {} } },
        buckets: { b: {} },
      },
      configs: { 'stream/Q': {} },
      filled: {},
    },
  },
  holder: { is: isHolder, value: { ...actor, id: 'i', verb: 'apply', since: 't' } },
  history: { is: isHistory, value: { ...actor, ci: 'u', id: 'i', at: 't', system: 's', verb: 'v', summary: 's' } },
};
const OPTIONAL = /^(ci|write|filled|queues\.Q\.(dlq|responses))$/;

/** Every path in a value. */
const pathsOf = (value: unknown, path: readonly string[] = []): string[][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, each]) => [[...path, key], ...pathsOf(each, [...path, key])])
    : [];

const changed = (value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown => {
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  copy[key!] = rest.length > 0 ? changed(copy[key!], rest, to) : to;
  return copy;
};

describe.each(Object.entries(good))('a %s of the ledger', (_, { is, value }) => {
  test('is one as we write it', () => expect(is(JSON.parse(JSON.stringify(value)))).toBe(true));

  test.each(pathsOf(value).map((path) => [path.join('.'), path] as const))(
    'is none with something else at %s',
    (name, path) => {
      const before = path.reduce((at, key) => (at as Record<string, unknown>)[key], value as unknown);
      const others = [5, 'x', null, [], {}, true, -1, 1.5].filter((other) => {
        const isSameKind = Array.isArray(other) === Array.isArray(before) && typeof other === typeof before;
        // Of a list or a map any is one; a limit may be null, any number counts where one is counted.
        return (
          !isSameKind &&
          !(other === null && typeof before === 'number') &&
          !(before === null && typeof other === 'number')
        );
      });
      const free = name === 'filled';
      for (const other of others)
        if (!free) expect({ other, is: is(changed(value, path, other)) }).toEqual({ other, is: false });
    },
  );

  test('is none where a part is missing', () => {
    for (const path of pathsOf(value)) {
      const name = path.join('.');
      // What is named by people may be any, or none.
      if (OPTIONAL.test(name.replace('spec.', '')) || /(^|\.)(0|Q|S|w|b|stream\/Q)$/.test(name)) continue;
      expect({ name, is: is(changed(value, path, undefined)) }).toEqual({ name, is: false });
    }
  });

  test('is not what anybody may have written there, nor a fault', () => {
    fc.assert(fc.property(fc.jsonValue(), (any) => expect(is(any)).toBe(false)));
    for (const any of [null, undefined, 5, '', [], {}, JSON.parse('{"__proto__": {"who": "x"}}')])
      expect(is(any)).toBe(false);
  });
});
