import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { OpsError } from '../errors/ops-error.ts';
import { systemReason } from '../errors/system-error.ts';
import { printJson } from '../model/json.ts';
import { failureJson, statusOf } from './answer.ts';
import { type Door, HEADERS, type Knock, requireOwn } from './door.ts';

// Whoever reaches the port may send what they like, and as slowly: none of it ends the process, holds more than this, or
// keeps others waiting.

const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 5000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
};
/** A reader that takes nothing, in milliseconds; a stream says something more often. */
const IDLE_MS = 60_000;
/** For an answer to somebody with a session, who may ask for all of a million. */
const PATIENCE_MS = 10 * 60_000;
/** Connections of nobody who has a session: one more takes the place of the oldest of them. */
const MOST_STRANGERS = 64;
/** Connections in all; a browser has six at once. */
const MOST_CONNECTIONS = 256;
/** Of a body, in bytes. */
const LARGEST_BODY = 1024 * 1024;

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Aborted when the one who asks has gone. */
  readonly signal: AbortSignal;
  /** The whole body as JSON, of so many bytes at most; `undefined` where there is none. @throws OpsError USAGE, CONSOLE_TOO_LARGE */
  body(most?: number): Promise<unknown>;
  /** Writes the body into a file, and gives its size. @throws OpsError CONSOLE_TOO_LARGE; nothing is left of the file then */
  save(file: string, most: number): Promise<number>;
  /** From now on the connection is that of somebody with a session. */
  trust(): void;
}

export type Respond = ServerResponse;

export interface Served {
  readonly port: number;
  readonly server: Server;
  close(): void;
}

export interface ServeOptions {
  /** All interfaces where left out. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** `HOST:PORT`, exactly as a browser sends them. */
  hosts(port: number): readonly string[];
  doorOf(path: string): Door;
  answer(request: Request, response: Respond): Promise<void>;
}

/** Strangers are let go of first: who has a session is never shut out by them. */
class Connections {
  readonly #strangers = new Set<Socket>();
  readonly #known = new Set<Socket>();

