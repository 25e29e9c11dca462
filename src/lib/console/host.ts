import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { OpsError } from '../errors/ops-error.ts';
import { callWords, leadIn, leading } from '../model/call.ts';
import type { Context } from '../model/context.ts';
import type { Event } from '../model/io.ts';
import { objectOf } from '../model/json.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { About, Answers, Deeds, Envelope, Note, Uploaded } from '../model/wire.ts';
import { importDeadLetters } from '../operations/dlq/import.ts';
import { withSharing } from '../operations/sharing.ts';
import { loadLive } from '../operations/status/live.ts';
import { type Acting, beginAct, type SentArchive } from './acts.ts';
import { failureJson, lineOf, statusOf } from './answer.ts';
import { type Choice, lookAhead, readWanted } from './choices.ts';
import { hostsOf, LOOPBACK } from './door.ts';
import { readWantedBytes, sendBytes, type Wanted as WantedBytes } from './downloads.ts';
import { lookingIo } from './host-web.ts';
import { Hub, type Told } from './hub.ts';
import { Keep } from './keep.ts';
import { everyAction, Live } from './live.ts';
import { type Asked, LOOKS, type Looked } from './looks.ts';
import { readPage } from './pages.ts';
import { Plans } from './plans.ts';
import { givenOf } from './query.ts';
import { Runs } from './runs.ts';
import { EventStream, type Request, type Respond, type Served, sendJson, serve } from './server.ts';
import { IDLE_MS, type Session, Sessions } from './session.ts';
import { Views } from './views.ts';

export interface ConsoleOptions {
  readonly specs: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly readOnly: boolean;
  /** Addresses beyond loopback by which it may be asked; it listens on all interfaces where there are any. */
  readonly remote: readonly string[];
  /** One's own; needed where it is asked from elsewhere. */
  readonly token?: string;
  /** Modules that a replay may use. */
  readonly transforms: readonly string[];
  /** The folder of the page. */
  readonly pages: string;
  /** The address that opens it; again each time it was used. */
  onAddress(address: string, isFirst: boolean): void;
}

const HALF_HOUR = 30 * 60_000;
/** Of an archive that a browser sends, in bytes. */
const LARGEST_ARCHIVE = 512 * 1024 * 1024;
/** So often what is too old is let go, in milliseconds. */
const SWEEP_MS = 30_000;
const STREAMS_EACH = 4;
/** A wrong token is answered so late, in milliseconds. */
const WRONG_TOKEN_MS = 300;

/** A link to bytes. */
interface Ticket {
  readonly session: Session;
  readonly wanted: WantedBytes;
}

