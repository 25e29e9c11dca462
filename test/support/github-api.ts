// GitHub's REST API for the comments of a pull request, on loopback: the one thing of a job that cannot be real.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Comment {
  readonly id: number;
  readonly user: { readonly login: string; readonly type: 'Bot' | 'User' };
  body: string;
}

export interface GithubApi {
  readonly url: string;
  /** All comments of pull request 7, the oldest first. */
  readonly comments: Comment[];
  /** `METHOD path` of each call. */
  readonly calls: string[];
  /** Answers writes with this status instead; the next `times` of them. */
  refuse(status: number, times?: number): void;
  stop(): Promise<void>;
}

/** GitHub's own limit, in characters. */
const LONGEST = 65_536;

export async function startGithubApi(token: string): Promise<GithubApi> {
  const comments: Comment[] = [];
  const calls: string[] = [];
  let refusal = { status: 0, times: 0 };
  let next = 1000;

  const answer = (method: string, url: URL, body: string): { status: number; value: unknown } => {
    if (url.pathname === '/user') return { status: 403, value: { message: 'Resource not accessible by integration' } };
    const list = url.pathname === '/repos/o/r/issues/7/comments';
    if (method === 'GET' && list) {
      const size = Number(url.searchParams.get('per_page') ?? 30);
      const from = (Number(url.searchParams.get('page') ?? 1) - 1) * size;
      return { status: 200, value: comments.slice(from, from + size) };
    }
    if (refusal.times > 0) {
      refusal = { ...refusal, times: refusal.times - 1 };
      return { status: refusal.status, value: { message: 'Resource not accessible by integration' } };
    }
    const text = (JSON.parse(body) as { body: string }).body;
    if (text.length > LONGEST) return { status: 422, value: { message: 'body is too long' } };
    if (method === 'POST' && list) {
      const comment: Comment = { id: next++, user: { login: 'github-actions[bot]', type: 'Bot' }, body: text };
      comments.push(comment);
      return { status: 201, value: shown(comment) };
    }
    const id = Number(/^\/repos\/o\/r\/issues\/comments\/(\d+)$/.exec(url.pathname)?.[1]);
    const comment = comments.find((each) => each.id === id);
    if (method !== 'PATCH' || !comment) return { status: 404, value: { message: 'Not Found' } };
    comment.body = text;
    return { status: 200, value: shown(comment) };
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1');
    calls.push(`${request.method} ${url.pathname}`);
    const isKnown = request.headers.authorization === `Bearer ${token}`;
    const body = await textOf(request);
    const { status, value } = isKnown
      ? answer(request.method!, url, body)
      : { status: 401, value: { message: 'Bad credentials' } };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    comments,
    calls,
    refuse: (status, times = Number.POSITIVE_INFINITY) => {
      refusal = { status, times };
    },
    stop: () => closed(server),
  };
}

const shown = (comment: Comment) => ({ ...comment, html_url: `https://github.example/o/r/pull/7#${comment.id}` });

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
