import { errors } from '@nats-io/transport-node';
import { OpsError } from '../errors/ops-error.ts';
import { printDuration } from '../model/units.ts';
import { cleanText } from './redact.ts';
import { DEFAULT_CHOICE, type Settings } from './settings.ts';

/** The first error in a chain of causes for which `is` holds. */
function causeOf<T extends Error>(error: unknown, is: (value: unknown) => value is T): T | undefined {
  for (let at: unknown = error, depth = 0; at && depth < 8; at = (at as Error).cause, depth++) if (is(at)) return at;
  return undefined;
}

const isViolation = (value: unknown): value is InstanceType<typeof errors.PermissionViolationError> =>
  value instanceof errors.PermissionViolationError;
const isAuth = (value: unknown): value is Error =>
  value instanceof errors.AuthorizationError || value instanceof errors.UserAuthenticationExpiredError;
const isTimeout = (value: unknown): value is Error => value instanceof errors.TimeoutError;
const isNoResponders = (value: unknown): value is Error => value instanceof errors.NoRespondersError;
const isClosed = (value: unknown): value is Error =>
  value instanceof errors.ClosedConnectionError || value instanceof errors.DrainingConnectionError;

export const isTimeoutError = (error: unknown): boolean => causeOf(error, isTimeout) !== undefined;
export const isNoRespondersError = (error: unknown): boolean => causeOf(error, isNoResponders) !== undefined;
export const isDisconnect = (error: unknown): boolean =>
  causeOf(error, isClosed) !== undefined || /connection (closed|disconnected)/.test(String((error as Error)?.message));

const serverList = (settings: Settings): string => settings.servers.join(', ');
/** As a person says it: no one cares for the milliseconds of a second. */
const duration = (ms: number): string => printDuration(Math.round(ms < 1000 ? ms : Math.round(ms / 100) * 100) * 1e6);

/** What the TLS library's codes mean to a person. */
const TLS: readonly { code: RegExp; what: string; hint: string }[] = [
  {
    code: /CERT_HAS_EXPIRED/,
    what: "the server's certificate has expired",
    hint: 'renew the certificate of the server; check the clock of this machine',
  },
  {
    code: /CERT_NOT_YET_VALID/,
    what: "the server's certificate is not valid yet",
    hint: 'check the clock of this machine and of the server',
  },
  {
    code: /ALTNAME_INVALID/,
    what: "the server's certificate is for another name",
    hint: 'connect by a name that is in the certificate',
  },
  {
    code: /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA/,
    what: 'the server’s certificate comes from an authority that is not trusted here',
    hint: 'name the authority with --tlsca FILE (NATS_CA)',
  },
  {
    code: /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA|CERTIFICATE_UNKNOWN/,
    what: 'the server does not accept our certificate, or wants one and got none',
    hint: 'give a client certificate with --tlscert FILE and --tlskey FILE',
  },
  {
    code: /^ERR_SSL|^ERR_TLS|^EPROTO/,
    what: 'the TLS handshake failed',
    hint: 'check that the server speaks TLS here',
  },
];

/** Nobody named a server, and the default is not there: what a first run most often meets. */
const NO_CHOICE = [
  'name your server: --server, NATS_URL, or a context of the nats CLI',
  'for one to try things on: `osapi-ops dev`; `osapi-ops dev status` says where it listens',
];