/** Serves the page and what it asks for, until Ctrl-C. @throws OpsError USAGE, SPEC_*, CONN_CONTEXT before it serves */
export async function serveConsole(context: Context, options: ConsoleOptions): Promise<void> {
  const specs = await loadLive(context, options.specs);
  const dir = await mkdtemp(join(tmpdir(), 'osapi-ops-console-'));
  try {
    await withSharing(context, (sharing, drop) => new Host(sharing, options, specs, dir, drop).run());
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

class Host {
  readonly #context: Context;
  readonly #options: ConsoleOptions;
  readonly #dir: string;
  readonly #file: string | undefined;
  readonly #lead: (text: string) => string;
  readonly #hub = new Hub();
  readonly #runs: Runs;
  readonly #views = new Views();
  readonly #live: Live;
  readonly #choices = new Keep<Choice>('choice', { most: 32, forMs: HALF_HOUR });
  readonly #tickets = new Keep<Ticket>('download', { most: 64, forMs: 60_000 });
  readonly #archives = new Keep<SentArchive>('archive', {
    most: 4,
    forMs: HALF_HOUR,
    drop: ({ file }) => void rm(file, { force: true }),
  });
  readonly #plans: Plans;
  #sessions!: Sessions;
  #served!: Served;

  constructor(context: Context, options: ConsoleOptions, specs: readonly LoadedSpec[], dir: string, drop: () => void) {
    this.#context = context;
    this.#options = options;
    this.#dir = dir;
    this.#plans = new Plans(dir, options.specs);
    this.#lead = leadIn(context.connection);
    this.#file = options.specs.length === 1 ? options.specs[0] : undefined;
    this.#runs = new Runs(this.#hub, context);
    this.#live = new Live(context, { specs, file: this.#file, hub: this.#hub, onAway: drop });
  }

  async run(): Promise<void> {
    const { signal } = this.#context.io;
    const { remote, port, token, onAddress } = this.#options;
    const names = [...remote, ...LOOPBACK];
    this.#served = await serve({
      // Without a host on all interfaces.
      ...(remote.length === 0 && { host: '127.0.0.1' }),
      port,
      hosts: (own) => hostsOf(names, own),
      doorOf: (path) => (path === '/' ? 'page' : path.startsWith('/api/') ? 'api' : 'part'),
      answer: (request, response) => this.#answer(request, response),
    });
    const own = this.#served.port;
    let isFirst = true;
    this.#sessions = new Sessions({
      port: own,
      ...(token !== undefined && { token }),
      now: () => this.#context.now().getTime(),
      onToken: (next) => {
        // One's own is known, and is printed nowhere.
        const fragment = token === undefined ? `#token=${next}` : '';
        onAddress(`http://${remote[0] ?? '127.0.0.1'}:${own}/${fragment}`, isFirst);
        isFirst = false;
      },
    });
    const swept = [this.#sessions, this.#choices, this.#tickets, this.#archives];
    const sweeping = setInterval(() => {
      for (const one of swept) one.sweep();
    }, SWEEP_MS);
    const living = this.#live.run();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    clearInterval(sweeping);
    await this.#runs.end(signal.reason as OpsError);
    this.#sessions.endAll();
    this.#views.close();
    this.#served.close();
    await living;
  }

  async #answer(request: Request, response: Respond): Promise<void> {
    const { method, path } = request;
    if (path.startsWith('/download/')) return this.#download(request, response);
    if (!path.startsWith('/api/')) return this.#page(request, response);
    if (path === '/api/session' && method === 'POST') return this.#begin(request, response);
    const key = request.headers['x-osapi-ops-key'];
    const session = this.#sessions.find(request.headers.cookie, typeof key === 'string' ? key : '');
    request.trust();
    if (path === '/api/session' && method === 'DELETE') {
      this.#sessions.end(session);
      response.setHeader('set-cookie', this.#sessions.dropCookie());
      return sendJson(response, 200, {});
    }
    if (method === 'GET') return this.#look(request, response, session);
    if (method === 'POST') return this.#act(request, response, session);
    if (method === 'PUT' && path === '/api/archives') return this.#take(request, response);
    response.setHeader('allow', 'GET, POST');
    throw new OpsError('USAGE', `nothing is asked by ${JSON.stringify(method)}`);
  }

  async #page({ method, path, headers }: Request, response: Respond): Promise<void> {
    if (method !== 'GET' && method !== 'HEAD') throw new OpsError('USAGE', 'a page is asked for by GET');
    const file = await readPage(this.#options.pages, path, String(headers['accept-encoding'] ?? ''));
    if (!file) throw new OpsError('NOT_FOUND', `there is nothing at ${JSON.stringify(path.slice(0, 200))}`);
    const { bytes, type, etag, encoding } = file;
    response.setHeader('cache-control', 'no-cache');
    response.setHeader('etag', etag);
    response.setHeader('vary', 'accept-encoding');
    if (headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.byteLength,
      ...(encoding && { 'content-encoding': encoding }),
    });
    response.end(method === 'HEAD' ? undefined : bytes);
  }

  async #begin(request: Request, response: Respond): Promise<void> {
    // Of somebody who is nobody yet no more is read than a token.
    const { token } = objectOf(await request.body(4096));
    try {
      const { id, key } = this.#sessions.begin(typeof token === 'string' ? token : '');
      request.trust();
      response.setHeader('set-cookie', this.#sessions.setCookie(id));
      sendJson(response, 200, { key, about: this.#about() });
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, WRONG_TOKEN_MS));
      throw error;
    }
  }

  #about(): About {
    const { tool } = this.#context;
    const { readOnly, specs, transforms } = this.#options;
    const { target, may, state } = this.#live;
    return {
      tool,
      read_only: readOnly,
      port: this.#served.port,
      target: target && {
        url: target.url,
        account: target.account,
        server: target.server,
        chosen_by: target.chosenBy,
      },
      server: state,
      specs,
      command: lineOf([
        ...callWords(this.#context.connection, undefined, 'status'),
        ...(specs.length > 0 ? specs : ['--all']),
        '--watch',
      ]),
      transforms: transforms.map((file) => basename(file)),
      may: readOnly ? { ...everyAction({ allowed: false, missing: [] }), look: may.look, export: may.export } : may,
      session: { idle_ms: IDLE_MS },
    };
  }

  // Looking

  async #look(request: Request, response: Respond, session: Session): Promise<void> {
    const { path } = request;
    if (path === '/api/events') return this.#stream(request, response, session);
    if (path === '/api/about') return sendJson(response, 200, this.#about());
    if (path === '/api/runs') return sendJson(response, 200, this.#runs.all());
    if (path.startsWith('/api/runs/')) return sendJson(response, 200, this.#runs.one(lastOf(path)));
    const look = this.#lookAt(path);
    if (!look) throw new OpsError('NOT_FOUND', `there is nothing at ${JSON.stringify(path.slice(0, 200))}`);
    const given = givenOf(request.query);
    await this.#reply(request, response, (context) => {
      return look({ context, given, file: this.#file, views: this.#views });
    });
  }

  #lookAt(path: string): ((asked: Asked) => Promise<Looked<Envelope<unknown>>>) | undefined {
    if (isLook(path) && !path.endsWith('*')) return LOOKS[path];
    if (path === '/api/plan') return (asked) => this.#plans.look(asked);
    if (path === '/api/queues') return () => this.#queues();
    const each = path.replace(/\/[^/]*$/, '/*');
    if (!isLook(each)) return undefined;
    return (asked) => LOOKS[each]({ ...asked, given: new Map([...asked.given, ['*', [lastOf(path)]]]) });
  }

  /** What is seen now, without a stream. */
  async #queues(): Promise<Looked<Answers['/api/queues']>> {
    const unwatch = this.#live.watch();
    try {
      const result = await this.#live.latest();
      return { result, argv: this.#about().command.argv, more: {} };
    } finally {
      unwatch();
    }
  }

  /** Answers with a result, or with what failed; as a stream of what is told meanwhile where that is asked for. */
  async #reply(
    { headers, signal }: Pick<Request, 'headers' | 'signal'>,
    response: Respond,
    work: (context: Context) => Promise<Looked<Envelope<unknown>>>,
  ): Promise<void> {
    const isStream = /\btext\/event-stream\b/.test(headers.accept ?? '');
    const stream = isStream ? new EventStream(response) : undefined;
    const notes: Note[] = [];
    const tell = (event: Event) => {
      if ((event.type === 'note' || event.type === 'warning') && notes.length < MOST_NOTES) notes.push(event);
      stream?.send('tell', JSON.stringify(event));
    };
    const all = AbortSignal.any([signal, this.#context.io.signal]);
    let status = 200;
    let body: object;
    try {
      const {
        result,
        argv,
        exit = 0,
        more,
      } = await work({ ...this.#context, io: leading(lookingIo(all, tell), this.#lead) });
      body = { result, notes, command: lineOf(argv), exit, ...more };
    } catch (error) {
      status = statusOf(error);
      body = { ...failureJson(error, this.#lead), notes };
    }
    if (!stream) return sendJson(response, status, body);
    stream.send('answer', JSON.stringify({ status, body }));
    stream.end();
  }

  #stream(request: Request, response: Respond, session: Session): void {
    if (session.streams.size >= STREAMS_EACH) {
      throw new OpsError('CONSOLE_LIMIT', `there are ${STREAMS_EACH} streams of this session already`, {
        hints: ['close one: a page needs one, and a hidden page none'],
      });
    }
    const topics = new Set((request.query.get('topics') ?? 'server,queues,replays,runs').split(','));
    const isWanted = ({ event }: Told) => topics.has(event === 'run' ? 'runs' : event);
    const after = Number(request.headers['last-event-id'] ?? 0) || 0;
    const stream = new EventStream(response);
    const send = (told: Told) => {
      if (isWanted(told)) stream.send(told.event, told.data, told.id);
    };
    const end = () => {
      stream.send('bye', '{}');
      stream.end();
    };
    for (const told of this.#hub.since(after)) send(told);
    const unlisten = this.#hub.listen(send);
    const unwatch = topics.has('queues') || topics.has('replays') ? this.#live.watch() : () => {};
    session.streams.add(end);
    response.on('close', () => {
      session.streams.delete(end);
      unlisten();
      unwatch();
    });
  }

  // Acting

  async #act(request: Request, response: Respond, session: Session): Promise<void> {
    const { path } = request;
    const body = await request.body();
    if (path === '/api/tickets') {
      const ticket = this.#tickets.put({ session, wanted: readWantedBytes(objectOf(body).path) });
      return sendJson(response, 200, { url: `/download/${ticket}` });
    }
    this.#requireActing();
    const acting = this.#acting();
    if (path === '/api/plans') {
      const wanted = readWanted(body);
      return this.#reply(request, response, async (context) => {
        const { choice, result, argv, acts } = await lookAhead({ ...acting, context }, wanted);
        const plan = this.#choices.put(choice);
        const more = { plan, count: choice.looked.size, looked_at: choice.lookedAt, acts };
        return { result, argv, more } satisfies Looked<Deeds['/api/plans']>;
      });
    }
    // The line of what would be begun, by whoever begins it.
    if (path === '/api/lines') return sendJson(response, 200, (await beginAct(acting, body)).line);
    if (path === '/api/runs') return sendJson(response, 202, this.#runs.start(await beginAct(acting, body)));
    const [, id = '', verb] = /^\/api\/runs\/([^/]+)\/(answer|stop)$/.exec(path) ?? [];
    if (verb === 'stop') return sendJson(response, 200, this.#runs.stop(id));
    if (verb === 'answer') {
      const { question, answer } = objectOf(body);
      return sendJson(response, 200, this.#runs.answer(id, question, answer));
    }
    throw new OpsError('NOT_FOUND', `there is nothing at ${JSON.stringify(path.slice(0, 200))}`);
  }

  /** @throws OpsError CONSOLE_READ_ONLY */
  #requireActing(): void {
    if (!this.#options.readOnly) return;
    throw new OpsError('CONSOLE_READ_ONLY', 'this console only looks', {
      why: 'It was started with --read-only.',
      hints: ['type the line that is shown beside the action'],
    });
  }

  /** Takes an archive that somebody has, keeps it for a while, and says what an import of it would do. */
  async #take(request: Request, response: Respond): Promise<void> {
    this.#requireActing();
    const file = join(this.#dir, `${randomBytes(9).toString('base64url')}.ndjson`);
    const named = (request.query.get('name') ?? '').replaceAll(/[/\\]/g, '_').slice(0, 200) || 'archive.ndjson';
    const bytes = await request.save(file, LARGEST_ARCHIVE);
    await this.#reply(request, response, async (context) => {
      const choice = { filter: {}, archive: file, named, dryRun: true, lockWaitMs: 0, file: this.#file };
      const { entries: _, ...result } = await importDeadLetters(context, choice);
      const argv = [...callWords(context.connection, this.#file, 'dlq', 'import'), named];
      return { result, argv, more: { archive: this.#archives.put({ file, named }), bytes } } satisfies Looked<Uploaded>;
    });
  }

  #acting(): Acting {
    return {
      // What writes has a connection of its own, which it may cut.
      context: { ...this.#context, sharing: undefined },
      file: this.#file,
      transforms: this.#options.transforms,
      choice: (id) => this.#choices.get(id),
      written: (run) => this.#runs.archive(run),
      archive: (id) => this.#archives.get(id),
      plan: (digest) => this.#plans.get(digest),
    };
  }

  // Bytes

  async #download({ method, path, headers, signal }: Request, response: Respond): Promise<void> {
    if (method !== 'GET') throw new OpsError('USAGE', 'bytes are asked for by GET');
    const session = this.#sessions.find(headers.cookie, undefined);
    const { wanted, ...ticket } = this.#tickets.take(path.slice('/download/'.length));
    if (ticket.session !== session) throw new OpsError('CONSOLE_SESSION', 'the link is that of another session');
    const io = lookingIo(AbortSignal.any([signal, this.#context.io.signal]), () => {});
    await sendBytes({ ...this.#acting(), context: { ...this.#context, io } }, wanted, response);
  }
}

const isLook = (path: string): path is keyof typeof LOOKS => Object.hasOwn(LOOKS, path);

const MOST_NOTES = 100;

const lastOf = (path: string): string => {
  try {
    return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  } catch {
    return '';
  }
};
