import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import { serveMetrics } from '../metrics-server.ts';
import { isServerAway, unreached } from '../status.ts';
import { loadSystems, type SystemStatus, type SystemsChoice, type SystemsSource } from './several.ts';

export interface ListenOptions extends SystemsChoice {
  /** `127.0.0.1:9464`, `:9464` or `9464`; port 0 takes a free one. */
  readonly address: string;
  render(systems: readonly SystemStatus[]): string;
}

/** Host and port; loopback where no host is named. @throws OpsError USAGE */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:(\[[\da-f:.]+\]|[^:[\]]*):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2] ?? Number.NaN);
  if (!match || !(port <= 65_535)) {
    throw new OpsError('USAGE', `--listen: "${text}" is not HOST:PORT`, { hints: ['write it as 127.0.0.1:9464'] });
  }
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { host: host === '' ? '127.0.0.1' : host, port };
}

/**
 * Serves the metrics at /metrics, read anew for each scrape, until Ctrl-C. A server that is away is `up 0`, not an end.
 * @throws OpsError USAGE where the address cannot be had; SPEC_*, CONN_CONTEXT before anything is served
 */
export async function listenStatus(context: Context, { address, render, ...choice }: ListenOptions): Promise<void> {
  const { host, port } = parseAddress(address);
  // What is wrong with what was typed is told now, and not as a server that is down for ever.
  const open = await loadSystems(context, choice);
  let source: SystemsSource | undefined;
  let running: Promise<string> | undefined;
  const scrape = async (): Promise<string> => {
    try {
      source ??= await open();
      return render(await source.look());
    } catch (error) {
      await source?.close().catch(() => {});
      source = undefined;
      if (!isServerAway(error)) throw error;
      return render([{ report: unreached(context, error), error }]);
    }
  };
  const server = await serveMetrics({
    flag: '--listen',
    host,
    port,
    paths: ['/metrics'],
    // Two scrapers at once share one look.
    text: () => {
      running ??= scrape().finally(() => {
        running = undefined;
      });
      return running;
    },
  });
  const text = `Metrics at http://${host.includes(':') ? `[${host}]` : host}:${server.port}/metrics`;
  context.io.tell({ type: 'note', text });
  const { signal } = context.io;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  server.close();
  await source?.close();
}
