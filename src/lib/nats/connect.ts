import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { isIP, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity as checkIdentity } from 'node:tls';
import {
  type ConnectionOptions,
  connect as dial,
  jwtAuthenticator,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import { ERR } from '../facts/err-codes.ts';
import { type Config, isObject } from '../model/json.ts';
import type { ServerIdentity, Target } from '../model/resource.ts';
import { isApiError } from './api-error.ts';
import { connectFailure, isDisconnect, isNoRespondersError, isTimeoutError, requestFailure } from './errors.ts';
import { readAnswer } from './exchange.ts';
import { doorOf, type Gate, isRemoval, isWrite } from './gate.ts';
import { openKv } from './kv.ts';
import type { Nats, RequestOptions } from './port.ts';
import { cleanText } from './redact.ts';
import { parseCreds, parseSeed, readLiteral, readSecret } from './secret.ts';
import type { PathSetting, Settings } from './settings.ts';

export type { Nats } from './port.ts';

export interface ConnectIo {
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Once connected, comes back however long the server is away: for what runs until it is told to stop. */
  readonly patient?: boolean;
}

/** A setting with what set it: `creds (NATS_CREDS)`. */
const named = (name: string, { sources }: Settings): string => (sources[name] ? `${name} (${sources[name]})` : name);

function authOptions(settings: Settings, io: ConnectIo): Partial<ConnectionOptions> {
  const { auth } = settings;
  const bytes = (text: string) => new TextEncoder().encode(text);
  switch (auth.type) {
    case 'none':
      return {};
    case 'user':
      return { user: auth.user, pass: readLiteral(auth.password, named('password', settings), io) };
    case 'token':
      return { token: readLiteral(auth.token, named('token', settings), io) };
    case 'creds': {
      const { jwt, seed } = parseCreds(
        readSecret(auth.reference, named('creds', settings), { ...io, base: auth.base }),
      );
      return { authenticator: jwtAuthenticator(jwt, bytes(seed)) };
    }
    case 'nkey': {
      const what = named('nkey', settings);
      const seed = parseSeed(readSecret(auth.reference, what, { ...io, base: auth.base }), what);
      return { authenticator: nkeyAuthenticator(bytes(seed)) };
    }
    case 'jwt': {
      const what = named('user_seed', settings);
      const seed = auth.seed && bytes(parseSeed(readLiteral(auth.seed, what, io), what));
      const jwt = readLiteral(auth.jwt, named('user_jwt', settings), io);
      return { authenticator: jwtAuthenticator(jwt, seed || undefined) };
    }
  }
}

function tlsOptions(settings: Settings, io: ConnectIo): NodeConnectionOptions['tls'] {
  const { tls } = settings;
  const read = (setting: PathSetting | undefined, what: string) =>
    setting && readSecret(setting.path, named(what, settings), { ...io, base: setting.base });
  const cert = read(tls.cert, 'tlscert');
  const key = read(tls.key, 'tlskey');
  const ca = read(tls.ca, 'tlsca');
  if (!tls.required && !tls.first && !cert && !key && !ca) return undefined;
  return { ...(tls.first && { handshakeFirst: true }), ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) };
}

/**
 * The client checks the certificate of a server that was named by address against `localhost`. This checks it against
 * the addresses we were given.
 */
function checkAddresses({ servers }: Settings): NodeConnectionOptions['tls'] {
  const addresses = servers.map((url) => new URL(url.replace(/^\w+:/, 'http:')).hostname.replace(/^\[|\]$/g, ''));
  const ips = addresses.filter((address) => isIP(address) > 0);
  const checkServerIdentity: typeof checkIdentity = (host, cert) => {
    const faults = (host === 'localhost' && !addresses.includes(host) ? ips : [host]).map((name) =>
      checkIdentity(name, cert),
    );
    return faults.every((fault) => fault !== undefined) ? faults[0] : undefined;
  };
  return ips.length > 0 ? ({ checkServerIdentity } as NodeConnectionOptions['tls']) : {};
}

/**
 * Connects, and asks who we are along with what is asked first.
 * @throws OpsError CONN_UNREACHABLE, CONN_TLS, DENIED_CREDENTIALS, USAGE_FILE, INTERRUPTED
 */
export async function connect(settings: Settings, io: ConnectIo): Promise<Nats> {
  const { nc, account } = await dialFor(settings, io);
  return createNats(nc, settings, io.signal, account);
}

