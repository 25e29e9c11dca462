/** A server as a URL names it. */
export interface ServerUrl {
  /** Without user and password. */
  readonly url: string;
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
}

// scheme://user:password@host:port/ with no room for doubt: what a URL must escape is refused, since what stands on the
// wrong side of it would be a password that is taken for a host, looked up and shown.
const FORM =
  /^(?:([a-z][a-z0-9+.-]*):\/\/)?(?:([^\s@/\\?#,]*)@)?(\[[\da-f:.]+\]|[^\s@/\\?#,:[\]"'`<>%{}|^]+)(?::(\d{1,5}))?\/?$/i;

/** Reads one; undefined where it cannot be read. */
export function parseServer(text: string): ServerUrl | undefined {
  const parts = FORM.exec(text);
  if (!parts) return undefined;
  const [, scheme = 'nats', userinfo = '', host, port = '4222'] = parts;
  const name = scheme.toLowerCase();
  if ((name !== 'nats' && name !== 'tls') || Number(port) > 65_535) return undefined;
  let hostname: string;
  try {
    // The URL class knows names in other scripts, brackets and short forms of addresses.
    ({ hostname } = new URL(`http://${host}`));
  } catch {
    return undefined;
  }
  const [user, ...rest] = userinfo.split(':');
  const password = rest.join(':');
  return {
    url: `${name}://${hostname}:${Number(port)}`,
    tls: name === 'tls',
    ...(user && { user: decode(user) }),
    ...(password && { password: decode(password) }),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A URL as it may be kept and shown: without user and password; undefined where it cannot be told which part is which. */
export const withoutUser = (text: string): string | undefined => {
  const server = text.includes(',') ? undefined : parseServer(text.trim());
  return server && (text.includes('@') ? server.url : text.trim());
};
