import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { OpsError } from '../../errors/ops-error.ts';
import { unreachedReport } from '../../health/verdict.ts';
import type { Context } from '../../model/context.ts';
import type { StatusReport } from '../../model/verdict.ts';
import type { SpecChoice } from '../spec-source.ts';
import { openStatus, type StatusSource } from '../status.ts';

export interface ListenOptions extends SpecChoice {
  /** `127.0.0.1:9464`, `:9464` or `9464`; port 0 takes a free one. */
  readonly address: string;
  render(report: StatusReport): string;
}

const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

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
 * @throws OpsError USAGE where the address cannot be had; SPEC_*
 */
export async function listenStatus(context: Context, { address, render, ...choice }: ListenOptions): Promise<void> {
  const { host, port } = parseAddress(address);
  let source: StatusSource | undefined;
  let running: Promise<string> | undefined;
  const scrape = async (): Promise<string> => {
    try {
      source ??= await openStatus(context, choice);
      return render(await source.look());
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      await source?.close().catch(() => {});
      source = undefined;
      return render(unreachedReport(error.message, context.now().toISOString()));
    }
  };
  const { createServer } = await import('node:http');
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname !== '/metrics' || !['GET', 'HEAD'].includes(request.method ?? '')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('the metrics are at /metrics\n');
      return;
    }
    try {
      // Two scrapers at once share one look.
      running ??= scrape().finally(() => {
        running = undefined;
      });
      response.writeHead(200, { 'content-type': TYPE }).end(await running);
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${String(error)}\n`);
    }
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new OpsError('USAGE', `cannot listen on ${address}: ${(error as { code?: string }).code}`, {
      where: '--listen',
      hints: ['choose a free port of this machine'],
      cause: error,
    });
  }
  const { port: taken } = server.address() as AddressInfo;
  context.io.tell({
    type: 'note',
    text: `Metrics at http://${host.includes(':') ? `[${host}]` : host}:${taken}/metrics`,
  });
  const { signal } = context.io;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  server.close();
  server.closeAllConnections();
  await source?.close();
}
