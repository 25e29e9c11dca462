import { describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import type { ConnectionFlags } from '../../../src/lib/model/context.ts';
import type { ConnectionSpec } from '../../../src/lib/model/spec.ts';
import type { Nanos } from '../../../src/lib/model/units.ts';
import type { ContextFields } from '../../../src/lib/nats/contexts.ts';
import { DEFAULT_URL, isForeignApi, resolveSettings, type Settings } from '../../../src/lib/nats/settings.ts';

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
      name: 'is that of the context which the spec names, before the selected one',
      spec: { context: 'prod', servers: ['nats://spec:1'] },
      selected: 'other',
      contexts: prod,
      servers: ['nats://prod:4222'],
      chosenBy: 'context prod (connection.context of prod.yaml)',
    },
    {
      name: 'is that of --context, before NATS_CONTEXT',
      flags: { context: 'prod' },
      env: { NATS_CONTEXT: 'other' },
      contexts: prod,
      servers: ['nats://prod:4222'],
      chosenBy: 'context prod (--context)',
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

/** Where each setting is written, and what of the result tells its value. */
const PLACES: readonly {
  name: string;
  flag?: keyof ConnectionFlags;
  variable?: string;
  context?: keyof ContextFields;
  spec?: keyof ConnectionSpec;
  read: (settings: Settings) => unknown;
}[] = [
  {
    name: 'server',
    flag: 'server',
    variable: 'NATS_URL',
    context: 'url',
    spec: 'servers',
    read: ({ servers }) => /(\d):4222$/.exec(servers[0]!)![1],
  },
  { ...alike('user'), read: ({ auth }) => (auth as { token?: string }).token },
  { ...alike('token'), read: ({ auth }) => (auth as { token?: string }).token },
  { ...alike('creds'), read: ({ auth }) => (auth as { reference?: string }).reference },
  { ...alike('nkey'), read: ({ auth }) => (auth as { reference?: string }).reference },
  { name: 'user_jwt', variable: 'NATS_JWT', context: 'user_jwt', read: ({ auth }) => (auth as { jwt?: string }).jwt },
  {
    name: 'tlscert',
    flag: 'tlscert',
    variable: 'NATS_CERT',
    context: 'cert',
    spec: 'tls_cert',
    read: ({ tls }) => tls.cert?.path,
  },
  {
    name: 'tlskey',
    flag: 'tlskey',
    variable: 'NATS_KEY',
    context: 'key',
    spec: 'tls_key',
    read: ({ tls }) => tls.key?.path,
  },
  { name: 'tlsca', flag: 'tlsca', variable: 'NATS_CA', context: 'ca', spec: 'tls_ca', read: ({ tls }) => tls.ca?.path },
  {
    name: 'domain',
    flag: 'domain',
    variable: 'OSAPI_OPS_DOMAIN',
    context: 'jetstream_domain',
    spec: 'domain',
    read: ({ domain }) => domain,
  },
  { name: 'inbox_prefix', context: 'inbox_prefix', spec: 'inbox_prefix', read: ({ inboxPrefix }) => inboxPrefix },
];
function alike(name: 'user' | 'token' | 'creds' | 'nkey') {
  return { name, flag: name, variable: `NATS_${name.toUpperCase()}`, context: name, spec: name };
}

describe('each setting', () => {
  test.each(PLACES)('$name is the flag’s, else the variable’s, the context’s, the spec’s', (place) => {
    const { name, flag, variable, context, spec, read } = place;
    const all = [
      ...(flag ? [{ flags: { [flag]: '1' }, from: `--${flag}`, value: '1' }] : []),
      ...(variable ? [{ env: { [variable]: '2' }, from: variable, value: '2' }] : []),
      ...(context ? [{ contexts: { x: { [context]: '3' } }, from: 'context x (--context)', value: '3' }] : []),
      ...(spec
        ? [{ spec: { [spec]: spec === 'servers' ? ['4'] : '4' }, from: `connection.${spec} of prod.yaml`, value: '4' }]
        : []),
    ];
    for (const [at, { from, value }] of all.entries()) {
      // What comes before in the row is left out; what comes after is there, and does not count.
      const { flags, ...given } = Object.assign({}, ...all.slice(at).reverse()) as Given;
      const settings = resolve({ contexts: { x: {} }, ...given, flags: { ...flags, context: 'x' } });
      expect(read(settings)).toBe(value);
      expect(name === 'server' ? settings.chosenBy : settings.sources[name]).toBe(from);
    }
    expect(resolve({}).sources).toEqual({});
  });

  test('of a file has the file that it is relative to only where the spec says it', () => {
    const spec = { tls_cert: 'c', tls_key: 'k', tls_ca: 'a', nkey: 'n' };
    expect(resolve({ spec })).toMatchObject({
      tls: {
        cert: { path: 'c', base: 'prod.yaml' },
        key: { path: 'k', base: 'prod.yaml' },
        ca: { path: 'a', base: 'prod.yaml' },
      },
      auth: { type: 'nkey', reference: 'n', base: 'prod.yaml' },
    });
    expect(resolve({ flags: { tlscert: 'c' } }).tls).toStrictEqual({
      required: false,
      first: false,
      cert: { path: 'c', base: undefined },
    });
  });

  test('of a spec without a file says so', () => {
    const contexts = { selected: undefined, read: () => ({}) };
    expect(resolveSettings({ flags: {}, env: {}, spec: { creds: 'c' }, contexts }).sources).toEqual({
      creds: 'connection.creds of the spec',
    });
    expect(resolveSettings({ flags: {}, env: {}, spec: { context: 'x' }, contexts }).sources).toEqual({});
  });
});

describe('a password', () => {
  test.each<{ name: string; given: Given; auth: object; sources: object; secrets: string[] }>([
    {
      name: 'of the spec, with a user of the URL',
      given: { flags: { server: 'nats://u@a' }, spec: { password: 'p' } },
      auth: { type: 'user', user: 'u', password: 'p' },
      sources: { password: 'connection.password of prod.yaml' },
      secrets: ['p'],
    },
    {
      name: 'of a flag comes before that of the URL',
      given: { flags: { server: 'nats://u:q@a', password: 'p' } },
      auth: { type: 'user', user: 'u', password: 'p' },
      sources: { password: '--password' },
      secrets: ['p'],
    },
    {
      name: 'of the URL of the second server',
      given: { flags: { server: 'nats://a,nats://u:p@b' } },
      auth: { type: 'user', user: 'u', password: 'p' },
      sources: {},
      secrets: ['p'],
    },
    {
      name: 'that is none: the user is the secret',
      given: { flags: { user: 'tok' } },
      auth: { type: 'token', token: 'tok' },
      sources: { user: '--user' },
      secrets: ['tok'],
    },
    {
      name: 'that is none, and a token: the user is no secret',
      given: { flags: { user: 'u', token: 't' } },
      auth: { type: 'token', token: 't' },
      sources: { user: '--user', token: '--token' },
      secrets: ['t'],
    },
    {
      name: 'and all else that must not be shown',
      given: {
        env: { NATS_USER: 'u', NATS_PASSWORD: 'p', NATS_TOKEN: 't', NATS_JWT: 'j', NATS_SEED: 's' },
      },
      auth: { type: 'user', user: 'u', password: 'p' },
      sources: {
        user: 'NATS_USER',
        password: 'NATS_PASSWORD',
        user_jwt: 'NATS_JWT',
        user_seed: 'NATS_SEED',
        token: 'NATS_TOKEN',
      },
      secrets: ['p', 't', 'j', 's'],
    },
    {
      name: 'without anything',
      given: {},
      auth: { type: 'none' },
      sources: {},
      secrets: [],
    },
    {
      name: 'is not needed with a JWT, nor its seed',
      given: { env: { NATS_JWT: 'j' } },
      auth: { type: 'jwt', jwt: 'j', seed: undefined },
      sources: { user_jwt: 'NATS_JWT' },
      secrets: ['j'],
    },
  ])('$name', ({ given, auth, sources, secrets }) => {
    expect(resolve(given)).toMatchObject({ auth, secrets });
    expect(resolve(given).sources).toEqual(sources);
  });
});

describe('what a setting refuses', () => {
  const TIME = 'write it as 5s, 500ms or 1m';
  const NAME = 'a name has no dots, spaces or wildcards';
  test.each<{ given: Given; says: string; hint: string }>([
    {
      given: { env: { NATS_URL: ' , ' } },
      says: 'NATS_URL: no server URL in it',
      hint: 'give one as nats://host:4222',
    },
    { given: { flags: { domain: 'a.b' } }, says: '--domain: "a.b" is not the name of a domain', hint: NAME },
    { given: { flags: { domain: '*' } }, says: '--domain: "*" is not the name of a domain', hint: NAME },
    { given: { flags: { domain: 'a>' } }, says: '--domain: "a>" is not the name of a domain', hint: NAME },
    { given: { flags: { domain: ' a' } }, says: '--domain: " a" is not the name of a domain', hint: NAME },
    { given: { flags: { timeout: '0' } }, says: '--timeout: "0" is not a length of time', hint: TIME },
    { given: { flags: { timeout: '-1s' } }, says: '--timeout: "-1s" is not a length of time', hint: TIME },
    {
      given: { env: { NATS_TIMEOUT: 'x'.repeat(41) } },
      says: 'NATS_TIMEOUT: what it holds is not a length of time',
      hint: TIME,
    },
    {
      given: { flags: { timeout: `${'x'.repeat(40)}` } },
      says: `--timeout: "${'x'.repeat(40)}" is not a length of time`,
      hint: TIME,
    },
    {
      given: { flags: { timeout: '/hunter2' } },
      says: '--timeout: what it holds is not a length of time',
      hint: TIME,
    },
    {
      given: { flags: { timeout: 'hunter2/' } },
      says: '--timeout: what it holds is not a length of time',
      hint: TIME,
    },
    { given: { flags: { timeout: '999us' } }, says: '--timeout: 999us is too short', hint: 'use at least 1ms' },
    {
      given: { flags: { context: 'x' }, contexts: { x: { socks_proxy: 'socks5://p' } } },
      says: 'a SOCKS proxy is set, and this build cannot go through one',
      hint: 'connect from where no proxy is needed',
    },
    {
      given: { flags: { context: 'x' }, contexts: { x: { nsc: 'nsc://o/a/u' } } },
      says: 'context x (--context) takes its credentials from nsc, which this build does not ask',
      hint: 'give --creds FILE',
    },
  ])('is told: $says', ({ given, says, hint }) => {
    expect(() => resolve(given)).toThrow(expect.objectContaining({ code: 'USAGE', message: says, hints: [hint] }));
  });

  test.each(['user', 'creds', 'nkey', 'user_jwt'] as const)('is not nsc, where the context has its %s', (field) => {
    const contexts = { x: { nsc: 'nsc://o/a/u', [field]: 'here' } };
    expect(resolve({ flags: { context: 'x' }, contexts }).sources[field]).toBe('context x (--context)');
  });
});

describe('the rest', () => {
  test('is plain where nothing is said', () => {
    expect(resolve({})).toStrictEqual({
      servers: [DEFAULT_URL],
      auth: { type: 'none' },
      tls: { required: false, first: false },
      timeoutMs: 5000,
      apiPrefix: '$JS.API',
      inboxPrefix: '_INBOX',
      chosenBy: 'the default',
      sources: {},
      secrets: [],
    });
  });

  test('knows whose API it is', () => {
    expect(isForeignApi({ apiPrefix: '$JS.API' })).toBe(false);
    expect(isForeignApi({ apiPrefix: '$JS.hub.API' })).toBe(true);
  });

  test('has TLS where one server wants it', () => {
    expect(resolve({ flags: { server: 'nats://a,tls://b' } }).tls.required).toBe(true);
    expect(resolve({ flags: { server: 'nats://a,nats://b' } }).tls.required).toBe(false);
  });

  test.each<[Given, string]>([
    [{ spec: { tls_first: true } }, 'connection.tls_first of prod.yaml'],
    [{ flags: { context: 'x' }, contexts: { x: { tls_first: true } } }, 'context x (--context)'],
    [{ flags: { tlsfirst: true } }, '--tlsfirst'],
  ])('has TLS first where it is said: %j', (given, from) => {
    expect(resolve(given)).toMatchObject({ tls: { first: true }, sources: { tlsfirst: from } });
  });

  test('a domain makes the API prefix, before a prefix of the context', () => {
    const contexts = { x: { jetstream_api_prefix: 'imported.API.', jetstream_domain: '' } };
    expect(resolve({}).apiPrefix).toBe('$JS.API');
    expect(resolve({ flags: { context: 'x' }, contexts })).toMatchObject({
      apiPrefix: 'imported.API',
      sources: { api_prefix: 'context x (--context)' },
    });
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
    expect(resolve({ env: { NATS_TIMEOUT: '1m' } })).toMatchObject({
      timeoutMs: 60_000,
      sources: { timeout: 'NATS_TIMEOUT' },
    });
    expect(resolve({ spec: { timeout: 2e9 as Nanos } }).timeoutMs).toBe(2000);
    expect(resolve({ flags: { timeout: '1ms' } }).timeoutMs).toBe(1);
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
