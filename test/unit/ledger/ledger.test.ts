import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { identifyActor, identifyRun } from '../../../src/lib/ledger/actor.ts';
import { fromToken, toToken } from '../../../src/lib/ledger/key.ts';
import { pack, unpack } from '../../../src/lib/ledger/pack.ts';
import { specDigest, withoutSecrets } from '../../../src/lib/ledger/store.ts';
import type { Spec } from '../../../src/lib/model/spec.ts';

describe('a name as a key', () => {
  test('reads back, whatever it holds', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (name) => expect(fromToken(toToken(name))).toBe(name)));
  });

  test('is one token that a bucket takes', () => {
    fc.assert(fc.property(fc.string({ minLength: 1 }), (name) => expect(toToken(name)).toMatch(/^[A-Za-z0-9_=-]+$/)));
  });
});

describe('a packed value', () => {
  test('comes back from its pieces, none larger than asked', () => {
    const value = { text: randomBytes(5000).toString('hex') };
    const pieces = pack(value, 1000);
    expect(pieces.length).toBeGreaterThan(4);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(1000);
    expect(unpack(pieces)).toEqual(value);
  });

  test('does not come back from some of them', () => {
    expect(() => unpack(pack({ text: randomBytes(5000).toString('hex') }, 1000).slice(1))).toThrow();
  });
});

describe('a CI run', () => {
  const table = [
    {
      name: 'GitHub',
      env: { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'o/r', GITHUB_RUN_ID: '7', GITHUB_ACTOR: 'ada', CI: 'true' },
      want: { ci: 'https://github.com/o/r/actions/runs/7', who: 'ada' },
    },
    {
      name: 'GitLab',
      env: { GITLAB_CI: 'true', CI_JOB_URL: 'https://gl/j/1', GITLAB_USER_LOGIN: 'bob' },
      want: { ci: 'https://gl/j/1', who: 'bob' },
    },
    { name: 'Jenkins', env: { BUILD_URL: 'https://j/b/3/' }, want: { ci: 'https://j/b/3/' } },
    { name: 'another one', env: { CI: 'true' }, want: { ci: 'CI' } },
  ];
  test.each(table)('of $name is known by its variables', ({ env, want }) => expect(identifyRun(env)).toEqual(want));

  test('outside of CI there is none, and the actor is who runs the process', () => {
    expect(identifyRun({ CI: 'false' })).toBeUndefined();
    expect(identifyActor({})).toEqual({ who: expect.any(String), host: expect.any(String), pid: process.pid });
  });
});

describe('what the ledger keeps of a spec', () => {
  const spec: Spec = {
    version: 1,
    name: 'osapi',
    connection: { user: 'u', password: 'geheim', token: 'geheim', servers: ['nats://u:geheim@h:1'], context: 'prod' },
    queues: {},
    streams: {},
    buckets: {},
  };

  test('has no secret in it', () => {
    expect(withoutSecrets(spec).connection).toEqual({ servers: ['nats://h:1'], context: 'prod' });
    expect(JSON.stringify(withoutSecrets(spec))).not.toContain('geheim');
  });

  test('a changed password is no new version of the system, a changed field is', () => {
    const digest = specDigest(spec);
    expect(specDigest({ ...spec, connection: { ...spec.connection, password: 'new' } })).toBe(digest);
    expect(specDigest({ ...spec, buckets: { b: { history: 2 } } })).not.toBe(digest);
  });
});