/** Turns whatever connecting threw into our error: unreachable, TLS, credentials. */
export function connectFailure(error: unknown, settings: Settings): OpsError {
  const target = serverList(settings);
  const where = `${target} (chosen by ${settings.chosenBy})`;
  const fault = error as { code?: string; message?: string } | undefined;
  const code = fault?.code ?? '';
  const text = cleanText(String(fault?.message ?? ''));
  const make = (
    ...[name, message, why, ...hints]: [ConstructorParameters<typeof OpsError>[0], string, string, ...string[]]
  ) => new OpsError(name, message, { where, why, hints, cause: error });

  if (causeOf(error, isAuth)) {
    const how = settings.auth.type === 'none' ? 'without credentials' : `with ${authWords(settings)}`;
    return make(
      'DENIED_CREDENTIALS',
      `the server at ${target} refused us`,
      `We came ${how}; the server said: ${text}.`,
      settings.auth.type === 'none'
        ? 'give credentials with --creds, --nkey, --user or --token, or a context that has them'
        : 'check that these credentials belong to this server and have not expired',
    );
  }
  const tls = TLS.find((row) => row.code.test(code));
  if (tls) return make('CONN_TLS', `no TLS with ${target}: ${tls.what}`, `The TLS library says ${code}.`, tls.hint);
  if (/support 'tls'|not available on this server/.test(text)) {
    return make(
      'CONN_TLS',
      `no TLS with ${target}: TLS was asked for, and the server does not speak it`,
      'A tls:// URL or a TLS file is set.',
      'use a nats:// URL without TLS files, or turn TLS on at the server',
    );
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') {
    return make(
      'CONN_UNREACHABLE',
      `cannot reach ${target}: the name does not resolve`,
      `The resolver says ${code}.`,
      'check the host name, and the DNS of this machine',
    );
  }
  if (isTimeoutError(error) || code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return make(
      'CONN_UNREACHABLE',
      `cannot reach ${target}: no answer within ${duration(settings.timeoutMs)}`,
      code ? `The system says ${code}.` : 'Nothing came back: a firewall may drop the packets, or TLS must come first.',
      'check the address and the network between; a server with handshake_first needs --tlsfirst',
    );
  }
  if (/refused/.test(text) || code === 'ECONNREFUSED') {
    return make(
      'CONN_UNREACHABLE',
      `cannot reach ${target}: connection refused`,
      'The machine is there, and nothing listens on that port.',
      ...(settings.chosenBy === DEFAULT_CHOICE ? NO_CHOICE : ['check that nats-server runs there, and the port']),
    );
  }
  if (/unexpected response/.test(text)) {
    return make(
      'CONN_UNREACHABLE',
      `what answers at ${target} is no NATS server`,
      'Its first line was not the greeting of one.',
      'check the port: clients use 4222 by default, 8222 is for monitoring',
    );
  }
  return make(
    'CONN_UNREACHABLE',
    `cannot reach ${target}: the connection broke before the greeting was over`,
    code || text ? `The system says: ${[code, text].filter(Boolean).join(' ')}.` : 'The other side closed it.',
    'check that it is a NATS server, and its log; a server with handshake_first needs --tlsfirst',
  );
}

function authWords({ auth, sources }: Settings): string {
  const from = (name: string) => (sources[name] ? ` (${sources[name]})` : '');
  switch (auth.type) {
    case 'none':
      return 'a user without credentials';
    case 'user':
      return `user ${cleanText(auth.user)}${from('user')}`;
    case 'token':
      return `a token${from('token') || from('user')}`;
    case 'creds':
    case 'nkey':
      return `${auth.type}${from(auth.type)}`;
    case 'jwt':
      return `a JWT${from('user_jwt')}`;
  }
}

/** What a request was, for the error that it ends in. */
export interface Asked {
  readonly subject: string;
  readonly settings: Settings;
  /** What the server says of itself. */
  readonly jetstream: boolean;
  readonly waitedMs: number;
}

/** Turns a failed request into our error: denied subject, no JetStream, no answer, connection gone. */
export function requestFailure(error: unknown, asked: Asked): OpsError {
  if (error instanceof OpsError) return error;
  const { subject, settings, jetstream, waitedMs } = asked;
  const violation = causeOf(error, isViolation);
  if (violation) {
    const verb = violation.operation === 'publish' ? 'publish to' : 'subscribe to';
    return new OpsError('DENIED_SUBJECT', `no permission to ${verb} ${cleanText(violation.subject)}`, {
      where: subject,
      why: `The server denies it to ${authWords(settings)}.`,
      hints: [
        violation.operation === 'publish'
          ? `allow publish on ${cleanText(violation.subject)} for this user`
          : `allow subscribe on ${settings.inboxPrefix}.> for this user, or set inbox_prefix to what it may use`,
        '`osapi-ops permissions SPEC ROLE` prints what a role needs',
      ],
      cause: error,
    });
  }
  if (causeOf(error, isAuth)) return connectFailure(error, settings);
  if (isNoRespondersError(error)) {
    return new OpsError('CONN_NO_JETSTREAM', `no JetStream at ${serverList(settings)} for this account`, {
      where: subject,
      why: jetstream
        ? 'The server has JetStream, but nothing answers its API in this account.'
        : 'The server runs without JetStream.',
      hints: [
        jetstream
          ? 'enable JetStream for the account, or connect as a user of one that has it (and check --domain)'
          : 'start nats-server with -js, or connect to one that has JetStream',
      ],
      cause: error,
    });
  }
  if (isTimeoutError(error)) {
    return new OpsError('CONN_TIMEOUT', `no answer from ${serverList(settings)} within ${duration(waitedMs)}`, {
      where: subject,
      why: 'The server took the request and did not answer: it is busy, or its JetStream has no leader.',
      hints: ['run this again; give it longer with --timeout 30s'],
      cause: error,
    });
  }
  if (isDisconnect(error)) {
    return new OpsError('CONN_UNREACHABLE', `the connection to ${serverList(settings)} was lost`, {
      where: subject,
      why: 'It did not come back in time.',
      hints: ['check the server, then run this again: it goes on from where it stopped'],
      cause: error,
    });
  }
  throw error;
}
