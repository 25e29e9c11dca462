import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpsError } from '../../errors/ops-error.ts';
import { orThrow } from '../../nats/answer.ts';
import type { Nats } from '../../nats/connect.ts';
import { readConsumer, writeConsumer } from '../../nats/consumers.ts';
import { readStream } from '../../nats/streams.ts';

/** What the steps share: a server, a directory, an environment that leads there and nowhere else, ourselves as a process. */
export interface Stage {
  readonly nats: () => Promise<Nats>;
  /** A directory of the tour's own, where its commands run. */
  readonly dir: string;
  /** Runs osapi-ops as a process; a step that ends with another exit code than `want` is a failure of the tour. */
  command(want: number, ...args: string[]): Promise<string>;
  /** Starts a worker in the background, and ends the one before; resolves when it works. */
  worker(...args: string[]): Promise<void>;
}

export interface Scene {
  readonly title: string;
  readonly command?: readonly string[];
  readonly shows: string;
  play(stage: Stage): Promise<string>;
}

/** A step that is not as told: the tour ends. */
export const broken = (title: string, why: string, output: string): OpsError =>
  new OpsError('DEV_FAILED', `the demo did not go as told: "${title}"`, {
    where: 'osapi-ops demo',
    why: [why, output.trim()].filter(Boolean).join('\n'),
    hints: ['run it again; should it fail again, report it with this output'],
  });