/** A connection before anybody works with it. */
export interface Dialled {
  readonly nc: NatsConnection;
  readonly account: OurAccount;
}

/** Connects, for as many as will work with it. @throws as `connect` */
export async function dialFor(settings: Settings, io: ConnectIo): Promise<Dialled> {
  io.signal.throwIfAborted();
  const tls = tlsOptions(settings, io);
  const options: NodeConnectionOptions = {
    servers: [...settings.servers],
    name: 'osapi-ops',
    timeout: settings.timeoutMs,
    inboxPrefix: settings.inboxPrefix,
    noAsyncTraces: true,
    maxReconnectAttempts: io.patient ? -1 : 20,
    reconnectTimeWait: 250,
    ...authOptions(settings, io),
    ...(tls && { tls: { ...tls, ...checkAddresses(settings) } }),
  };
  const nc = await dialOrTidy(options, io.signal)
    .catch((error: { code?: string } | undefined) => {
      // TLS that nobody asked for: a server may want it all the same, and only then may the options speak of it.
      if (tls || error?.code !== 'ERR_TLS_CERT_ALTNAME_INVALID') throw error;
      return dialOrTidy({ ...options, tls: checkAddresses(settings) }, io.signal);
    })
    .catch((error: unknown) => {
      throw io.signal.aborted ? io.signal.reason : connectFailure(error, settings);
    });
  return { nc, account: askAccount(nc, settings, io.signal) };
}

/** Whose sockets are opened: the channel tells of all that the process opens, those of other connections among them. */
const dialling = new AsyncLocalStorage<Socket[]>();

/**
 * Dials, and when that fails ends the sockets it opened: the client forgets a socket that timed out before the
 * greeting, and the forgotten one would keep the process alive.
 */
async function dialOrTidy(options: NodeConnectionOptions, signal: AbortSignal): Promise<NatsConnection> {
  const sockets: Socket[] = [];
  const note = (message: unknown) => {
    if (dialling.getStore() === sockets) sockets.push((message as { socket: Socket }).socket);
  };
  subscribe('net.client.socket', note);
  try {
    const connected = dialling.run(sockets, () => dial(options));
    return await untilAborted(connected, signal, (late) => late.close());
  } catch (error) {
    for (const socket of sockets) socket.destroy();
    throw error;
  } finally {
    unsubscribe('net.client.socket', note);
  }
}

/** Settles as `work` does, or rejects at once when the signal says so; a value that comes too late goes to `drop`. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal, drop?: (value: T) => unknown): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      work.then(drop, () => {});
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  aborted.catch(() => {});
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** Whose the connection is, as the server tells. */
export interface OurAccount {
  name: string;
  /** Resolves once the name is known, or nobody will tell it. */
  readonly told: Promise<void>;
}

/** Asks for the account without waiting for it: a round trip for a name alone would be one more for every command. */
function askAccount(nc: NatsConnection, { timeoutMs }: Settings, signal: AbortSignal): OurAccount {
  const account: OurAccount = {
    name: 'unknown',
    told: untilAborted(readAccount(nc, timeoutMs), signal).then(
      (name) => {
        account.name = name;
      },
      () => {},
    ),
  };
  return account;
}