  add(socket: Socket): void {
    this.#strangers.add(socket);
    socket.on('close', () => {
      this.#strangers.delete(socket);
      this.#known.delete(socket);
    });
    const [oldest] = this.#strangers;
    if (this.#strangers.size > MOST_STRANGERS) oldest?.destroy();
    if (this.#strangers.size + this.#known.size > MOST_CONNECTIONS) socket.destroy();
  }

  trust(socket: Socket): void {
    socket.setTimeout(PATIENCE_MS);
    if (this.#strangers.delete(socket)) this.#known.add(socket);
  }
}

/** Serves until it is closed. @throws OpsError USAGE where the address cannot be had */
export async function serve(options: ServeOptions): Promise<Served> {
  const connections = new Connections();
  let hosts: readonly string[] = [];
  const server = createServer(
    LIMITS,
    (incoming, response) => void handle(options, hosts, connections, incoming, response),
  );
  server.on('connection', (socket: Socket) => connections.add(socket));
  server.setTimeout(IDLE_MS);
  // What asks for another protocol is told nothing.
  server.on('upgrade', (_, socket) => socket.destroy());
  server.on('connect', (_, socket) => socket.destroy());
  server.on('clientError', (_, socket: Socket) => socket.destroy());
  server.listen({ port: options.port, ...(options.host !== undefined && { host: options.host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new OpsError(
      'USAGE',
      `--port: cannot listen on ${options.host ?? 'all interfaces'}, port ${options.port}: ${systemReason(error)}`,
      {
        where: '--port',
        hints: ['choose a free port, or leave it out'],
        cause: error,
      },
    );
  }
  // A connection that cannot be taken, as without a free file descriptor, is no reason to end.
  server.on('error', () => {});
  const { port } = server.address() as AddressInfo;
  hosts = options.hosts(port);
  return {
    port,
    server,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const valuesOf = ({ rawHeaders }: IncomingMessage, name: string): string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name);

/** Two of one kind are no header that anybody sent in good faith. */
const knockOf = (incoming: IncomingMessage): Knock => {
  const joined = (name: string): string | undefined => {
    const values = valuesOf(incoming, name);
    return values.length === 0 ? undefined : values.join(', ');
  };
  return {
    method: incoming.method ?? '',
    hosts: valuesOf(incoming, 'host'),
    origin: joined('origin'),
    site: joined('sec-fetch-site'),
    mode: joined('sec-fetch-mode'),
    dest: joined('sec-fetch-dest'),
  };
};

async function handle(
  options: ServeOptions,
  hosts: readonly string[],
  connections: Connections,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  // A reset of the connection is the end of an answer, and of nothing else.
  response.on('error', () => {});
  incoming.on('error', () => {});
  // A message that has ended knows it no more.
  const { socket } = incoming;
  const gone = new AbortController();
  response.on('close', () => gone.abort(new OpsError('INTERRUPTED', 'the one who asked has gone')));
  try {
    const url = incoming.url ?? '';
    if (!url.startsWith('/') || url.startsWith('//')) throw notFound(url);
    const [path = '/'] = url.split('?', 1);
    requireOwn(options.doorOf(path), knockOf(incoming), hosts);
    const request: Request = {
      method: incoming.method ?? '',
      path,
      query: new URLSearchParams(url.slice(path.length)),
      headers: incoming.headers,
      signal: gone.signal,
      body: (most = LARGEST_BODY) => readBody(incoming, most),
      save: (file, most) => saveBody(incoming, file, most),
      trust: () => connections.trust(socket),
    };
    await options.answer(request, response);
  } catch (error) {
    sendFailure(response, error);
  } finally {
    // What nobody read of a body would be taken for the next request.
    if (!incoming.complete) socket.destroySoon();
  }
}

const notFound = (path: string): OpsError =>
  new OpsError('NOT_FOUND', `there is nothing at ${JSON.stringify(path.slice(0, 200))}`);

/** JSON, whole or not at all. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const text = printJson(value);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendFailure(response: ServerResponse, error: unknown, more: object = {}): void {
  // What was begun as a stream ends as one that is cut.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (!response.req.complete) response.setHeader('connection', 'close');
  sendJson(response, statusOf(error), { ...more, ...failureJson(error) });
}

const tooLarge = (most: number): OpsError =>
  new OpsError('CONSOLE_TOO_LARGE', `a body has more than ${most} bytes`, {
    hints: ['send less, or use the CLI'],
  });

async function saveBody(incoming: IncomingMessage, file: string, most: number): Promise<number> {
  let size = 0;
  const counted = async function* (pieces: AsyncIterable<Buffer>) {
    for await (const piece of pieces) {
      size += piece.byteLength;
      if (size > most) throw tooLarge(most);
      yield piece;
    }
  };
  try {
    await pipeline(incoming, counted, createWriteStream(file, { mode: 0o600 }));
    return size;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

async function readBody(incoming: IncomingMessage, most: number): Promise<unknown> {
  const type = incoming.headers['content-type'] ?? '';
  const length = Number(incoming.headers['content-length'] ?? Number.NaN);
  if (length > most) throw tooLarge(most);
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    size += piece.byteLength;
    if (size > most) throw tooLarge(most);
    pieces.push(piece);
  }
  if (size === 0) return undefined;
  const isJson = /^application\/json(?:;\s*charset=utf-8)?$/i.test(type);
  if (!isJson) throw new OpsError('USAGE', 'a body is application/json', { where: 'content-type' });
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    throw new OpsError('USAGE', 'the body is no JSON', { where: 'body', cause: error });
  }
}

/** Of a stream that its reader does not take, in bytes: then it is cut, and comes back for what is new. */
const MOST_UNREAD = 4 * 1024 * 1024;

/** A stream of events. What is written to a reader that takes nothing ends it. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #beat: NodeJS.Timeout;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    response.flushHeaders();
    this.#write(': begun\n\n');
    this.#beat = setInterval(() => this.#write(': still here\n\n'), 15_000);
    response.on('close', () => clearInterval(this.#beat));
  }

  #write(text: string): void {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    this.#response.write(text);
    if (this.#response.writableLength > MOST_UNREAD) this.#response.destroy();
  }

  send(event: string, data: string, id?: number): void {
    this.#write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);
  }

  end(): void {
    clearInterval(this.#beat);
    this.#response.end();
  }
}