const SPEC = 'osapi.yaml';
const REQUESTS = 'requests.ndjson';
const HANDLER = 'answer.mjs';
/** Names that every machine resolves by itself, so that the tour needs no network. */
const QUERIES = ['localhost', '127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];
const WORKER = ['worker', 'run', '--handler', HANDLER, '--verbose'];

const answering = (line: string): string => `import { lookup } from 'node:dns/promises';

export default async ({ query }) => {
  ${line}
  return Promise.all(names.map((name) => lookup(name)));
};
`;
const BROKEN = answering("const names = query.split(',');");
const MENDED = answering("const names = Array.isArray(query) ? query : query.split(',');");

interface Told {
  readonly title: string;
  readonly shows: string;
  readonly args: readonly string[];
  /** The exit code it ends with; 0 where left out. */
  readonly want?: number;
  /** What its output has to say. */
  readonly must?: RegExp;
  before?(stage: Stage): Promise<void> | void;
}

const told = ({ title, shows, args, want = 0, must, before }: Told): Scene => ({
  title,
  command: args,
  shows,
  async play(stage) {
    await before?.(stage);
    const output = await stage.command(want, ...args);
    if (must && !must.test(output)) throw broken(title, `the output does not say ${must}`, output);
    return output;
  },
});

/** The tour, scene by scene. `shipped` is the spec that ships, config/dev.yaml. */
export const story = (shipped: string): readonly Scene[] => [
  told({
    title: 'The spec becomes a live work queue',
    shows: 'stream, worker, dead-letter queue and responses are there',
    args: ['apply', SPEC],
    before: ({ dir }) => writeFileSync(join(dir, SPEC), tourSpec(shipped)),
  }),
  told({
    title: 'Clients put requests into it',
    shows: `${QUERIES.length} requests are stored, and wait for a worker`,
    args: ['request', 'send', 'dns', '--ndjson', '--input', REQUESTS],
    before: ({ dir }) => {
      const lines = QUERIES.map((query, index) => `${JSON.stringify({ id: `demo-${index + 1}`, query })}\n`);
      writeFileSync(join(dir, REQUESTS), lines.join(''));
    },
  }),
  told({
    title: 'Applying again finds nothing to do',
    shows: 'nothing was touched, the requests neither',
    args: ['apply', SPEC],
    must: /nothing to do/i,
  }),
  {
    title: 'Somebody changes the worker by hand: max_deliver 3 becomes 4',
    shows: 'the server is no longer what the spec says',
    play: driftByHand,
  },
  told({
    title: 'The plan finds it',
    shows: 'exit code 2: a pipeline would have noticed',
    args: ['plan', SPEC, '--detailed-exitcode'],
    want: 2,
    must: /max_deliver/,
  }),
  told({
    title: 'Applying mends it',
    shows: 'the worker is as the spec says',
    args: ['apply', SPEC],
    must: /max_deliver/,
  }),
  { title: 'And the requests?', shows: 'nothing was lost on the way', play: countRequests },
  told({
    title: 'A worker answers them: a built-in one that asks the resolver',
    shows: 'each is acked only after its response is stored',
    args: ['worker', 'run', '--builtin', 'dns', '--max', String(QUERIES.length)],
    must: new RegExp(`${QUERIES.length} answered`),
  }),
  told({
    title: 'A client reads its response',
    shows: 'what `nats kv get responses demo-1` prints as well',
    args: ['request', 'get', 'demo-1'],
    must: /127\.0\.0\.1|::1/,
  }),
  {
    title: 'A handler of your own takes over: it looks up several names with commas between',
    command: WORKER,
    shows: 'it goes on in the background',
    play: (stage) => handle(stage, BROKEN),
  },
  told({
    title: 'A request comes that it cannot handle: a list of names',
    shows: 'it failed three times, and is dead: exit code 1',
    args: ['request', 'send', 'dns', '{"query":["localhost","127.0.0.1"]}', '--id', 'poison', '--wait', '--json'],
    want: 1,
    must: /"state": "dead"/,
  }),
  told({
    title: 'The health check sees it',
    shows: 'exit code 2: the pipeline is red',
    args: ['status'],
    want: 2,
    must: /dead/,
  }),
  told({
    title: 'Why did it die?',
    shows: 'the payload, and what the handler said',
    args: ['dlq', 'show', 'REQUESTS/request-worker/6'],
    must: /query\.split/,
  }),
  told({
    title: 'And its life so far',
    shows: 'each delivery, and how it failed',
    args: ['request', 'show', 'poison'],
    must: /delivery 3: TypeError/,
  }),
  {
    title: 'The handler is mended: it takes a list as well',
    command: WORKER,
    shows: 'the new one has taken over',
    play: (stage) => handle(stage, MENDED),
  },
  told({
    title: 'The dead request goes back into the queue, and is followed to its fate',
    shows: 'it is answered',
    args: ['dlq', 'replay', '--wait'],
    must: /answered/,
  }),
  told({
    title: 'The client has its response after all',
    shows: 'it asked for it once; nothing was lost',
    args: ['request', 'get', 'poison'],
    must: /address/,
  }),
  told({ title: 'The health check is green again', shows: 'exit code 0', args: ['status'] }),
];

/** The spec that ships, but with deliveries that fit into a minute. */
const tourSpec = (shipped: string): string => `version: 1
name: osapi
extends: ${JSON.stringify(shipped)}
queues:
  REQUESTS:
    consumers:
      request-worker: { max_deliver: 3, backoff: [1s, 1s] }
`;

async function handle(stage: Stage, code: string): Promise<string> {
  writeFileSync(join(stage.dir, HANDLER), code);
  await stage.worker(...WORKER);
  return `${HANDLER}:\n${code.trimEnd()}`;
}

/** An update as any tool makes it: the live configuration with one field changed. */
async function driftByHand(stage: Stage): Promise<string> {
  const nats = await stage.nats();
  const worker = { stream: 'REQUESTS', consumer: 'request-worker' };
  const { config } = await orThrow(readConsumer(nats, worker.stream, worker.consumer));
  await writeConsumer(nats, 'update', worker, { ...config, max_deliver: 4 });
  return 'consumer REQUESTS/request-worker: max_deliver 3 → 4, past the spec';
}

async function countRequests(stage: Stage): Promise<string> {
  const { figures } = await orThrow(readStream(await stage.nats(), 'REQUESTS'));
  const stored = figures.messages;
  if (stored !== QUERIES.length) throw broken('And the requests?', `${stored} of ${QUERIES.length} are left`, '');
  return `${stored} of ${QUERIES.length} requests wait in REQUESTS`;
}
