import { describe, expect, test } from '@jest/globals';
import { errors } from '@nats-io/transport-node';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import {
  connectFailure,
  isDisconnect,
  isNoRespondersError,
  isTimeoutError,
  requestFailure,
} from '../../../src/lib/nats/errors.ts';
import { resolveSettings, type Settings } from '../../../src/lib/nats/settings.ts';

const settingsOf = (env: Record<string, string> = {}): Settings =>
  resolveSettings({ flags: {}, env, contexts: { selected: undefined, read: () => ({}) } });
const SERVERS = { NATS_URL: 'nats://a:1,nats://b:2' };
const TARGET = 'nats://a:1, nats://b:2';

/** An error with others beneath it. */
const within = (depth: number, error: Error): Error =>
  depth === 0 ? error : new Error('outer', { cause: within(depth - 1, error) });
const coded = (code: string, message = 'words'): Error => Object.assign(new Error(message), { code });
const denied = (operation: 'publish' | 'subscription', subject = 'a.b'): Error =>
  new errors.PermissionViolationError('no', operation, subject);

interface Told {
  readonly code: string;
  readonly message: string;
  readonly why: string;
  /** What the first of its hints begins with. */
  readonly hint: string;
}
function expectTold(error: OpsError, { hint, ...parts }: Told, where: string): void {
  expect(error).toMatchObject({ ...parts, where });
  expect(error.hints[0]?.slice(0, hint.length)).toBe(hint);
}

describe('what is found below other errors', () => {
  const timeout = new errors.TimeoutError();
  test.each([
    [isTimeoutError, timeout],
    [isNoRespondersError, new errors.NoRespondersError('x')],
    [isDisconnect, new errors.ClosedConnectionError()],
    [isDisconnect, new errors.DrainingConnectionError()],
  ])('%p is of its own kind', (is, error) => {
    expect(is(error)).toBe(true);
    expect(is(within(2, error))).toBe(true);
    expect(is(new Error('something else', { cause: new Error('timeout') }))).toBe(false);
    expect(is(undefined)).toBe(false);
  });

  test.each(['connection closed', 'connection disconnected'])('a %s is told by its words too', (words) => {
    expect(isDisconnect(new Error(words))).toBe(true);
  });

  test('is looked for in seven causes, so that a circle ends', () => {
    expect(isTimeoutError(within(7, timeout))).toBe(true);
    expect(isTimeoutError(within(8, timeout))).toBe(false);
    const circle = new Error('round');
    circle.cause = circle;
    expect(isTimeoutError(circle)).toBe(false);
  });
});

