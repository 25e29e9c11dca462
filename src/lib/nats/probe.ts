import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect as dial, isIP, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  type PeerCertificate,
  connect as secure,
  type TLSSocket,
} from 'node:tls';
import { Fault } from '../errors/fault.ts';
import { isObject, jsonIn, numberOf, objectOf } from '../model/json.ts';
import { cleanText } from './redact.ts';

/** What a server's certificate is like. */
export interface CertificateFacts {
  /** Days until it expires; negative: since. */
  readonly daysLeft: number;
  readonly issuer: string;
  /** Why it is not trusted here; absent where it is. */
  readonly untrusted?: string;
  /** Why it is not for this host; absent where it is. */
  readonly wrongName?: string;
}

/** What was found at one address, step by step; what comes after a failure is absent. */
export interface Probe {
  readonly url: string;
  readonly addresses?: readonly string[];
  readonly dnsError?: string;
  /** In milliseconds. */
  readonly portMs?: number;
  readonly portError?: string;
  /** What the server says of itself before anybody logs in. */
  readonly greeting?: {
    readonly version: string;
    readonly tls: 'required' | 'available' | 'none';
    readonly auth: boolean;
    /** It takes nobody without a client certificate. */
    readonly wantsCertificate: boolean;
  };
  readonly greetingError?: string;
  readonly certificate?: CertificateFacts;
  readonly tlsError?: string;
  /** What was to be used for TLS with it. */
  readonly asked: { readonly tls: boolean; readonly certificate: boolean };
}

export interface ProbeOptions {
  readonly timeoutMs: number;
  /** TLS before the greeting. */
  readonly tlsFirst: boolean;
  /** TLS was asked for, whatever the server offers. */
  readonly tls: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly nowMs: number;
}

const DAY = 86_400_000;
const codeOf = (error: unknown): string =>
  cleanText(String((error as { code?: string }).code ?? (error as Error).message ?? error));

/** Walks to a server as a client would, and stops before the login. Nothing is sent but a TLS handshake. */
export async function probeServer(url: string, options: ProbeOptions): Promise<Probe> {
  const [, host = '', port = '4222'] = /^[a-z]+:\/\/(.*):(\d+)$/.exec(url) ?? [];
  const name = host.replace(/^\[|\]$/g, '');
  const asked = { tls: options.tls || /^tls:/.test(url), certificate: options.cert !== undefined };
  const base: Probe = { url, asked };
  let addresses: string[];
  try {
    addresses = (await lookup(name, { all: true })).map(({ address }) => address);
  } catch (error) {
    return { ...base, dnsError: codeOf(error) };
  }
  const found = { ...base, addresses };
  const start = performance.now();
  let socket: Socket;
  try {
    socket = await open(name, Number(port), options.timeoutMs);
  } catch (error) {
    return { ...found, portError: codeOf(error) };
  }
  const reached = { ...found, portMs: performance.now() - start };
  try {
    return await greet(reached, socket, name, options);
  } finally {
    socket.destroy();
  }
}

const open = (host: string, port: number, timeoutMs: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = dial({ host, port, timeout: timeoutMs });
    socket.once('connect', () => resolve(socket));
    socket.once('timeout', () => socket.destroy(new Fault('ETIMEDOUT')));
    socket.once('error', reject);
  });

async function greet(reached: Probe, socket: Socket, host: string, options: ProbeOptions): Promise<Probe> {
  if (options.tlsFirst) return handshake(reached, socket, host, options);
  let info: Record<string, unknown>;
  try {
    info = parseGreeting(await firstLine(socket, options.timeoutMs));
  } catch (error) {
    return { ...reached, greetingError: codeOf(error) };
  }
  const tls = info.tls_required === true ? 'required' : info.tls_available === true ? 'available' : 'none';
  const greeting = {
    version: cleanText(String(info.version ?? '')),
    tls,
    auth: info.auth_required === true,
    wantsCertificate: info.tls_verify === true,
  } as const;
  const greeted = { ...reached, greeting };
  return tls === 'required' || (options.tls && tls === 'available')
    ? handshake(greeted, socket, host, options)
    : greeted;
}

function parseGreeting(line: string): Record<string, unknown> {
  const info: unknown = line.startsWith('INFO ') ? JSON.parse(line.slice('INFO '.length)) : undefined;
  if (!isObject(info)) throw new Fault('NOT_NATS');
  return info;
}

const firstLine = (socket: Socket, timeoutMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Fault('SILENT')), timeoutMs);
    const take = (part: Buffer) => {
      text += part.toString('utf8');
      const end = text.indexOf('\r\n');
      if (end < 0 && text.length < 64 * 1024) return;
      clearTimeout(timer);
      socket.off('data', take);
      resolve(text.slice(0, Math.max(0, end)));
    };
    socket.on('data', take);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Fault('CLOSED'));
    });
  });

function handshake(reached: Probe, socket: Socket, host: string, options: ProbeOptions): Promise<Probe> {
  const { ca, cert, key, timeoutMs, nowMs } = options;
  return new Promise((resolve) => {
    const settings: ConnectionOptions = {
      socket,
      ...(isIP(host) === 0 && { servername: host }),
      // All its faults are to be told at once, so none of them ends the handshake.
      rejectUnauthorized: false,
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
    };
    let tls: TLSSocket;
    const fail = (error: unknown) => {
      clearTimeout(timer);
      resolve({ ...reached, tlsError: codeOf(error) });
    };
    const timer = setTimeout(() => fail({ code: 'ETIMEDOUT' }), timeoutMs);
    try {
      tls = secure(settings);
    } catch (error) {
      fail(error);
      return;
    }
    tls.once('error', fail);
    tls.once('close', () => fail({ code: 'CLOSED' }));
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      const peer = tls.getPeerCertificate();
      const code = tls.authorizationError ? codeOf({ code: String(tls.authorizationError) }) : undefined;
      resolve({ ...reached, certificate: factsOf(peer, host, code, nowMs) });
    });
  });
}

function factsOf(peer: PeerCertificate, host: string, code: string | undefined, nowMs: number): CertificateFacts {
  const isOther = checkServerIdentity(host, peer) !== undefined;
  const names = (peer.subjectaltname ?? '').replaceAll(/(?:DNS|IP Address):/g, '') || peer.subject?.CN || 'nobody';
  // That it has expired, or is for another name, is told by itself.
  const isUntrusted = code !== undefined && !/EXPIRED|ALTNAME/.test(code);
  return {
    daysLeft: Math.floor((Date.parse(peer.valid_to) - nowMs) / DAY),
    issuer: cleanText(String(peer.issuer?.CN ?? peer.issuer?.O ?? 'nobody')),
    ...(isUntrusted && { untrusted: code }),
    ...(isOther && { wrongName: cleanText(`its certificate is for ${names}, and we connect to ${host}`) }),
  };
}

/** Days until a certificate in PEM expires; `undefined` where it is none. */
export function certificateDaysLeft(pem: string, nowMs: number): number | undefined {
  try {
    return Math.floor((Date.parse(new X509Certificate(pem).validTo) - nowMs) / DAY);
  } catch {
    return undefined;
  }
}

/** When the user JWT of a credentials file expires, in milliseconds since 1970; `undefined`: never, or it is none. */
export function credentialsExpiry(creds: string): number | undefined {
  const [, payload] = /eyJ[\w-]+\.(eyJ[\w-]+)\./.exec(creds) ?? [];
  const exp = numberOf(objectOf(payload && jsonIn(Buffer.from(payload, 'base64url'))).exp);
  return exp === 0 ? undefined : exp * 1000;
}
