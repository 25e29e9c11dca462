import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { headers, type Msg } from '@nats-io/transport-node';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { type CliProcess, runCli, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, pull, put, wipe } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

// Each kind of move as somebody types it, on three servers: whoever types is killed at two of its steps, and a server at
// two others, with requests that wait, that died, that are parked and that a worker has in hand. They are the same ones
// from the first move to the last: to let them die, and to look at each of them, takes longer than to move them.

jest.setTimeout(300_000);

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-migrate-cluster-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Written {
  readonly queue?: string;
  readonly worker?: string;
  readonly fields?: string;
  readonly responses?: string;
  /** Of a worker that fails at once. */
  readonly dying?: boolean;
}

function spec({
  queue = 'REQUESTS',
  worker = 'request-worker',
  fields = '',
  responses = '{bucket: responses}',
  dying = false,
}: Written = {}): string {
  const path = join(dir, 'spec.yaml');
  const tries = dying ? 'max_deliver: 1, ack_wait: 1s' : 'max_deliver: 9, ack_wait: 2s';
  writeFileSync(
    path,
    `version: 1
name: osapi
queues:
  ${queue}:
    subjects: ["requests.*"]
    discard: new
    duplicate_window: 1s
    num_replicas: 3
    ${queue === 'REQUESTS' ? '' : 'moved_from: REQUESTS'}
    consumers:
      ${worker}: {${tries}${fields}}
    dlq: {stream: requests_dlq}
    responses: ${responses}
`,
  );
  return path;
}

