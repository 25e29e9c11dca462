// Serves the built page with data that never changes, and the address to open it at. Nothing of it is the console's process.
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Answers, Deeds } from '../../../src/console/wire.ts';
import { ROOT } from '../../support/cli.ts';
import * as data from './data.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};
/** As the console's process sends it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export interface Stage {
  /** With its token. */
  readonly url: string;
  /** What an address answers from now on; a function is asked with the query. */
  readonly answers: Map<string, unknown>;
  close(): Promise<void>;
}

/** In the types of the process: what it never sends is no answer here either. */
const ANSWERS = {
  '/api/session': { key: 'k', about: data.aboutData },
  '/api/about': data.aboutData,
  '/api/dlq/overview': data.overviewData,
  '/api/dlq/ls': data.listedData,
  '/api/dlq/show': data.shownData,
  '/api/dlq/alike': data.alikeData,
  '/api/dlq/replays': data.answer(data.replaysData, 'osapi-ops dlq replays ls'),
  '/api/history': data.historyData,
  '/api/plan': data.plansData,
  '/api/request/show': data.lifeData,
  '/api/request/ls': { ...data.answer([], 'osapi-ops request ls'), more: false },
  '/api/plans': data.chosenData,
} satisfies Partial<Answers & Pick<Deeds, '/api/session' | '/api/plans'>>;

const defaults = (): [string, unknown][] => [...Object.entries(ANSWERS), ['/api/runs/run-7', data.purgeRun]];

export async function startStage(): Promise<Stage> {
  const answers = new Map(defaults());
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x');
    if (pathname === '/api/events') {
      streams.add(response.writeHead(200, { 'content-type': 'text/event-stream' }));
      const events = [
        ['server', answers.get('server') ?? data.aboutData.server],
        ['queues', answers.get('/api/queues') ?? data.queuesData],
        ['replays', data.replaysData],
      ] as const;
      events.forEach(
        ([event, value], index) =>
          void response.write(`id: ${index + 1}\nevent: ${event}\ndata: ${JSON.stringify(value)}\n\n`),
      );
      return;
    }
    const kept = answers.get(pathname);
    const answer: unknown =
      typeof kept === 'function' ? (kept as (query: URLSearchParams) => unknown)(searchParams) : kept;
    if (answer !== undefined) {
      const { status = 200 } = answer as { status?: number };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      return;
    }
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    try {
      const file = readFileSync(join(ROOT, 'dist', 'console', name));
      response
        .writeHead(200, { 'content-type': TYPES[name.split('.').at(-1)!]!, 'content-security-policy': POLICY })
        .end(file);
    } catch {
      response
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"error":{"code":"NOT_FOUND","message":"nothing is here"}}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/#token=t`,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
