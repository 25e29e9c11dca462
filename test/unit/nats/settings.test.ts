import { describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import type { ConnectionFlags } from '../../../src/lib/model/context.ts';
import type { ConnectionSpec } from '../../../src/lib/model/spec.ts';
import type { Nanos } from '../../../src/lib/model/units.ts';
import type { ContextFields } from '../../../src/lib/nats/contexts.ts';
import { resolveSettings, type Settings } from '../../../src/lib/nats/settings.ts';

interface Given {
  readonly flags?: ConnectionFlags;
  readonly env?: Record<string, string>;
  readonly spec?: ConnectionSpec;
  readonly selected?: string;
  readonly contexts?: Record<string, ContextFields>;
}

const resolve = ({ flags = {}, env = {}, spec, selected, contexts = {} }: Given): Settings =>
  resolveSettings({
    flags,
    env,
    ...(spec && { spec, specFile: 'prod.yaml' }),
    contexts: {
      selected,
      read(name) {
        const found = contexts[name];
        if (!found) throw new OpsError('CONN_CONTEXT', `context ${name}: not found`);
        return found;
      },
    },
  });

const prod: Record<string, ContextFields> = { prod: { url: 'nats://prod:4222', creds: '~/prod.creds' } };

describe('the server', () => {
  const table: readonly (Given & { name: string; servers: string[]; chosenBy: string })[] = [
    { name: 'is the local one where nothing says', servers: ['nats://127.0.0.1:4222'], chosenBy: 'the default' },
    {
      name: 'is the flag’s before the variable’s',
      flags: { server: 'a:1' },
      env: { NATS_URL: 'b:2' },
      servers: ['nats://a:1'],
      chosenBy: '--server',
    },
    {
      name: 'is the variable’s before that of an explicit context',
      flags: { context: 'prod' },
      env: { NATS_URL: 'b:2' },
      contexts: prod,
      servers: ['nats://b:2'],
      chosenBy: 'NATS_URL',
    },
    {
      name: 'is the context’s before the spec’s',
      env: { NATS_CONTEXT: 'prod' },
      spec: { servers: ['nats://spec:1'] },
      contexts: prod,
      servers: ['nats://prod:4222'],
      chosenBy: 'context prod (NATS_CONTEXT)',
    },
    {
      name: 'is the spec’s before that of a context somebody happened to select',
      spec: { servers: ['nats://spec:1', 'tls://spec2'] },
      selected: 'prod',
      contexts: prod,
      servers: ['nats://spec:1', 'tls://spec2:4222'],
      chosenBy: 'connection.servers of prod.yaml',
    },
    {
      name: 'is the selected context’s where the spec names none',
      spec: {},
      selected: 'prod',
      contexts: prod,
      servers: ['nats://prod:4222'],
      chosenBy: 'context prod (the selected one)',
    },
    {
      name: 'is not the selected context’s with --no-context',
      flags: { 'no-context': true },
      selected: 'prod',
      contexts: prod,
      servers: ['nats://127.0.0.1:4222'],
      chosenBy: 'the default',
    },
    {
      name: 'may be a list with user and password in it, which are not shown',
      flags: { server: 'nats://u:p%40ss@a, [::1]:5000' },
      servers: ['nats://a:4222', 'nats://[::1]:5000'],
      chosenBy: '--server',
    },
  ];
  test.each(table)('$name', ({ servers, chosenBy, ...given }) => {
    expect(resolve(given)).toMatchObject({ servers, chosenBy });
  });

  test.each(['ws://a', 'http://a:8222', 'nats://', 'nats://a:99999'])('%s is refused as no server URL', (server) => {
    expect(() => resolve({ flags: { server } })).toThrow(/--server/);
  });

  test('a refused URL does not show its password', () => {
    expect(() => resolve({ flags: { server: 'http://ada:geheim@a' } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('geheim') }),
    );
  });
});

describe('credentials', () => {
  const all: ContextFields = { user: 'u', password: 'p', creds: 'c', nkey: 'n', user_jwt: 'j', user_seed: 's' };
  const table: readonly { name: string; context: ContextFields; auth: unknown }[] = [
    { name: 'user comes first', context: all, auth: { type: 'user', user: 'u', password: 'p' } },
    { name: 'then creds', context: { ...all, user: '' }, auth: { type: 'creds', reference: 'c' } },
    { name: 'then nkey', context: { ...all, user: '', creds: '' }, auth: { type: 'nkey', reference: 'n' } },
    { name: 'then the JWT', context: { user_jwt: 'j', user_seed: 's' }, auth: { type: 'jwt', jwt: 'j', seed: 's' } },
    { name: 'a user without a password is a token', context: { user: 'tok' }, auth: { type: 'token', token: 'tok' } },
    { name: 'a token alone', context: { token: 't' }, auth: { type: 'token', token: 't' } },
    { name: 'none', context: {}, auth: { type: 'none' } },
  ];
  test.each(table)('$name', ({ context, auth }) => {
    expect(resolve({ flags: { context: 'x' }, contexts: { x: context } }).auth).toMatchObject(auth as object);
  });

  test('each is taken from the first place that has it, and says which', () => {
    const settings = resolve({
      flags: { user: 'me', context: 'x' },
      env: { NATS_PASSWORD: 'from env' },
      contexts: { x: { user: 'other', password: 'other' } },
    });
    expect(settings.auth).toEqual({ type: 'user', user: 'me', password: 'from env' });
    expect(settings.sources).toMatchObject({ user: '--user', password: 'NATS_PASSWORD' });
    expect(settings.secrets).toContain('from env');
  });

  test('those in the URL are used and kept out of it', () => {
    expect(resolve({ flags: { server: 'nats://u:p%40ss@a' } })).toMatchObject({
      servers: ['nats://a:4222'],
      auth: { type: 'user', user: 'u', password: 'p@ss' },
    });
  });

  test('a path of the spec is relative to the spec', () => {
    expect(resolve({ spec: { creds: './me.creds' } }).auth).toEqual({
      type: 'creds',
      reference: './me.creds',
      base: 'prod.yaml',
    });
  });
});

describe('the rest', () => {
  test('a domain makes the API prefix, before a prefix of the context', () => {
    const contexts = { x: { jetstream_api_prefix: 'imported.API', jetstream_domain: '' } };
    expect(resolve({}).apiPrefix).toBe('$JS.API');
    expect(resolve({ flags: { context: 'x' }, contexts }).apiPrefix).toBe('imported.API');
    expect(resolve({ flags: { context: 'x', domain: 'hub' }, contexts }).apiPrefix).toBe('$JS.hub.API');
  });

  test('a flag that the nats CLI has no variable for has ours', () => {
    const env = { OSAPI_OPS_DOMAIN: 'hub', OSAPI_OPS_TLSFIRST: '1', OSAPI_OPS_NO_CONTEXT: 'true' };
    const settings = resolve({ env, selected: 'prod', contexts: prod });
    expect(settings).toMatchObject({ apiPrefix: '$JS.hub.API', tls: { first: true }, chosenBy: 'the default' });
    expect(settings.sources.domain).toBe('OSAPI_OPS_DOMAIN');
    expect(resolve({ env: { OSAPI_OPS_TLSFIRST: '0' } }).tls.first).toBe(false);
  });

  test('the timeout reads like everywhere, also from the spec in nanoseconds', () => {
    expect(resolve({}).timeoutMs).toBe(5000);
    expect(resolve({ env: { NATS_TIMEOUT: '1m' } }).timeoutMs).toBe(60_000);
    expect(resolve({ spec: { timeout: 2e9 as Nanos } }).timeoutMs).toBe(2000);
    expect(() => resolve({ flags: { timeout: 'soon' } })).toThrow('--timeout: "soon" is not a length of time');
  });

  test('an unknown context is an error even where the URL comes from elsewhere', () => {
    expect(() => resolve({ flags: { context: 'gone', server: 'a' } })).toThrow('context gone: not found');
  });

  test('what this build cannot do is said, not ignored', () => {
    expect(() => resolve({ env: { NATS_SOCKS_PROXY: 'socks5://p' } })).toThrow(/SOCKS/);
    expect(() => resolve({ flags: { context: 'x' }, contexts: { x: { nsc: 'nsc://o/a/u' } } })).toThrow(/nsc/);
  });
});
