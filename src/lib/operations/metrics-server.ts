import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { conceal } from '../errors/conceal.ts';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';

export interface MetricsOptions {
  /** For the message where the address cannot be had. */
  readonly flag: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly paths: readonly string[];
  /** The metrics as they are now; what it throws is the answer 500. */
  readonly text: () => string | Promise<string>;
}

export interface MetricsServer {
  readonly port: number;
  close(): void;
}

const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

// Whoever reaches the port may send what they like, and as slowly: none of it ends the process, or holds more than this.
const MOST_CONNECTIONS = 256;
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
};
/** For a reader that takes nothing, and for a look at a server that is slow to answer, in milliseconds. */
const IDLE_MS = 60_000;

/** Serves one text for Prometheus. @throws OpsError USAGE where the address cannot be had */
export async function serveMetrics(options: MetricsOptions): Promise<MetricsServer> {
  const { flag, host, port } = options;
  const { createServer } = await import('node:http');
  const server = createServer(LIMITS, (request, response) => void answer(options, request, response));
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new OpsError('USAGE', `${flag}: cannot listen on ${host}:${port}: ${systemReason(error)}`, {
      where: flag,
      hints: ['choose a free port of this machine'],
      cause: error,
    });
  }
  // A connection that cannot be taken, as without a free file descriptor, is no reason to end.
  server.on('error', () => {});
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  { paths, text }: MetricsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // What comes with a body would have to be read to its end.
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  const send = (status: number, type: string, body: string) =>
    response.writeHead(status, { 'content-type': type, ...(hasBody && { connection: 'close' }) }).end(body);
  const [path = ''] = (request.url ?? '').split('?');
  if (!paths.includes(path)) return void send(404, 'text/plain', `the metrics are at ${paths[0]}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return void send(405, 'text/plain', 'only GET\n');
  try {
    send(200, TYPE, await text());
  } catch (error) {
    send(500, 'text/plain; charset=utf-8', `${conceal((error as Error).message)}\n`);
  }
}