describe('a connection that fails', () => {
  const tls = (code: string, what: string, hint: string) => ({
    error: coded(code),
    want: { code: 'CONN_TLS', message: `no TLS with ${TARGET}: ${what}`, why: `The TLS library says ${code}.`, hint },
  });
  const noName = (code: string) => ({
    error: coded(code),
    want: {
      code: 'CONN_UNREACHABLE',
      message: `cannot reach ${TARGET}: the name does not resolve`,
      why: `The resolver says ${code}.`,
      hint: 'check the host name',
    },
  });
  const silent = (error: Error, why: string) => ({
    error,
    want: {
      code: 'CONN_UNREACHABLE',
      message: `cannot reach ${TARGET}: no answer within 5s`,
      why,
      hint: 'check the address and the network between',
    },
  });
  const refused = (error: Error) => ({
    error,
    want: {
      code: 'CONN_UNREACHABLE',
      message: `cannot reach ${TARGET}: connection refused`,
      why: 'The machine is there, and nothing listens on that port.',
      hint: 'check that nats-server runs there',
    },
  });
  const noTls = (words: string) => ({
    error: new Error(words),
    want: {
      code: 'CONN_TLS',
      message: `no TLS with ${TARGET}: TLS was asked for, and the server does not speak it`,
      why: 'A tls:// URL or a TLS file is set.',
      hint: 'use a nats:// URL',
    },
  });
  const broken = (error: unknown, why: string) => ({
    error,
    want: {
      code: 'CONN_UNREACHABLE',
      message: `cannot reach ${TARGET}: the connection broke before the greeting was over`,
      why,
      hint: 'check that it is a NATS server, and its log',
    },
  });
  const untrusted = 'the server’s certificate comes from an authority that is not trusted here';
  const notOurs = 'the server does not accept our certificate, or wants one and got none';
  test.each<{ error: unknown; want: Told }>([
    tls('CERT_HAS_EXPIRED', "the server's certificate has expired", 'renew the certificate'),
    tls('CERT_NOT_YET_VALID', "the server's certificate is not valid yet", 'check the clock'),
    tls('ERR_TLS_CERT_ALTNAME_INVALID', "the server's certificate is for another name", 'connect by a name'),
    tls('DEPTH_ZERO_SELF_SIGNED_CERT', untrusted, 'name the authority'),
    tls('UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted, 'name the authority'),
    tls('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted, 'name the authority'),
    tls('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', notOurs, 'give a client certificate'),
    tls('ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', notOurs, 'give a client certificate'),
    tls('ERR_SSL_WRONG_VERSION_NUMBER', 'the TLS handshake failed', 'check that the server speaks TLS here'),
    tls('ERR_TLS_HANDSHAKE_TIMEOUT', 'the TLS handshake failed', 'check that the server speaks TLS here'),
    tls('EPROTO', 'the TLS handshake failed', 'check that the server speaks TLS here'),
    noTls("server does not support 'tls'"),
    noTls('TLS is not available on this server'),
    noName('ENOTFOUND'),
    noName('EAI_AGAIN'),
    noName('ENODATA'),
    silent(
      within(1, new errors.TimeoutError()),
      'Nothing came back: a firewall may drop the packets, or TLS must come first.',
    ),
    ...['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'].map((code) => silent(coded(code), `The system says ${code}.`)),
    refused(new Error('connection refused')),
    refused(coded('ECONNREFUSED')),
    {
      error: new Error('unexpected response from server'),
      want: {
        code: 'CONN_UNREACHABLE',
        message: `what answers at ${TARGET} is no NATS server`,
        why: 'Its first line was not the greeting of one.',
        hint: 'check the port',
      },
    },
    broken(coded('ECONNRESET', 'reset'), 'The system says: ECONNRESET reset.'),
    broken(coded('X_EPROTO_ERR_TLS_ERR_SSL', ''), 'The system says: X_EPROTO_ERR_TLS_ERR_SSL.'),
    broken(new Error('gone\u001b[2J'), 'The system says: gone[2J.'),
    broken(new Error(''), 'The other side closed it.'),
    broken(undefined, 'The other side closed it.'),
    broken({ code: '' }, 'The other side closed it.'),
  ])('with $error is told: $want.message', ({ error, want }) => {
    const told = connectFailure(error, settingsOf(SERVERS));
    expectTold(told, want, `${TARGET} (chosen by NATS_URL)`);
    expect(told.cause).toBe(error);
  });

  test.each([
    ['1ms', '1ms'],
    ['999ms', '999ms'],
    ['1000ms', '1s'],
    ['1049ms', '1s'],
    ['1050ms', '1s100ms'],
  ])('after %s says %s', (timeout, words) => {
    const { message } = connectFailure(new errors.TimeoutError(), settingsOf({ NATS_TIMEOUT: timeout }));
    expect(message).toMatch(`no answer within ${words}`);
  });

  test('because nothing listens where nobody named a server, says how to name one, and where to get one', () => {
    expect(connectFailure(coded('ECONNREFUSED'), settingsOf()).hints.join('; ')).toMatch(/NATS_URL.*osapi-ops dev/);
  });

  test.each<{ env: Record<string, string>; how: string; hint?: string }>([
    { env: {}, how: 'without credentials', hint: 'give credentials' },
    { env: { NATS_USER: 'ada\u001b[2J', NATS_PASSWORD: 'geheim' }, how: 'with user ada[2J (NATS_USER)' },
    { env: { NATS_TOKEN: 'geheim' }, how: 'with a token (NATS_TOKEN)' },
    { env: { NATS_USER: 'geheim' }, how: 'with a token (NATS_USER)' },
    { env: { NATS_CREDS: '/a.creds' }, how: 'with creds (NATS_CREDS)' },
    { env: { NATS_NKEY: '/a.nk' }, how: 'with nkey (NATS_NKEY)' },
    { env: { NATS_JWT: 'geheim' }, how: 'with a JWT (NATS_JWT)' },
    { env: { NATS_URL: 'nats://ada:geheim@a:1,b:2' }, how: 'with user ada' },
  ])('because it came $how, says so, and not the secret', ({ env, how, hint = 'check that these credentials' }) => {
    const settings = settingsOf({ ...SERVERS, ...env });
    const error = within(1, new errors.AuthorizationError("'Authorization Violation'"));
    expectTold(
      connectFailure(error, settings),
      {
        code: 'DENIED_CREDENTIALS',
        message: `the server at ${TARGET} refused us`,
        why: `We came ${how}; the server said: outer.`,
        hint,
      },
      `${TARGET} (chosen by NATS_URL)`,
    );
  });

  test('because the credentials expired is told as one', () => {
    const error = new errors.UserAuthenticationExpiredError('user authentication expired');
    expect(connectFailure(error, settingsOf(SERVERS)).code).toBe('DENIED_CREDENTIALS');
  });
});

describe('a request that fails', () => {
  const asked = { subject: '$JS.API.INFO', settings: settingsOf(SERVERS), jetstream: true, waitedMs: 2500 };
  const anybody = 'a user without credentials';
  test.each<{ error: Error; jetstream?: boolean; env?: Record<string, string>; want: Told }>([
    {
      error: within(1, denied('publish', 'a.b\u001b[2J')),
      want: {
        code: 'DENIED_SUBJECT',
        message: 'no permission to publish to a.b[2J',
        why: `The server denies it to ${anybody}.`,
        hint: 'allow publish on a.b[2J for this user',
      },
    },
    {
      error: denied('subscription', '_INBOX.x'),
      env: { NATS_USER: 'ada', NATS_PASSWORD: 'geheim' },
      want: {
        code: 'DENIED_SUBJECT',
        message: 'no permission to subscribe to _INBOX.x',
        why: 'The server denies it to user ada (NATS_USER).',
        hint: 'allow subscribe on _INBOX.> for this user, or set inbox_prefix',
      },
    },
    {
      error: new errors.NoRespondersError('x'),
      want: {
        code: 'CONN_NO_JETSTREAM',
        message: `no JetStream at ${TARGET} for this account`,
        why: 'The server has JetStream, but nothing answers its API in this account.',
        hint: 'enable JetStream for the account',
      },
    },
    {
      error: within(1, new errors.NoRespondersError('x')),
      jetstream: false,
      want: {
        code: 'CONN_NO_JETSTREAM',
        message: `no JetStream at ${TARGET} for this account`,
        why: 'The server runs without JetStream.',
        hint: 'start nats-server with -js',
      },
    },
    {
      error: new errors.TimeoutError(),
      want: {
        code: 'CONN_TIMEOUT',
        message: `no answer from ${TARGET} within 2s500ms`,
        why: 'The server took the request and did not answer: it is busy, or its JetStream has no leader.',
        hint: 'run this again; give it longer with --timeout',
      },
    },
    {
      error: new errors.ClosedConnectionError(),
      want: {
        code: 'CONN_UNREACHABLE',
        message: `the connection to ${TARGET} was lost`,
        why: 'It did not come back in time.',
        hint: 'check the server, then run this again',
      },
    },
  ])('with $error.name ($jetstream) is told: $want.message', ({ error, jetstream = true, env, want }) => {
    const settings = env ? settingsOf({ ...SERVERS, ...env }) : asked.settings;
    const told = requestFailure(error, { ...asked, settings, jetstream });
    expectTold(told, want, asked.subject);
    expect(told.cause).toBe(error);
  });

  test('because the credentials are no longer taken is the connection’s failure', () => {
    const error = new errors.AuthorizationError('no');
    expect(requestFailure(error, asked)).toMatchObject({
      code: 'DENIED_CREDENTIALS',
      where: `${TARGET} (chosen by NATS_URL)`,
    });
  });

  test('as our own error stays it, and as anything else is thrown: that is a bug', () => {
    const own = new OpsError('NOT_FOUND', 'x', { cause: new errors.TimeoutError() });
    expect(requestFailure(own, asked)).toBe(own);
    const bug = new TypeError('x is not a function');
    expect(() => requestFailure(bug, asked)).toThrow(bug);
  });
});