/** The account's name, as the server knows us; `unknown` where it does not say. */
async function readAccount(nc: NatsConnection, timeoutMs: number): Promise<string> {
  try {
    const answer: unknown = (await nc.request('$SYS.REQ.USER.INFO', '', { timeout: Math.min(timeoutMs, 2000) })).json();
    const data = isObject(answer) && isObject(answer.data) ? answer.data : {};
    return typeof data.account === 'string' && data.account !== '' ? cleanText(data.account) : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Behind a leaf node the domain that was asked for is another one than the server's own. */
function serverIdentity(nc: NatsConnection, asked: string | undefined): ServerIdentity {
  const info = nc.info!;
  const domain = asked ?? (info as { domain?: string }).domain;
  return {
    name: cleanText(info.server_name),
    version: cleanText(info.version),
    id: cleanText(info.server_id),
    ...(info.cluster && { cluster: cleanText(info.cluster) }),
    ...(domain && { domain: cleanText(domain) }),
    jetstream: info.jetstream === true,
    max_payload: info.max_payload,
  };
}

/**
 * How long one try may take of the whole: a request that fell into an election, or into a connection that broke, is
 * never answered and worth a second one, where it may be sent twice.
 */
const tryFor = (leftMs: number, wholeMs: number): number =>
  Math.min(leftMs, Math.max(1000, Math.min(3000, wholeMs / 2)));

/** How long "no responders" is taken for a JetStream that is just starting or an interest not yet known. */
const STARTING_MS = 1500;

export function createNats(
  nc: NatsConnection,
  settings: Settings,
  signal: AbortSignal,
  account: OurAccount,
  gates: readonly Gate[] = [],
  left: Set<Promise<void>> = new Set(),
  end: () => Promise<void> = () => nc.close(),
): Nats {
  const server = serverIdentity(nc, settings.domain);
  const scheme = settings.servers[0]!.split('://')[0];
  const target: Target = {
    server,
    url: `${scheme}://${nc.getServer()}`,
    get account() {
      return account.name;
    },
    chosenBy: settings.chosenBy,
  };
  const failure = (error: unknown, subject: string, waitedMs: number) =>
    requestFailure(error, { subject, settings, jetstream: server.jetstream, waitedMs });

  const ask = (subject: string, payload: string | Uint8Array | undefined, timeout: number, options: RequestOptions) => {
    if (!options.finish) signal.throwIfAborted();
    mayAsk(subject);
    const reply = nc.request(subject, payload, { timeout, ...(options.headers && { headers: options.headers }) });
    // Asked before, so answered before: whoever has an answer of this server knows whom it took us for.
    return (options.finish ? reply : untilAborted(reply, signal)).finally(() => account.told);
  };

  function mayAsk(subject: string): void {
    const mustHold = gates.length > 0 && isWrite(settings.apiPrefix, subject);
    for (const gate of gates) {
      if (mustHold) {
        gate.assertHeld();
        doorOf(nc).mind(gate);
      }
      gate.asked?.();
    }
  }

  async function api(name: string, body?: object, options: RequestOptions = {}): Promise<Config> {
    const subject = `${settings.apiPrefix}.${name}`;
    const payload = body ? JSON.stringify(body) : '';
    const whole = options.timeoutMs ?? settings.timeoutMs;
    const isOnce = isRemoval(name);
    const start = performance.now();
    for (let attempt = 0; ; attempt++) {
      const spent = performance.now() - start;
      let wait = Math.min(50 * 2 ** attempt, 1000);
      let fault: unknown;
      try {
        const reply = await ask(subject, payload, isOnce ? whole : Math.max(1, tryFor(whole - spent, whole)), options);
        return readAnswer(subject, reply);
      } catch (error) {
        fault = error;
        if (signal.aborted && !options.finish) throw signal.reason;
        if (isNoRespondersError(error)) {
          if (!server.jetstream || options.mayBeAbsent || performance.now() - start > STARTING_MS) {
            throw failure(error, subject, spent);
          }
        } else if (isTimeoutError(error)) wait = 0;
        else if (!isDisconnect(error) && !isApiError(error, ERR.systemUnavailable)) {
          throw failure(error, subject, spent);
        }
      }
      // Closed for good, by us or after too many tries to reconnect: waiting would only keep the process alive.
      const isOver = isOnce || nc.isClosed() || performance.now() - start + wait >= whole;
      if (isOver) throw failure(fault, subject, performance.now() - start);
      await sleep(wait);
    }
  }

  async function request(subject: string, payload?: string | Uint8Array, options: RequestOptions = {}): Promise<Msg> {
    const timeout = options.timeoutMs ?? settings.timeoutMs;
    try {
      return await ask(subject, payload, timeout, options);
    } catch (error) {
      if (signal.aborted && !options.finish) throw signal.reason;
      throw failure(error, subject, timeout);
    }
  }

  const nats: Nats = {
    target,
    settings,
    nc,
    signal,
    api,
    request,
    kv: (bucket) => openKv(nats, bucket),
    mayAsk,
    cut: () => doorOf(nc).cut(),
    behind: (gate) => createNats(nc, settings, signal, account, [...gates, gate], left, end),
    leave(work) {
      // Whoever leaves it does not hear of it any more: its failure is nobody's.
      const done = work.catch(() => {});
      left.add(done);
      void done.then(() => left.delete(done));
    },
    async close() {
      await Promise.all(left);
      await end();
    },
  };
  return nats;
}
