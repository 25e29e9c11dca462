import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { processIdentity } from '../../src/lib/devserver/identity.ts';
import { findFreePorts } from '../../src/lib/devserver/ports.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { cleanEnv, ROOT, runCli, startCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { pull } from '../support/dead-letters.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { needing } from '../support/needing.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { makeSystem, sendRequests, stateOf } from '../support/worker.ts';

let server: TestServer;
let nats: Nats;
const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-worker-'));
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats?.close();
  await server?.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => makeSystem(nats));

const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text, { mode: 0o755 });
  return join(dir, name);
};
const run = (...args: string[]) => runCli(['worker', 'run', ...args], { server, cwd: dir });
const response = async (id: string) => {
  const entry = await nats.kv('responses').get(id);
  return entry && Buffer.from(entry.value).toString();
};

describe('worker run', () => {
  test('finds queue, consumer and bucket of the original by itself', async () => {
    await makeSystem(nats, { handMade: true });
    await sendRequests(nats, ['r1']);
    const { code, stdout } = await run('--builtin=echo', '--idle-exit=2s', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      queue: 'REQUESTS',
      consumer: 'request-worker',
      bucket: 'responses',
      answered: 1,
    });
    expect(await response('r1')).toBe('{"id": "r1", "query": "of r1", "response": "Success"}');
  });

  test.each(['for the first time', 'again'])('stops when its bucket is gone, what is delivered %s', async (when) => {
    await makeSystem(nats, { consumer: { max_deliver: 3 } });
    const others = when === 'again' ? ['r1', 'r2', 'r3'] : [];
    await sendRequests(nats, others);
    const taken = others.length > 0 ? await pull(nats, 'REQUESTS', 'request-worker', 3) : [];
    const worker = startCli(['worker', 'run', '--builtin=echo', '--bucket=responses'], { server, cwd: dir });
    await worker.until('stderr', /works on/, 30_000);
    await nats.api('STREAM.DELETE.KV_responses');
    for (const one of taken) one.respond('-NAK');
    if (when !== 'again') await sendRequests(nats, ['r1', 'r2', 'r3']);
    const { code, stderr } = await worker.done;
    expect(code).toBe(1);
    expect(stderr).toContain('Error: bucket responses is gone: no response can be stored');
    expect(stderr).toContain('--bucket NAME');
    const { delivered } = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
    expect(delivered).toMatchObject({ consumer_seq: 3 + taken.length });
    expect(await stateOf(nats, 'REQUESTS')).toMatchObject({ messages: 3 });
  });

  test('lists several and exits 64, for each of queue, consumer and bucket', async () => {
    await nats.api('STREAM.DELETE.KV_responses');
    for (const name of ['KV_other', 'KV_answers'])
      await nats.api(`STREAM.CREATE.${name}`, { name, subjects: [`$KV.${name.slice(3)}.>`] });
    const buckets = await run('--builtin=echo', '--json');
    expect(buckets.code).toBe(64);
    expect(JSON.parse(buckets.stdout).error.message).toBe('there are several buckets: answers, other');
    await nats.api('STREAM.CREATE.JOBS', { name: 'JOBS', subjects: ['jobs.*'], retention: 'workqueue' });
    const queues = await run('--builtin=echo', '--bucket=answers');
    expect(queues).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('there are several queues: JOBS, REQUESTS'),
    });
    await sendRequests(nats, ['r1']);
    expect((await run('--builtin=echo', '--bucket=answers', '--queue=REQUESTS', '--once')).code).toBe(0);
  });

  test.each([
    { name: 'no way to answer', args: [], code: 64, says: 'nothing says how requests are answered' },
    { name: 'two ways', args: ['--builtin=echo', '--exec=cat'], code: 64, says: 'more than one way' },
    { name: 'an unknown built-in', args: ['--builtin=smtp'], code: 64, says: 'smtp' },
    { name: 'a command that is not there', args: ['--exec=./nowhere'], code: 64, says: './nowhere is not there' },
    { name: 'a handler that is not there', args: ['--handler=nowhere.ts'], code: 64, says: 'no such file' },
    { name: 'a time that is none', args: ['--builtin=echo', '--grace=soon'], code: 64, says: '"soon"' },
    {
      name: 'a consumer that is not there',
      args: ['--builtin=echo', '--consumer=nobody'],
      code: 1,
      says: 'REQUESTS/nobody',
    },
    {
      name: 'a bucket that is not there',
      args: ['--builtin=echo', '--bucket=nowhere'],
      code: 1,
      says: 'no bucket nowhere',
    },
  ])('takes no request with $name: exit $code', async ({ args, code, says }) => {
    await sendRequests(nats, ['r1']);
    const result = await run(...args, '--idle-exit=200ms');
    expect(result.code).toBe(code);
    expect(result.stderr.toLowerCase()).toContain(says.toLowerCase());
    expect(await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).toMatchObject({
      num_pending: 1,
      num_ack_pending: 0,
    });
  });

  test('a module that cannot be loaded is told with its fault, before any request is taken', async () => {
    file('broken.ts', 'import nothing from "./nothing.ts";\nexport default nothing;\n');
    expect(await run('--handler=broken.ts')).toMatchObject({ code: 64, stderr: expect.stringContaining('nothing.ts') });
    file('empty.js', 'export const answer = 42;\n');
    expect(await run('--handler=empty.js')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('default export'),
    });
  });

  test.each([
    ['broken.mjs', 'export default async () => {\n  return ;;)\n};\n', "SyntaxError: Unexpected token ')', at", 2],
    ['typed.ts', 'const ready: boolean = true;\n\nexport default (: string) => ready;\n', 'SyntaxError', 3],
    ['throws.mjs', '\nconst { a } = undefined;\nexport default () => a;\n', 'TypeError: Cannot destructure', 2],
  ])('a fault of %s has its line', async (name, source, reason, line) => {
    file(name, source);
    file('index.mjs', `export { default } from './${name}';\n`);
    for (const handler of [name, 'index.mjs']) {
      const { code, stderr } = await run(`--handler=${handler}`);
      expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining(reason) });
      expect(stderr.replace(/\n\s*/g, ' ')).toMatch(new RegExp(`, at \\S*/${name}:${line}\\b`));
    }
  });

  test.each([['a | b'], ['jq . > out.json'], ['cd x && ./answer'], ['./answer; true'], ['echo $(date)'], ['a 2>&1']])(
    '--exec %j is refused before any server is asked: it needs a shell',
    async (command) => {
      const { code, stderr } = await run(`--exec=${command}`, '--server=nats://127.0.0.1:1');
      expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining('is for a shell, and none runs') });
      expect(stderr).toContain('add --shell');
    },
  );

  test('--watch loads a handler anew, a module it imports too, and keeps the one before where that fails', async () => {
    file('answer.mjs', 'export const answer = "one";\n');
    file('index.mjs', 'import { answer } from "./answer.mjs";\nexport default () => answer;\n');
    const worker = startCli(
      ['worker', 'run', '--handler', join(dir, 'index.mjs'), '--watch', '--log=json', '--concurrency=2'],
      { server },
    );
    const answered = async (id: string) => {
      await sendRequests(nats, [id]);
      await until(async () => (await response(id)) !== undefined, `${id} is answered`);
      return response(id);
    };
    try {
      expect(await answered('one')).toBe('one');
      file('answer.mjs', 'export const answer = "two";\n');
      await worker.until('stderr', /"reloaded"/);
      expect(await answered('two')).toBe('two');
      file('answer.mjs', '\nexport const answer = ;\n');
      await worker.until('stderr', /"reload_failed".*the one before goes on: SyntaxError.*answer\.mjs:2/);
      expect(await answered('three')).toBe('two');
    } finally {
      worker.child.kill('SIGTERM');
    }
    expect((await worker.done).code).toBe(0);
  });

  test('--watch ends where the worker writes a .json beside its handler, and still hears of the others', async () => {
    const log = JSON.stringify(join(dir, 'out.json'));
    file('answer.mjs', 'export const answer = "one";\n');
    file(
      'index.mjs',
      `import { appendFileSync } from 'node:fs';
import { answer } from './answer.mjs';
appendFileSync(${log}, 'loaded\\n');
export default () => answer;
`,
    );
    const worker = startCli(['worker', 'run', '--handler', join(dir, 'index.mjs'), '--watch', '--log=json'], {
      server,
    });
    try {
      await worker.until('stderr', /"started"/);
      file('answer.mjs', 'export const answer = "two";\n');
      await worker.until('stderr', /"not_watched","message":"out\.json changes with each reload/);
      const before = readFileSync(join(dir, 'out.json'), 'utf8');
      await sleep(500);
      expect(readFileSync(join(dir, 'out.json'), 'utf8')).toBe(before);
      file('answer.mjs', 'export const answer = "three";\n');
      await until(() => readFileSync(join(dir, 'out.json'), 'utf8').length > before.length, 'it is loaded anew');
    } finally {
      worker.child.kill('SIGTERM');
    }
    expect((await worker.done).code).toBe(0);
  });

  test('a handler in TypeScript gets the request and its context', async () => {
    file(
      'handler.ts',
      `
      interface Request { id: string; query: string }
      export default async ({ id, query }: Request, context: any) => {
        console.log('to stdout');
        context.log('to the log');
        return { id, query, from: context.subject, delivery: context.delivery, team: context.headers.Team };
      };`,
    );
    const cli = findNatsCli();
    cli?.run(server, 'pub', 'requests.dns', '{"id":"h1","query":"q"}', '-H', 'Team:shop');
    if (!cli) await sendRequests(nats, ['h1']);
    const { code, stdout, stderr } = await run('--handler=handler.ts', '--once', '--json', '--log=json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ answered: 1, ended_by: 'max' });
    expect(JSON.parse((await response('h1'))!)).toMatchObject({ id: 'h1', from: 'requests.dns', delivery: 1 });
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['started', 'handler', 'stopped']));
    expect(
      lines
        .filter(({ event }) => event === 'handler')
        .map(({ message }) => message)
        .sort(),
    ).toEqual(['to stdout', 'to the log']);
  });

  test('a handler can be typed with what the package exports', () => {
    mkdirSync(join(dir, 'node_modules'));
    symlinkSync(ROOT, join(dir, 'node_modules', 'osapi-ops'));
    const source = (answer: string) => `import type { Handler } from 'osapi-ops/handler';
      const handler: Handler = async ({ id, query }, context) => {
        if (typeof query !== 'string') return context.reject('no query');
        return ${answer};
      };
      export default handler;`;
    const check = (name: string) => {
      const flags = [
        '--ignoreConfig',
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--types',
        '',
      ];
      return spawnSync(join(ROOT, 'node_modules', '.bin', 'tsc'), [...flags, name], { cwd: dir, encoding: 'utf8' });
    };
    file('typed.mts', source('{ id, upper: query.toUpperCase(), delivery: context.delivery }'));
    expect(check('typed.mts')).toMatchObject({ status: 0, stdout: '' });
    file('wrong.mts', source('() => context.nothing'));
    expect(check('wrong.mts').stdout).toContain("'nothing' does not exist");
  });

  test('a command says by its exit code what becomes of a request', async () => {
    const script = file(
      'answer.sh',
      `#!/bin/sh
      case "$OSAPI_REQUEST_ID" in
        ok) cat; printf ' %s %s %s' "$OSAPI_SUBJECT" "$OSAPI_DELIVERY" "$OSAPI_SEQ" ;;
        later) [ "$OSAPI_DELIVERY" -gt 1 ] || { echo busy >&2; exit 75; }; printf later ;;
        never) echo 'not for us' >&2; exit 65 ;;
        fails) echo 'broken pipe dream' >&2; exit 7 ;;
        deaf) exec <&-; printf deaf ;;
      esac`,
    );
    await makeSystem(nats, { consumer: { backoff: [1e9], max_deliver: 2 } });
    await sendRequests(nats, ['ok', 'later', 'never', 'fails', 'deaf']);
    // One delivery each, but two of `later` and of `fails`.
    const args = ['--max=7', '--json', '--log=json'];
    const { code, stdout, stderr } = await run(`--exec=${script}`, ...args);
    expect(code).toBe(0);
    expect(await response('ok')).toBe('{"id":"ok","query":"of ok"} requests.dns 1 1');
    expect(await response('later')).toBe('later');
    expect(await response('deaf')).toBe('deaf');
    expect(JSON.parse(stdout)).toMatchObject({ answered: 3, rejected: 1, retried: 1, failed: 2 });
    const reasons = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .flatMap(({ request_id, reason }) => (reason ? [`${request_id}: ${reason}`] : []));
    expect(new Set(reasons)).toEqual(
      new Set(['later: busy', 'never: not for us', 'fails: broken pipe dream (the command exited 7)']),
    );
  });

  test('a command that hangs is ended with all that it started', async () => {
    await sendRequests(nats, ['hangs']);
    const { stdout, stderr } = await run(
      '--exec=sleep 60 & echo $! > pid; wait',
      '--shell',
      '--handler-timeout=700ms',
      '--max=1',
      '--json',
      '--log=json',
    );
    expect(JSON.parse(stdout)).toMatchObject({ failed: 1 });
    expect(stderr).toContain('took longer than 700ms');
    const sleeper = Number(readFileSync(join(dir, 'pid'), 'utf8'));
    await until(() => processIdentity(sleeper) === undefined, 'what it started is gone');
  });

  test('a command meets no shell unless --shell asks for one', async () => {
    await sendRequests(nats, ['a']);
    await run("--exec=echo '$HOME' '|' 'cat; exit 3'", '--once');
    expect(await response('a')).toBe('$HOME | cat; exit 3\n');
    await sendRequests(nats, ['b']);
    await run('--exec=printf %s "$OSAPI_REQUEST_ID" | tr b B', '--shell', '--once');
    expect(await response('b')).toBe('B');
  });

  test('SIGTERM finishes what is in hand, tells the counts, and exits 0', async () => {
    await sendRequests(nats, ['r1', 'r2', 'r3']);
    const worker = startCli(
      ['worker', 'run', '--exec=sleep 0.7', '--concurrency=2', '--prefetch=1', '--json', '--log=json'],
      { server },
    );
    await until(
      async () => Number((await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).num_ack_pending) === 3,
      'all are in hand',
    );
    worker.child.kill('SIGTERM');
    const { code, stdout } = await worker.done;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ended_by: 'signal', answered: 2, returned: 1 });
  });

  test('exits 130 where the grace was not enough, with the request given back', async () => {
    await sendRequests(nats, ['r1']);
    const worker = startCli(['worker', 'run', '--exec=sleep 30', '--grace=100ms', '--json'], { server });
    await until(
      async () => Number((await nats.api('CONSUMER.INFO.REQUESTS.request-worker')).num_ack_pending) === 1,
      'it is in hand',
    );
    worker.child.kill('SIGINT');
    const { code, stdout } = await worker.done;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ returned: 1, cut_short: 1 });
    expect((await run('--builtin=echo', '--once', '--json')).code).toBe(0);
    expect(await response('r1')).toContain('Success');
  });

  test('serves its counters to Prometheus', async () => {
    await sendRequests(nats, ['r1']);
    const [port] = await findFreePorts(1);
    const worker = startCli(['worker', 'run', '--builtin=echo', `--metrics-port=${port}`], { server });
    await until(async () => (await response('r1')) !== undefined, 'it is answered');
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toContain('osapi_ops_worker_answered_total{queue="REQUESTS",consumer="request-worker"} 1\n');
    worker.child.kill('SIGTERM');
    expect((await worker.done).stdout).toMatch(/^1 answered: 1 delivery in /);
  });

  test('takes nothing in hand where its counters cannot be served', async () => {
    await sendRequests(nats, ['r1']);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await run('--builtin=echo', '--idle-exit=300ms', `--metrics-port=${port}`);
    other.close();
    expect(code).toBe(64);
    expect(stderr).toContain(`--metrics-port: cannot listen on 127.0.0.1:${port}`);
    const info = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
    expect(info).toMatchObject({ num_pending: 1, num_ack_pending: 0, delivered: { stream_seq: 0 } });
  });

  needing('the nats CLI').test('a second worker shares the queue with the bash loop of the original', async () => {
    const cli = findNatsCli()!;
    const loop = `while true; do
      MESSAGE=$("$NATS" consumer next REQUESTS request-worker --raw 2>/dev/null || echo ERROR)
      [ "$MESSAGE" = ERROR ] && continue
      REQUEST_ID=$(echo "$MESSAGE" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
      "$NATS" kv put responses "$REQUEST_ID" "{\\"id\\": \\"$REQUEST_ID\\", \\"response\\": \\"bash\\"}" >/dev/null
    done`;
    const bash = spawn('bash', ['-c', loop], {
      env: { ...cleanEnv({ server }), NATS: cli.path },
      stdio: 'ignore',
      detached: true,
    });
    try {
      const ids = Array.from({ length: 40 }, (_, index) => `s${index}`);
      await sendRequests(nats, ids);
      await until(async () => (await stateOf(nats, 'KV_responses')).messages > 0, 'the bash loop answers');
      expect((await run('--builtin=echo', '--idle-exit=1s')).code).toBe(0);
      await until(async () => (await stateOf(nats, 'REQUESTS')).messages === 0, 'the queue is empty');
      expect(await nats.kv('responses').keys('>')).toHaveLength(40);
      expect(await stateOf(nats, 'KV_responses')).toMatchObject({ last_seq: 40 });
    } finally {
      process.kill(-bash.pid!, 'SIGKILL');
    }
  });
});
