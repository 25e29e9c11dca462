import { keepSecret } from '../errors/conceal.ts';
import type { Context } from '../model/context.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { connect, type Nats } from './connect.ts';
import { readContexts } from './contexts.ts';
import { withFigures } from './room.ts';
import { resolveSettings, type Settings } from './settings.ts';

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
export const openNats = (context: Context, loaded?: LoadedSpec): Promise<Nats> =>
  connect(settingsFor(context, loaded), { signal: context.io.signal, env: context.env, cwd: context.cwd });

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
