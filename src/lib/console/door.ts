import { OpsError } from '../errors/ops-error.ts';

// Who reaches a port need not be whom it is for. Every page of a browser may send requests to loopback, and a name of
// somebody else may be pointed there after its page was loaded; so that each request tells where it comes from, and is
// believed only where a browser says it for the page.

/** What a request says of where it comes from. */
export interface Knock {
  readonly method: string;
  /** All there are: two hosts are none. */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site`, `-Mode` and `-Dest`, as browsers send them. */
  readonly site: string | undefined;
  readonly mode: string | undefined;
  readonly dest: string | undefined;
}

/** What is asked for: `page` is what somebody opens by an address or a link, `part` what the page loads, `api` the rest. */
export type Door = 'page' | 'part' | 'api';

/** The addresses of a port by which it is known; the port of the scheme is left out by browsers. */
export const hostsOf = (names: readonly string[], port: number): readonly string[] =>
  names.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]);

export const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** Why a request is not let in, by where it comes from; `undefined` for one that is. Pure. */
export function whyForeign(door: Door, knock: Knock, hosts: readonly string[]): string | undefined {
  const { method, origin, site, mode, dest } = knock;
  const [host, ...more] = knock.hosts;
  if (host === undefined || more.length > 0) return 'the request names no host, or several';
  if (!hosts.includes(host)) return `the host ${JSON.stringify(host.slice(0, 100))} is not this console`;
  if (origin !== undefined && origin !== `http://${host}`) {
    return `the origin ${JSON.stringify(origin.slice(0, 100))} is not this console`;
  }
  const isOwn = site === 'same-origin';
  // Typed, or a link from elsewhere that is opened as a page of its own: what it shows says nothing before it has a session.
  const isOpened = mode === 'navigate' && dest === 'document';
  if (site !== undefined && !isOwn) {
    const isWelcome = door === 'page' ? site === 'none' || isOpened : door === 'part' && site === 'none';
    if (!isWelcome) return `another site asks (Sec-Fetch-Site: ${JSON.stringify(site.slice(0, 20))})`;
  }
  if (method !== 'GET' && method !== 'HEAD' && origin === undefined && !isOwn) {
    return 'a request that acts does not say where it comes from';
  }
  return undefined;
}

/** @throws OpsError CONSOLE_FOREIGN */
export function requireOwn(door: Door, knock: Knock, hosts: readonly string[]): void {
  const why = whyForeign(door, knock, hosts);
  if (why === undefined) return;
  throw new OpsError('CONSOLE_FOREIGN', why, {
    why: 'Only the page of this console is answered, under the address that the terminal shows.',
    hints: [`open http://${knock.hosts.find((host) => hosts.includes(host)) ?? hosts[0]}/`],
  });
}

/** What every answer carries: nothing of it is run, framed, sniffed, cached, or told to others. */
export const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
};
