import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { pipelined } from '../../src/lib/nats/pipeline.ts';
import { connectTo } from '../support/connected.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

let server: TestServer;
let nats: Nats;
let dir: string;

const MEMORY = { storage: 'memory' };
const makeBucket = (name: string) =>
  nats.api(`STREAM.CREATE.KV_${name}`, { name: `KV_${name}`, subjects: [`$KV.${name}.>`], ...MEMORY });
const makeQueue = (name: string, subjects: string[]) =>
  nats.api(`STREAM.CREATE.${name}`, { name, subjects, retention: 'workqueue', ...MEMORY });
const makeConsumer = (stream: string, name: string, config: object = {}) =>
  nats.api(`CONSUMER.CREATE.${stream}.${name}`, {
    stream_name: stream,
    config: { durable_name: name, ack_policy: 'explicit', ...config },
  });
const run = (...args: string[]) => runCli(args, { server, cwd: dir });
const worker = (...args: string[]) => run('worker', 'run', '--builtin=echo', '--idle-exit=100ms', '--json', ...args);

beforeEach(async () => {
  server = await startServer();
  nats = await connectTo(server);
  dir = mkdtempSync(join(tmpdir(), 'osapi-ops-places-'));
});
afterEach(async () => {
  await nats.close();
  await server.stop();
  rmSync(dir, { recursive: true });
});

test('what is beyond the first page of a listing is found by every command', async () => {
  // A page has 1,024 names, or 256 streams; names are listed in their order.
  const many = Array.from({ length: 1100 }, (_, index) => `b${index}`);
  await pipelined(many, 64, makeBucket);
  await makeBucket('responses');
  await makeQueue('Z', ['z.*']);
  await makeConsumer('Z', 'w');
  await nats.kv('responses').put('r1', '{"n":1}');
  expect(await run('request', 'get', 'r1')).toEqual({ code: 0, signal: null, stdout: '{"n":1}\n', stderr: '' });
  expect(await run('request', 'send', 'dns', '{}', '--id=r2')).toMatchObject({ code: 0, stdout: 'r2\n' });
  expect(JSON.parse((await worker()).stdout)).toMatchObject({
    queue: 'Z',
    consumer: 'w',
    bucket: 'responses',
    answered: 1,
  });
  expect(await run('queue', 'drain', '--wait=5s')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Z is drained'),
  });
  expect(await run('dlq', 'ls', '--json')).toMatchObject({ code: 0, stdout: '[]\n' });
});

test('what moves or removes dead letters is told which of several systems is meant; what only looks shows all', async () => {
  for (const name of ['one', 'two']) {
    const dlq = `${name}_dlq`;
    const queue = { subjects: [`${name}.*`], ...MEMORY, consumers: { w: {} }, dlq: { stream: dlq, ...MEMORY } };
    const spec = { version: 1, name, queues: { [name]: queue } };
    writeFileSync(join(dir, `${name}.yaml`), JSON.stringify(spec));
    expect(await run('apply', `${name}.yaml`)).toMatchObject({ code: 0 });
  }
  for (const verb of ['replay', 'purge', 'rebuild']) {
    for (const line of [['--dry-run'], verb === 'rebuild' ? [] : ['--yes']]) {
      const refused = await run('dlq', verb, ...line);
      expect(refused).toMatchObject({
        code: 64,
        stderr: expect.stringContaining('They are one, two; nothing here guesses'),
      });
    }
    expect(await run('dlq', verb, '--dry-run', '-f', 'one.yaml')).toMatchObject({ code: 0 });
    expect(await run('dlq', verb, '--dry-run', '--queue', 'two')).toMatchObject({ code: 0 });
  }
  expect(await run('dlq', 'ls')).toMatchObject({ code: 0 });
});

describe('the bucket of the responses', () => {
  beforeEach(async () => {
    await makeQueue('Q', ['q.*']);
    await makeConsumer('Q', 'w');
  });

  const choices = async (...args: string[]) => {
    const [got, worked] = await Promise.all([run('request', 'get', 'r1', '--json', ...args), worker(...args)]);
    return [got, worked].map(({ code, stdout }) => {
      const { error, bucket } = JSON.parse(stdout);
      return code === 0 ? bucket : { code, message: error.message };
    });
  };
  const answer = (...buckets: string[]) => Promise.all(buckets.map((bucket) => nats.kv(bucket).put('r1', '{}')));

  test('is the one that is called so, for all commands', async () => {
    await Promise.all(['config', 'responses'].map(makeBucket));
    await answer('config', 'responses');
    expect(await choices()).toEqual(['responses', 'responses']);
  });

  test('is the only one', async () => {
    await makeBucket('answers');
    await answer('answers');
    expect(await choices()).toEqual(['answers', 'answers']);
  });

  test('is one of several only where it is named', async () => {
    await Promise.all(['config', 'answers'].map(makeBucket));
    await answer('config', 'answers');
    const several = { code: 64, message: 'there are several buckets: answers, config' };
    expect(await choices()).toEqual([several, several]);
    expect(await choices('--bucket=config')).toEqual(['config', 'config']);
  });

  test('is the one of the spec, at hand or last applied, whatever else is there', async () => {
    writeFileSync(
      join(dir, 'spec.yaml'),
      'version: 1\nname: s\nqueues: {Q: {subjects: ["q.*"], storage: memory, consumers: {w: {}}, responses: {bucket: answers}}}\n',
    );
    await makeBucket('responses');
    expect(await run('apply', 'spec.yaml', '--adopt', '--yes')).toMatchObject({ code: 0 });
    await answer('answers', 'responses');
    expect(await choices('-f', 'spec.yaml')).toEqual(['answers', 'answers']);
    expect(await choices()).toEqual(['answers', 'answers']);
    expect(await choices('--bucket=responses')).toEqual(['responses', 'responses']);
  });
});

describe('a worker', () => {
  beforeEach(async () => {
    await makeQueue('Q', ['q.*']);
    await makeConsumer('Q', 'w');
    await makeBucket('responses');
  });

  test('is not bound to a consumer by which the server reads a queue for its copies', async () => {
    await nats.api('STREAM.CREATE.M', { name: 'M', mirror: { name: 'Q' }, ...MEMORY });
    await nats.api('STREAM.CREATE.S', { name: 'S', sources: [{ name: 'Q' }], ...MEMORY });
    const push = { deliver_subject: 'copy', flow_control: true, idle_heartbeat: 1e9, sourcing: true };
    await makeConsumer('Q', 'copy', { ack_policy: 'flow_control', ...push });
    const names = async () => ((await nats.api('CONSUMER.NAMES.Q')).consumers as string[]).length;
    await until(async () => (await names()) === 4, 'the server has its own consumers');
    expect(JSON.parse((await worker()).stdout)).toMatchObject({ queue: 'Q', consumer: 'w' });
    const { stdout } = await run('queue', 'pause', '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ queue: 'Q', consumer: 'w' }]);
  });

  test.each([
    ['--queue=a b', '--queue: "a b" cannot be the name of a queue'],
    ['--consumer=a.b', '--consumer: "a.b" cannot be the name of a consumer'],
    ['--bucket=*', '--bucket: "*" cannot be the name of a bucket'],
  ])('asks the server for no name that nothing can have: %s', async (flag, message) => {
    const others = ['--queue=Q', '--consumer=w', '--bucket=responses'];
    const flags = others.map((other) => (other.split('=')[0] === flag.split('=')[0] ? flag : other));
    const { code, stdout } = await worker(...flags);
    expect({ code, message: JSON.parse(stdout).error.message }).toEqual({ code: 64, message });
  });
});
