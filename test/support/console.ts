import { request } from 'node:http';
import { connect } from 'node:net';
import { type CliOptions, type CliProcess, startCli } from './cli.ts';
import { HANG_MS, until } from './until.ts';

/** What a console answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the answer of any route
  readonly json: any;
}

export interface TestConsole {
  readonly cli: CliProcess;
  readonly port: number;
  /** The token of the printed address. */
  readonly token: string;
  /** Asks as the page does, with its session. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  get(path: string): Promise<Answer>;
  post(path: string, body: unknown): Promise<Answer>;
  /** Both halves of the session, once it has begun. */
  session: { cookie: string; key: string };
  /** Waits until a run has ended, or asks. */
  // biome-ignore lint/suspicious/noExplicitAny: the run of any verb
  settled(id: string): Promise<any>;
  stop(): Promise<void>;
}

export interface Question {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Hears that the answer begins. */
  readonly onBegin?: () => void;
}

/** Asks over HTTP, with exactly these headers besides the host. */
export function ask(
  port: number,
  method: string,
  path: string,
  { headers = {}, body, onBegin }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      onBegin?.();
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        const isJson = response.headers['content-type']?.startsWith('application/json');
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text,
          json: isJson ? JSON.parse(text) : undefined,
        });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Sends bytes, and gives what comes back until the connection ends or so many milliseconds are over. */
export function raw(port: number, bytes: string, waitMs = HANG_MS): Promise<{ text: string; ended: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const end = (ended: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, ended });
    };
    const timer = setTimeout(() => end(false), waitMs);
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', () => end(true)).on('close', () => end(true));
    socket.write(bytes);
  });
}

/** Starts `osapi-ops console`, opens it, and waits until it has seen the server where `isAway` is not said. */
export async function startConsole(
  args: readonly string[] = [],
  options: CliOptions & { isAway?: boolean } = {},
): Promise<TestConsole> {
  const cli = startCli(['console', ...args], options);
  const [, port = '', token = ''] = await cli.until('stdout', /http:\/\/127\.0\.0\.1:(\d+)\/(?:#token=(\S+))?/);
  const own = options.env?.OSAPI_OPS_CONSOLE_TOKEN ?? token;
  const origin = `http://127.0.0.1:${port}`;
  const begun = await ask(Number(port), 'POST', '/api/session', {
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ token: own }),
  });
  if (begun.status !== 200) throw new Error(begun.text);
  const [cookie = ''] = String(begun.headers['set-cookie']).split(';');
  const session = { cookie, key: String(begun.json.key) };
  const asPage: TestConsole['ask'] = (method, path, body, headers = {}) =>
    ask(Number(port), method, path, {
      headers: {
        cookie: session.cookie,
        'x-osapi-ops-key': session.key,
        'sec-fetch-site': 'same-origin',
        ...(method !== 'GET' && { origin, 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const made: TestConsole = {
    cli,
    port: Number(port),
    token: own,
    session,
    ask: asPage,
    get: (path) => asPage('GET', path),
    post: (path, body) => asPage('POST', path, body),
    async settled(id) {
      let run: Answer['json'];
      const isSettled = async () => {
        run = (await asPage('GET', `/api/runs/${id}`)).json;
        return run.state !== 'running';
      };
      await until(isSettled, `the run ${id} ends`);
      return run;
    },
    async stop() {
      cli.child.kill('SIGTERM');
      await cli.done;
    },
  };
  const isConnected = async () => (await made.get('/api/about')).json.server.state === 'connected';
  if (!options.isAway) await until(isConnected, 'the console sees its server');
  return made;
}