describe.each(['2.15'])('three servers of %s', (version) => {
  let cluster: TestServer;
  let nats: Nats;
  beforeAll(async () => {
    cluster = await startServer({ version, cluster: 3 });
    nats = await connectTo({ url: cluster.urls.join(',') }, { timeout: '20s' });
  });
  afterAll(async () => {
    await nats.close();
    await cluster.stop();
  });
  beforeEach(() => wipe(nats));

  const options = () => ({ server: { url: cluster.urls.join(',') }, cwd: dir });
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli([...args, '--timeout', '20s', '--json'], options());
    if (stdout === '') throw new Error(`${args.join(' ')}: ${code} ${stderr}`);
    return { code, stderr, value: JSON.parse(stdout) };
  };
  const names = async () => ((await nats.api('STREAM.NAMES')).streams as string[]).sort();
  const request = (id: string, replays = 0) => {
    const hdrs = headers();
    hdrs.set('Nats-Msg-Id', id);
    if (replays > 0) hdrs.set('Osapi-Replay-Count', `${replays}`);
    return put(nats, 'requests.dns', JSON.stringify({ id, query: 'example.com' }), hdrs);
  };
  const idsOf = (messages: readonly Msg[]) => messages.map((message) => message.json<{ id: string }>().id).sort();
  const dead = async (): Promise<string[][]> =>
    (await json('dlq', 'ls')).value
      .filter(({ state }: { state: string }) => state !== 'gone')
      .map(({ state, request_id }: Record<string, string>) => [request_id, state])
      .sort();
  const DEAD = [
    ['a', 'replayable'],
    ['b', 'replayable'],
    ['p', 'parked'],
  ];

  /** Dead: a and b; parked: p; waiting: c, d and h. */
  async function fill(): Promise<void> {
    await json('apply', spec({ dying: true }));
    await request('a');
    await request('b');
    await request('p', 3);
    await letDie(nats, 'REQUESTS');
    await json('apply', spec());
    await until(async () => (await dead()).length === 3, 'all three have died');
    expect(await dead()).toEqual(DEAD);
    for (const id of ['h', 'c', 'd']) await request(id);
  }

  /** A worker that never answers has the first of them in hand. */
  async function takeInHand(queue: string, worker: string): Promise<void> {
    expect(idsOf(await pull(nats, queue, worker, 1, 2000))).toEqual(['h']);
  }

  /** The same are dead, and the same wait: nothing came, and nothing went. */
  async function isMoved(queue: string, worker: string): Promise<void> {
    expect(await dead()).toEqual(DEAD);
    const [{ state }, { num_pending, num_ack_pending }] = await Promise.all([
      nats.api(`STREAM.INFO.${queue}`),
      nats.api(`CONSUMER.INFO.${queue}.${worker}`),
    ]);
    expect([state, Number(num_pending) + Number(num_ack_pending)]).toMatchObject([{ messages: 3 }, 3]);
    expect((await json('plan', join(dir, 'spec.yaml'))).value.changes).toEqual([]);
  }

  /** What is given out in the end, each once, and nothing after it; and the dead, where they are asked for. */
  async function isWhole(queue: string, worker: string): Promise<void> {
    const taken: string[] = [];
    await until(async () => {
      for (const message of await pull(nats, queue, worker, 10, 500)) {
        taken.push(...idsOf([message]));
        await nats.request(message.reply!, '+ACK');
      }
      return taken.length >= 3;
    }, 'all is given out');
    expect([taken.sort(), await pull(nats, queue, worker, 10, 1500)]).toEqual([['c', 'd', 'h'], []]);
    expect((await nats.api(`STREAM.INFO.${queue}`)).state).toMatchObject({ messages: 0 });
    expect((await json('dlq', 'replay', '--max-replays', '4')).value).toMatchObject({ replayed: 3, failed: 0 });
    expect(idsOf(await pull(nats, queue, worker, 3, 2000))).toEqual(['a', 'b', 'p']);
    expect(await pull(nats, queue, worker, 10, 300)).toEqual([]);
  }

  /** Moves, and at each of these lines kills who moves, or one of the servers; what ended because of that is gone on with. */
  async function play(
    acts: readonly (readonly [at: RegExp, what: 'mover' | number])[],
    ...args: string[]
  ): Promise<void> {
    const begin = () =>
      startCli(['apply', ...args, '--migrate', '--yes', '--timeout', '20s', '--lock-wait', '60s'], options());
    let moving: CliProcess | undefined;
    for (const [index, [at, what]] of acts.entries()) {
      moving ??= begin();
      const isThere = () => moving!.until('stderr', at, 90_000).then(() => true);
      const isAt = await isThere().catch(async (error: unknown) => {
        // Whom we killed before had done it all by then: nothing is left to be killed.
        if ((await moving!.done).code === 0) return index === 0 ? Promise.reject(error) : false;
        moving = begin();
        return isThere();
      });
      if (!isAt) return;
      if (what === 'mover') {
        moving.child.kill('SIGKILL');
        await moving.done;
        moving = undefined;
        // Whoever waits for the dead has to wait for 15 s.
        const unlock = () => nats.api('STREAM.PURGE.KV_osapi_ops', { filter: '$KV.osapi_ops.lock.>' });
        await until(() => unlock().then(Boolean, () => false), 'a server that was killed before is back', 90_000);
      } else {
        await cluster.kill('SIGKILL', what);
        await cluster.restart();
      }
    }
    await moving?.done;
  }
  const status = async () => {
    const { value } = await json('status');
    return value.checks.filter(({ id }: { id: string }) => id.endsWith('.migration'))[0]?.summary as string | undefined;
  };
  const goOn = async (...args: string[]) => {
    const done = await json('apply', ...args, '--migrate', '--yes', '--lock-wait', '60s');
    expect([done.code, done.value.error]).toEqual([0, undefined]);
  };
  const goBack = async (path: string, kind: string, name: string, was: readonly string[]) => {
    const back = await json('apply', path, '--undo-migrate', '--yes', '--lock-wait', '60s');
    expect([back.code, back.value.undone]).toMatchObject([0, [{ kind, name }]]);
    expect([await names(), await dead()]).toEqual([was, DEAD]);
  };

  async function moveQueue(): Promise<void> {
    await takeInHand('REQUESTS', 'request-worker');
    const path = spec({ queue: 'LOOKUPS' });
    await play([[/copying REQUESTS to LOOKUPS/, 'mover']], path);
    expect(await status()).toContain('copying REQUESTS to LOOKUPS');
    await goBack(path, 'stream', 'LOOKUPS', ['KV_osapi_ops', 'KV_responses', 'REQUESTS', 'requests_dlq']);
    await play(
      [
        [/copying REQUESTS to LOOKUPS/, 1],
        [/REQUESTS is closed/, 'mover'],
        [/is closed|is open/, 2],
      ],
      path,
    );
    await goOn(path);
    expect(await names()).toEqual(['KV_osapi_ops', 'KV_responses', 'LOOKUPS', 'requests_dlq']);
    await isMoved('LOOKUPS', 'request-worker');
  }

  const RESOLVER = {
    queue: 'LOOKUPS',
    worker: 'resolver',
    fields: ', max_waiting: 100, moved_from: request-worker',
  };
  async function moveConsumer(): Promise<void> {
    await takeInHand('LOOKUPS', 'request-worker');
    const path = spec(RESOLVER);
    await play([[/intended/, 'mover']], path);
    await goBack(path, 'consumer', 'LOOKUPS/resolver', ['KV_osapi_ops', 'KV_responses', 'LOOKUPS', 'requests_dlq']);
    await play(
      [
        [/intended/, 1],
        [/is removed/, 'mover'],
        [/is removed|is made/, 2],
      ],
      path,
    );
    await goOn(path);
    expect((await nats.api('CONSUMER.NAMES.LOOKUPS')).consumers).toEqual(['resolver']);
    await isMoved('LOOKUPS', 'resolver');
  }

  async function moveBucket(): Promise<void> {
    await takeInHand('LOOKUPS', 'resolver');
    for (const key of ['x', 'y']) for (const value of ['1', '2']) await nats.kv('responses').put(key, value);
    const was = await Promise.all(['x', 'y'].map((key) => nats.kv('responses').latest(key)));
    const path = spec({ ...RESOLVER, responses: '{bucket: answers, moved_from: responses}' });
    // What a worker has in hand may be answered into the old one.
    const flags = [path, '--allow-data-loss'];
    await play([[/copying KV_responses to KV_answers/, 'mover']], ...flags);
    await goBack(path, 'bucket', 'answers', ['KV_osapi_ops', 'KV_responses', 'LOOKUPS', 'requests_dlq']);
    await play(
      [
        [/copying KV_responses to KV_answers/, 1],
        [/KV_responses is closed/, 'mover'],
        [/is closed|is open/, 2],
      ],
      ...flags,
    );
    await goOn(...flags);
    expect(await names()).toEqual(['KV_answers', 'KV_osapi_ops', 'LOOKUPS', 'requests_dlq']);
    expect(await Promise.all(['x', 'y'].map((key) => nats.kv('answers').latest(key)))).toEqual(was);
    await isMoved('LOOKUPS', 'resolver');
  }

  test('a queue gets another name, then its consumer, then its bucket of responses', async () => {
    await fill();
    await moveQueue();
    await moveConsumer();
    await moveBucket();
    await isWhole('LOOKUPS', 'resolver');
  });
});
