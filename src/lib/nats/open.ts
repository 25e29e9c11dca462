import { keepSecret } from '../errors/conceal.ts';
import type { Context } from '../model/context.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { connect, type Nats } from './connect.ts';
import { readContexts } from './contexts.ts';
import { withFigures } from './room.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { Sharing } from './sharing.ts';

/** The settings a run would connect with. @throws OpsError CONN_CONTEXT, USAGE */
export function settingsFor(context: Context, loaded?: LoadedSpec): Settings {
  const settings = resolveSettings({
    flags: context.connection,
    env: context.env,
    ...(loaded && { spec: loaded.spec.connection, specFile: loaded.source }),
    contexts: readContexts(context.env, context.cwd),
  });
  for (const secret of settings.secrets) keepSecret(secret);
  return settings;
}

/** Connects as flags, environment, context and spec say. @throws what `resolveSettings` and `connect` throw */
export async function openNats(context: Context, loaded?: LoadedSpec): Promise<Nats> {
  const { sharing, env, cwd } = context;
  const settings = settingsFor(context, loaded);
  const io = { signal: context.io.signal, env, cwd };
  return sharing instanceof Sharing ? sharing.connect(settings, io) : connect(settings, io);
}

/** Connects, does the work, and closes the connection whatever happens. */
export async function withNats<T>(
  context: Context,
  loaded: LoadedSpec | undefined,
  work: (nats: Nats) => Promise<T>,
): Promise<T> {
  const nats = await openNats(context, loaded);
  try {
    return await work(nats);
  } catch (error) {
    throw await withFigures(nats, error);
  } finally {
    await nats.close();
  }
}
