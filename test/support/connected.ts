import { connect, type Nats } from '../../src/lib/nats/connect.ts';
import { resolveSettings } from '../../src/lib/nats/settings.ts';

/** A connection as the CLI makes it, with nothing of this machine's environment in it, and patient on a busy one. */
export function connectTo(
  server: { readonly url: string },
  flags: { readonly user?: string; readonly password?: string; readonly timeout?: string } = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Nats> {
  const contexts = { selected: undefined, read: () => ({}) };
  const settings = resolveSettings({ flags: { server: server.url, timeout: '30s', ...flags }, env: {}, contexts });
  return connect(settings, { signal, env: {}, cwd: '/' });
}
